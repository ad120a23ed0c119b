// What the answers must be, found by looking at every event: slow, plain, and written without the
// code that is tested.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/event.hpp"
#include "query/expression.hpp"
#include "query/searcher.hpp"

namespace docket::query::testing {

[[nodiscard]] bool matches(const Expression& where, const Event& event);

// Whether an event is part of the answer: one of log `docket` only where a log: condition finds it.
[[nodiscard]] bool finds(const Query& query, const Event& event);

// The events that are found, in order.
[[nodiscard]] std::vector<const Event*> select(const std::vector<Event>& events, const Query& query,
                                               Order order);

// Counts by value, each as it was sent.
[[nodiscard]] std::map<std::string, std::uint64_t> facet(const std::vector<const Event*>& events,
                                                         Field field);

// Counts by bucket of `width` ns, from the first to the last.
[[nodiscard]] std::map<Nanos, std::uint64_t> histogram(const std::vector<const Event*>& events,
                                                       Nanos width);

}  // namespace docket::query::testing
