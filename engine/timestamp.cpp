#include "engine/event.hpp"
