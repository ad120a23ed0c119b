// docket: the operators' inspector.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "query/parser.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/server_access.hpp"

namespace docket::cli {
namespace {

int run_on(Context& context, Source& source) {
  switch (context.arguments.command) {
    case Command::search:
      return run_search(context, source);
    case Command::count:
      return run_count(context, source);
    case Command::facets:
      return run_facets(context, source);
    case Command::histogram:
      return run_histogram(context, source);
    case Command::explain:
      return run_explain(context, source);
    case Command::show:
      return run_show(context, source);
    case Command::history:
      return run_history(context, source);
    case Command::story:
      return run_story(context, source);
    case Command::report:
      return run_report(context, source);
    case Command::tail:
      return run_tail(context, source);
    case Command::export_events:
      return run_export(context, source);
    case Command::stats:
      return run_stats(context, source);
    case Command::segments:
      return run_segments(context, source);
    case Command::nodes:
      return run_nodes(context, source);
    case Command::retention:
      return run_retention(context, source);
    case Command::import:
    case Command::forward:
    case Command::verify:
    case Command::backup:
    case Command::restore:
    case Command::help_query:
      break;
  }
  return exit_usage;
}

// What is read from its top may be paged; a stream without end and a number may not.
bool is_paged(const Arguments& arguments) {
  const bool is_page =
      arguments.command != Command::tail && arguments.command != Command::count &&
      arguments.command != Command::export_events && arguments.command != Command::import &&
      arguments.command != Command::forward && arguments.command != Command::backup &&
      arguments.command != Command::restore;
  return is_page && arguments.format == Format::table;
}

int run_command(Context& context) {
  const Arguments& arguments = context.arguments;
  switch (arguments.command) {
    case Command::help_query:
      context.out.write(query::language_help());
      return exit_done;
    case Command::import:
      return run_import(context);
    case Command::forward:
      return run_forward(context);
    case Command::verify:
      return run_verify(context);
    case Command::backup:
    case Command::restore:
      return run_backup(context);
    default:
      break;
  }
  auto zone = query::TimeZone::find(arguments.zone);
  if (!zone) {
    return complain(zone.error());
  }
  context.zone = *zone;
  const auto access = server_access(arguments);
  if (!access) {
    return complain(access.error());
  }
  auto source = arguments.data.empty() ? open_server(arguments.server, *access)
                                       : open_directory(arguments.data, arguments.config);
  if (!source) {
    return complain(source.error());
  }
  return run_on(context, **source);
}

int run(int argc, char** argv) {
  const ParsedArguments parsed = parse_arguments(argc, argv);
  if (parsed.exit_code) {
    return *parsed.exit_code;
  }
  // A reader that goes away is seen by write() failing, and is no failure of ours.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  Output out(STDOUT_FILENO);
  Context context{parsed.arguments, out, Terminal::detect(), query::TimeZone::utc()};
  if (context.terminal.is_terminal && is_paged(parsed.arguments)) {
    out.start_pager();
  }
  const int code = run_command(context);
  out.flush();
  if (out.failure() != 0) {
    return complain(fail_errno("stdout", out.failure()).value());
  }
  return code;
}

}  // namespace
}  // namespace docket::cli

int main(int argc, char** argv) {
  try {
    return docket::cli::run(argc, argv);
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "docket: %s\n", error.what()));
    return docket::cli::exit_failed;
  }
}
