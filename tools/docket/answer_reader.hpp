// Reading the API's answers back.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/result.hpp"
#include "engine/snapshot.hpp"
#include "query/searcher.hpp"

namespace docket::cli {

// The error that a problem document, or any other unsuccessful answer, tells of.
[[nodiscard]] Error error_of(unsigned status, std::string_view body);

// Errors of these: io, when the text is not such an answer.

// The member `name`, a whole number.
[[nodiscard]] Result<std::uint64_t> read_number(std::string_view body, std::string_view name);
// The member `name` of "server", as text; empty where either is absent.
[[nodiscard]] Result<std::string> read_server_fact(std::string_view body, std::string_view name);
// The member "gaps"; empty where it is absent.
[[nodiscard]] Result<std::vector<Gap>> read_gaps(std::string_view body);

struct EventPage {
  std::vector<Event> events;
  std::string next;  // empty: this was the last page
};
[[nodiscard]] Result<EventPage> read_page(std::string_view body);
[[nodiscard]] Result<Event> read_event(std::string_view json);

struct FacetAnswer {
  std::string field;
  std::vector<query::FacetValue> values;
  std::uint64_t distinct = 0;
  std::uint64_t other = 0;
};
[[nodiscard]] Result<std::vector<FacetAnswer>> read_facets(std::string_view body);
[[nodiscard]] Result<std::vector<query::HistogramBucket>> read_histogram(std::string_view body);

inline constexpr std::array<std::string_view, 13> explained_numbers{"count",
                                                                    "segments",
                                                                    "segments_outside",
                                                                    "segments_left",
                                                                    "segments_ruled_out",
                                                                    "blocks",
                                                                    "blocks_left",
                                                                    "blocks_ruled_out",
                                                                    "postings_read",
                                                                    "bytes_read",
                                                                    "columns_scanned",
                                                                    "payload_rows_scanned",
                                                                    "conditions_left_out"};
struct Explained {
  std::string query;
  std::vector<std::string> logs;
  bool is_scoped = false;  // by a token's filter: then the server tells the count alone
  std::map<std::string, std::uint64_t, std::less<>> numbers;  // each of explained_numbers
};
[[nodiscard]] Result<Explained> read_explained(std::string_view body);

// The objects of the array `list`, each as the texts of these members, in this order; null and
// absent ones are empty.
[[nodiscard]] Result<std::vector<std::vector<std::string>>> read_rows(
    std::string_view body, std::string_view list, std::initializer_list<std::string_view> members);

}  // namespace docket::cli
