// The commands. Each writes its answer to `out`, messages to stderr, and returns the exit code.
#pragma once

#include <vector>

#include "engine/event.hpp"
#include "engine/quarantine.hpp"
#include "engine/result.hpp"
#include "engine/snapshot.hpp"
#include "query/time_zone.hpp"
#include "tools/docket/arguments.hpp"
#include "tools/docket/output.hpp"
#include "tools/docket/source.hpp"
#include "tools/docket/table.hpp"

namespace docket::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_damaged = 3;

struct Context {
  const Arguments& arguments;
  Output& out;
  Terminal terminal;
  query::TimeZone zone = query::TimeZone::utc();
};

[[nodiscard]] int run_search(Context& context, Source& source);
[[nodiscard]] int run_count(Context& context, Source& source);
[[nodiscard]] int run_facets(Context& context, Source& source);
[[nodiscard]] int run_histogram(Context& context, Source& source);
[[nodiscard]] int run_explain(Context& context, Source& source);
[[nodiscard]] int run_show(Context& context, Source& source);
[[nodiscard]] int run_history(Context& context, Source& source);
[[nodiscard]] int run_story(Context& context, Source& source);
[[nodiscard]] int run_report(Context& context, Source& source);
[[nodiscard]] int run_tail(Context& context, Source& source);
[[nodiscard]] int run_export(Context& context, Source& source);
[[nodiscard]] int run_import(Context& context);
[[nodiscard]] int run_forward(Context& context);
[[nodiscard]] int run_stats(Context& context, Source& source);
[[nodiscard]] int run_segments(Context& context, Source& source);
[[nodiscard]] int run_nodes(Context& context, Source& source);
[[nodiscard]] int run_retention(Context& context, Source& source);
[[nodiscard]] int run_verify(Context& context);
// The same of another directory than the arguments name.
[[nodiscard]] int run_verify(Context& context, const std::string& directory);
[[nodiscard]] int run_backup(Context& context);

// --- what several of them need -------------------------------------------------------------------

// Prints the error on stderr; the exit code that goes with it.
int complain(const Error& error);
// Names each gap on stderr. exit_damaged when there are some and --strict was given.
[[nodiscard]] int report_gaps(const Context& context, const std::vector<Gap>& gaps);
// "activity: bytes 128 to 960 of 1.hot, activity:1 to activity:10, kept in 1.hot.damaged: why",
// fit for a terminal.
[[nodiscard]] std::string set_aside_text(std::string_view log, const QuarantineRecord& record);
// A word as a shell takes it, in quotes where it must; made safe for a terminal.
[[nodiscard]] std::string shell_word(std::string_view word);
// The parameters `q` and `tz`.
[[nodiscard]] api::Parameters question_of(const Context& context);
// The answer's body as it came, for -o json.
void write_json(Context& context, std::string_view body);
// The form of event records that was asked for; JSON lines where it was table or json.
[[nodiscard]] api::EventFormat event_format_of(const Context& context);
// What stands before the first record of that form, and one event as a record.
void write_heading(Context& context);
void write_event_record(Context& context, const Event& event);
// In the asked format, one that numbers have; json is the answer's own body.
void write_table(Context& context, const Table& table, std::string_view body);

}  // namespace docket::cli
