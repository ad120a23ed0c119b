// What lets a load generator in.
#pragma once

#include <optional>
#include <string>

#include "ingest/tls.hpp"

namespace docket::load {

struct Access {
  std::string token;                    // shown to the server; empty: none
  std::optional<ingest::TlsFiles> tls;  // not there: in the clear
};

}  // namespace docket::load
