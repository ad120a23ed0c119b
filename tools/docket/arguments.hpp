// The command line of docket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "tools/docket/output_format.hpp"

namespace docket::cli {

enum class Command : std::uint8_t {
  search,
  count,
  facets,
  histogram,
  explain,
  show,
  history,
  story,
  report,
  tail,
  export_events,
  import,
  forward,
  stats,
  segments,
  nodes,
  retention,
  verify,
  backup,
  restore,
  help_query,
};

struct Arguments {
  Command command = Command::search;
  // Where to look: a directory, else a server.
  std::string data;
  std::string server;
  std::string token_file;            // empty: the environment may have one
  std::string ca, certificate, key;  // of https
  Format format = Format::table;
  std::string zone = "local";
  bool strict = false;  // a gap makes the exit code 3

  std::string query;
  std::uint64_t limit = 50;
  std::string cursor;
  bool oldest = false;
  std::string by;  // facets: fields; histogram: field; empty: the default
  std::uint32_t top = 10;
  bool others = false;  // facets: under the other filters
  std::string every;
  std::string event;   // show, story: LOG:SEQ
  std::string object;  // history: TYPE:ID
  std::string report;  // its name
  Nanos window = 0;    // story
  std::uint32_t newest = 10;
  bool follow = false;
  std::string after;   // tail: a position; empty: the newest
  std::string out;     // export: a file; empty: stdout
  std::string resume;  // export: the cursor of a series of files; empty: one export
  bool raw = false;
  std::vector<std::string> files;
  std::string log;
  std::string ingest;  // import, forward: where to send; empty: the server is asked
  std::string redact;  // import, forward: a file with rules; empty: nothing is taken out
  std::string state;   // forward: a directory of its own
  std::string node;    // forward: the sender's name; empty: made of machine and file
  bool once = false;   // forward: to the end of the file
  bool dry_run = false;
  bool deep = false;
  bool repair = false;
  bool verify = false;  // backup, restore: what was copied
  std::string from;     // restore: a backup
  std::string to;       // backup, restore: a new directory
  std::string config;
};

struct ParsedArguments {
  Arguments arguments;
  std::optional<int> exit_code;  // set: there is nothing to run (help, version, a usage error)
};

// Prints help and version on stdout, usage errors on stderr.
[[nodiscard]] ParsedArguments parse_arguments(int argc, const char* const* argv);

}  // namespace docket::cli
