#include "tools/docket/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include "tools/api/units.hpp"
#include "tools/docket/command_words.hpp"
#include "tools/docket/manual_text.hpp"
#include "tools/docket/report_plan.hpp"
#include "tools/docket/sending_options.hpp"
#include "tools/docket/server_access.hpp"
#include "tools/version.hpp"

namespace docket::cli {

namespace {

constexpr int usage_error = 2;
constexpr std::uint64_t story_limit_default = 500;

// What numbers can be written in, and events.
constexpr std::array number_formats{Format::table, Format::json, Format::ndjson, Format::csv};
constexpr std::array event_formats{Format::table, Format::json,   Format::ndjson,
                                   Format::csv,   Format::syslog, Format::cef};
constexpr std::array export_formats{Format::csv, Format::ndjson, Format::syslog, Format::cef};
constexpr std::array check_formats{Format::table, Format::json};

// A range that is checked and not spelled out beside the option, where the text tells of it.
CLI::Validator between(std::uint64_t first, std::uint64_t last) {
  return CLI::Range(first, last).description("");
}

// The options as typed, before they are understood.
struct Typed {
  Arguments arguments;
  std::vector<std::string> query;
  std::string format;
  bool utc = false;
  bool zone_given = false;
  bool limit_given = false;
  std::string window;
};

// Leaves no blank lines behind for options that are known and not shown.
class HelpFormatter : public CLI::Formatter {
 public:
  [[nodiscard]] std::string make_help(const CLI::App* app, std::string name,
                                      CLI::AppFormatMode mode) const override {
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    for (std::size_t at = text.find("\n\n\n"); at != std::string::npos;
         at = text.find("\n\n\n", at)) {
      text.erase(at, 1);
    }
    return text;
  }
};

class Parser {
 public:
  Parser() : app_("docket asks a Docket server, or a data directory, about events.", "docket") {
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.set_version_flag("--version", std::string("docket ") + std::string(version));
    app_.require_subcommand(1);
    add_source(app_, true);
    add_format(app_, names_of(event_formats));
    add_zone(app_);
    app_.footer(
        "Exit codes: 0 done; 1 failed; 2 usage, or a query that cannot be read; 3 damage found.\n"
        "NO_COLOR turns colours off; $PAGER shows long tables on a terminal.\n"
        "'docket COMMAND --help' lists the options of a command, 'docket help query' explains the\n"
        "query language.");
    add_questions();
    add_transfers();
    add_store_commands();
    add_help();
    add_manual();
  }

  ParsedArguments parse(int argc, const char* const* argv) {
    ParsedArguments parsed;
    std::vector<std::string> words = marked({argv + std::min(argc, 1), argv + argc});
    std::ranges::reverse(words);  // CLI11 takes a vector from its end
    try {
      check_command(app_, words);
      app_.parse(words);
      finish();
    } catch (const CLI::ParseError& error) {
      parsed.exit_code = app_.exit(error) == 0 ? 0 : usage_error;
    }
    parsed.arguments = std::move(typed_.arguments);
    return parsed;
  }

 private:
  struct Known {
    Command command;
    CLI::App* app;
    bool directory, server;  // where it can look
    std::span<const Format> formats;
    bool zone;
  };

  // Marks what is a word of a query or the name of a file.
  [[nodiscard]] std::vector<std::string> marked(std::vector<std::string> words) const {
    const CLI::App* command = nullptr;
    bool only_words = false;  // behind `--`
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::string& word = words[i];
      if (command == nullptr) {
        if (takes_next_word(app_, word)) {
          ++i;
        } else if (!word.starts_with('-')) {
          const auto named = std::ranges::find_if(
              known_, [&](const Known& known) { return known.app->get_name() == word; });
          if (named == known_.end()) {
            break;
          }
          command = named->app;
        }
        continue;
      }
      const bool has_query = command->get_option_no_throw("QUERY") != nullptr;
      if (!has_query && command->get_option_no_throw("FILE") == nullptr) {
        break;
      }
      const bool is_word =
          only_words || word == "-" || !word.starts_with('-') || (has_query && !is_option(word));
      if (is_word) {
        word = marked_word(word);
      } else if (word == "--") {
        only_words = true;
      } else if (takes_next_word(*command, word)) {
        ++i;
      }
    }
    return words;
  }

  CLI::App* add(Known known, const std::string& name, const std::string& description) {
    known.app = app_.add_subcommand(name, description);
    if (known.directory || known.server) {
      add_source(*known.app, known.server, known.directory);
    }
    if (!known.formats.empty()) {
      add_format(*known.app, names_of(known.formats));
    }
    if (known.zone) {
      add_zone(*known.app);
    }
    known_.push_back(known);
    return known.app;
  }

  // What the command does not take is known all the same, so that it is refused with the reason.
  void add_source(CLI::App& app, bool server, bool directory = true) {
    app.add_option("--data", typed_.arguments.data,
                   "Read this data directory, also beside its running server; never writes")
        ->type_name("DIR")
        ->check(not_empty())
        ->group(directory ? "Options" : "");
    app.add_option("--server", typed_.arguments.server,
                   "Ask this server, http://HOST[:PORT][/PREFIX] ($DOCKET_SERVER, else "
                   "http://127.0.0.1:7480)")
        ->type_name("URL")
        ->check(not_empty())
        ->group(server ? "Options" : "");
    add_access_options(app, typed_.arguments, server);
  }

  void add_format(CLI::App& app, const std::string& names) {
    app.add_option("-o,--output", typed_.format, "How to write the answer")->type_name(names);
  }

  void add_zone(CLI::App& app) {
    app.add_option("--tz", typed_.arguments.zone,
                   "Time zone of days, clock times and tables, such as Europe/Berlin (local)")
        ->type_name("ZONE")
        ->check(not_empty())
        ->each([this](const std::string&) { typed_.zone_given = true; });
    app.add_flag("--utc", typed_.utc, "The same as --tz UTC");
  }

  void add_query(CLI::App& app) {
    app.add_option("QUERY", typed_.query,
                   "What to look for; see 'docket help query'. All events "
                   "when absent")
        ->type_name("");
    add_strict(app);
  }

  void add_strict(CLI::App& app) {
    app.add_flag("--strict", typed_.arguments.strict,
                 "Exit with 3 when something that should have been read is missing");
  }

  void add_questions() {
    Arguments& a = typed_.arguments;
    CLI::App* app = add({Command::search, nullptr, true, true, event_formats, true}, "search",
                        "A page of events, newest first; the next cursor goes to stderr");
    add_query(*app);
    app->add_option("--limit", a.limit, "Events at most (50)")
        ->type_name("N")
        ->check(between(1, 1'000'000'000));
    app->add_option("--cursor", a.cursor, "Go on where an earlier page ended")
        ->type_name("CURSOR")
        ->check(not_empty());
    app->add_flag("--oldest", a.oldest, "Oldest first");

    add_query(*add({Command::count, nullptr, true, true, number_formats, true}, "count",
                   "The exact number of events"));

    app = add({Command::facets, nullptr, true, true, number_formats, true}, "facets",
              "Exact counts per value of fields");
    add_query(*app);
    app->add_option("--by", a.by, "Fields (verb,actor,target.type,target,ip,outcome,log)")
        ->type_name("FIELD,…");
    app->add_option("--top", a.top, "Values per field, up to 10,000 (10)")
        ->type_name("N")
        ->check(between(1, 10'000));
    app->add_flag(
        "--others", a.others,
        "Count each field without the query's own conditions on it: what choosing another "
        "value would give");

    app = add({Command::histogram, nullptr, true, true, number_formats, true}, "histogram",
              "Counts per span of time");
    add_query(*app);
    app->add_option("--every", a.every, "Width of a span: 15s 5m 1h 1d 1w")
        ->type_name("WIDTH")
        ->required();
    app->add_option("--by", a.by, "Split each span by this field")->type_name("FIELD");

    add_query(*add({Command::explain, nullptr, true, true, number_formats, true}, "explain",
                   "What a count costs: what is ruled out, what decides, what is read"));
    add_stories();

    app = add({Command::tail, nullptr, true, true, event_formats, true}, "tail",
              "The newest events, oldest of them first");
    add_query(*app);
    app->add_option("-n", a.newest, "How many, up to 1,000 (10)")
        ->type_name("N")
        ->check(between(0, 1000));
    app->add_flag(
        "-f,--follow", a.follow,
        "Then each one as it arrives; an interrupt ends it and tells the position. -o json "
        "then writes an object a line, as ndjson does, and without -f one document");
    app->add_option("--after", a.after,
                    "With -f: begin behind this position, at most one event a log; a log that is "
                    "not named begins with its first event")
        ->type_name("LOG:SEQ,…");
  }

  // What answers about one event, one object, or a whole shift.
  void add_stories() {
    Arguments& a = typed_.arguments;
    CLI::App* app = add({Command::show, nullptr, true, true, event_formats, true}, "show",
                        "One event in full with its field-level diff");
    add_event(*app);

    app = add(
        {Command::history, nullptr, true, true, event_formats, true}, "history",
        "Everything that happened to one object in any log, the system's own too, oldest first, "
        "its diffs folded");
    app->add_option("OBJECT", a.object, "Its type and id, such as List:5; names are not looked at")
        ->type_name("TYPE:ID")
        ->required();
    add_strict(*app);

    app = add({Command::story, nullptr, true, true, event_formats, true}, "story",
              "The session around an event: what its actor did from sign-in to sign-out, and what "
              "failed for this actor or at this address");
    add_event(*app);
    add_strict(*app);
    app->add_option("--limit", a.limit, "Events at most, those nearest to it (500)")
        ->type_name("N")
        ->check(between(1, 100'000))
        ->each([this](const std::string&) { typed_.limit_given = true; });
    app->add_option("--window", typed_.window,
                    "How far to look where no sign-in or sign-out is within a day (1h)")
        ->type_name("TIME");

    app = add({Command::report, nullptr, true, true, check_formats, true}, "report",
              "A ready-made report: " + report_names());
    app->add_option("REPORT", a.report, report_help())->type_name(report_names())->required();
    add_query(*app);
    app->add_option("--top", a.top, "Values per field and events per section, up to 10,000 (10)")
        ->type_name("N")
        ->check(between(1, 10'000));
  }

  static std::string report_names() {
    std::string names;
    for (const Report& report : reports()) {
      names += (names.empty() ? "" : "|") + std::string(report.name);
    }
    return names;
  }

  static std::string report_help() {
    std::string text;
    for (const Report& report : reports()) {
      text += fmt::format("{}{}: {} (of {} when the query names no time)", text.empty() ? "" : "; ",
                          report.name, report.description, report.since);
    }
    return text;
  }

  void add_event(CLI::App& app) {
    app.add_option("EVENT", typed_.arguments.event, "Its name, such as activity:17")
        ->type_name("LOG:SEQ")
        ->required();
  }

  void add_transfers() {
    Arguments& a = typed_.arguments;
    CLI::App* app =
        add({Command::export_events, nullptr, true, true, export_formats, true}, "export",
            "The whole filtered set, oldest first, with row count and digest");
    add_query(*app);
    app->add_option("--out", a.out, "Write to this file, which appears when it is complete")
        ->type_name("FILE")
        ->check(not_empty());
    app->add_option("--resume", a.resume,
                    "Export only what no run with this cursor has exported, into the next of "
                    "the files that --out names: audit.csv makes audit.000001.csv and so on")
        ->type_name("FILE")
        ->check(not_empty());
    app->footer(
        "'docket import' makes the same events again of CSV with --raw, byte for byte; of NDJSON, "
        "but "
        "line\nbreaks between the tokens of a payload are blanks there; and of CSV without --raw, "
        "but "
        "what became\nJSON's escapes stays such.\n\n"
        "For a scheduled job, safe against kill -9 at any instant, such as in a crontab:\n"
        "  */5 * * * * docket export --utc 'log:activity' -o syslog --out /srv/audit/docket.log "
        "--resume /srv/audit/docket.cursor\n"
        "A file appears when it is whole and may be taken away at once; no event is in two of them "
        "and\nnone is left out, those with an old time that came late included. Where nothing is "
        "new there\nis no file.");
    app->add_flag("--raw", a.raw,
                  "CSV cells as they are; else what a spreadsheet would run gets a leading ', and "
                  "control characters and marks of direction become JSON's escapes");

    add_import_options(
        *add({Command::import, nullptr, false, true, {}, false}, "import",
             "Send events from NDJSON or Docket CSV files, each exactly once, through the server"),
        a);
    add_forward_options(
        *add({Command::forward, nullptr, false, true, {}, false}, "forward",
             "Follow a file of NDJSON that others append to, and send each line exactly once"),
        a);
  }

  void add_store_commands() {
    Arguments& a = typed_.arguments;
    add({Command::stats, nullptr, true, true, number_formats, true}, "stats",
        "Sizes and rates of the logs");
    CLI::App* app = add({Command::segments, nullptr, true, true, number_formats, true}, "segments",
                        "The segments with their ranges");
    app->add_option("--log", a.log, "Of this log only")->type_name("LOG");
    add({Command::nodes, nullptr, true, true, number_formats, true}, "nodes",
        "The completeness ledger: how far each sender is stored (complete_to, in batches of its "
        "epoch), which batches it has numbered that are missing, whether it is connected, away, "
        "silent or gone, when it was last heard of, from where, and how far its clock seems ahead. "
        "With --data, only what is stored");
    app = add({Command::retention, nullptr, true, true, number_formats, false}, "retention",
              "What each log may keep, and what goes now. Whole segments go: max_age counts from "
              "when the newest event of one was received, whatever time its events have");
    app->add_flag("--dry-run", a.dry_run, "List each segment that would be retired now");
    app->add_option("--config", a.config, "The server's file, for the policies; with --data only")
        ->type_name("FILE.toml");
    app = add({Command::verify, nullptr, true, false, check_formats, false}, "verify",
              "Read everything and check every checksum; exit code 3 where damage is found");
    app->add_flag("--deep", a.deep, "Compare each index with the events it stands for, too");
    app->add_flag(
        "--repair", a.repair,
        "Build anew what is derived and damaged or missing: indexes, copies of a manifest, "
        "the list of logs, the marker. Never changes an event. The one use of --data that "
        "writes: not beside a running server");
    app = add({Command::backup, nullptr, true, false, check_formats, false}, "backup",
              "Copy the store to a new directory, also beside its running server");
    app->add_option("DIR", a.to, "A new directory; sealed files are linked where that can be")
        ->type_name("")
        ->required();
    app->add_flag("--verify", a.verify, "Then read the copy and check every checksum");
    app = add({Command::restore, nullptr, false, false, check_formats, false}, "restore",
              "Copy a backup to a new data directory");
    app->add_option("BACKUP", a.from, "The directory of a backup")->type_name("")->required();
    app->add_option("DIR", a.to, "A new data directory")->type_name("")->required();
    app->add_flag("--verify", a.verify, "Then read the copy and check every checksum");
  }

  void add_help() {
    CLI::App* app = app_.add_subcommand("help", "Explain the query language, or a command");
    app->add_option("TOPIC", topic_, "query, or the name of a command")->type_name("");
    help_ = app;
  }

  void add_manual() {
    completion_ =
        app_.add_subcommand("completion", "Print a script that completes words in a shell");
    completion_->add_option("SHELL", topic_, "bash, zsh or fish")->type_name("")->required();
    man_ = app_.add_subcommand("man", "Print the manual page, or that of a command or of 'query'");
    man_->add_option("TOPIC", topic_, "query, or the name of a command")->type_name("");
  }

  // What the parser cannot check by itself.
  void finish() {
    Arguments& a = typed_.arguments;
    if (help_->parsed()) {
      if (topic_ == "query") {
        a.command = Command::help_query;
        return;
      }
      const auto commands = std::as_const(app_).get_subcommands({});
      const auto named = std::ranges::find_if(
          commands, [this](const CLI::App* command) { return command->get_name() == topic_; });
      if (named == commands.end() && !topic_.empty()) {
        throw CLI::ValidationError("help", "there is no topic '" + topic_ + "'");
      }
      static_cast<void>(
          std::fputs((topic_.empty() ? app_.help() : (*named)->help("docket")).c_str(), stdout));
      throw CLI::Success();
    }
    if (completion_->parsed() || man_->parsed()) {
      const std::string text =
          man_->parsed() ? manual_page(app_, topic_) : completion_script(app_, topic_);
      if (text.empty()) {
        throw CLI::ValidationError(completion_->parsed() ? "completion" : "man",
                                   "there is none for '" + topic_ + "'");
      }
      static_cast<void>(std::fputs(text.c_str(), stdout));
      throw CLI::Success();
    }
    const Known& known =
        *std::ranges::find_if(known_, [](const Known& each) { return each.app->parsed(); });
    a.command = known.command;
    a.query = joined(typed_.query);
    std::ranges::transform(a.files, a.files.begin(), unmarked);
    a.report = unmarked(a.report);
    check_source(known);
    check_format(known);
    check_stories(known);
    if (!a.after.empty() && !a.follow) {
      throw CLI::ValidationError("--after", "goes with -f");
    }
    if (typed_.utc && typed_.zone_given) {
      throw CLI::ValidationError("--utc", "and --tz cannot both be given");
    }
    if (typed_.utc) {
      a.zone = "UTC";
    }
    if ((typed_.utc || typed_.zone_given) && !known.zone) {
      throw CLI::ValidationError("--tz", known.app->get_name() + " does not take it");
    }
    if (!a.resume.empty() && a.out.empty()) {
      throw CLI::ValidationError("--resume", "goes with --out, which names the files");
    }
    if (!a.config.empty() && a.data.empty()) {
      throw CLI::ValidationError("--config", "goes with --data; a server knows its own policies");
    }
  }

  void check_stories(const Known& known) {
    Arguments& a = typed_.arguments;
    if (known.command == Command::report && find_report(a.report) == nullptr) {
      throw CLI::ValidationError(
          "REPORT", "there is no report '" + a.report + "'; there are " + report_names());
    }
    if (known.command != Command::story) {
      return;
    }
    a.limit = typed_.limit_given ? a.limit : story_limit_default;
    const auto window = api::parse_duration(typed_.window.empty() ? "1h" : typed_.window);
    if (!window) {
      throw CLI::ValidationError("--window", window.error().message);
    }
    a.window = *window;
  }

  void check_source(const Known& known) {
    Arguments& a = typed_.arguments;
    const std::string name = known.app->get_name();
    if (!a.data.empty() && !a.server.empty()) {
      throw CLI::ValidationError("--data", "and --server cannot both be given");
    }
    if (!a.data.empty() && !known.directory) {
      throw CLI::ValidationError("--data", name + " does not take it");
    }
    if (!a.server.empty() && !known.server) {
      throw CLI::ValidationError(
          "--server", name + " does not take it" +
                          (known.directory ? ": it reads a directory, named by --data DIR" : ""));
    }
    check_access_options(a, known.server && a.data.empty());
    if (a.data.empty() && known.directory && !known.server) {
      throw CLI::ValidationError(name, "reads a data directory; name it by --data DIR");
    }
    if (a.data.empty() && a.server.empty()) {
      // A server named on the command line tells its own; the environment must not lead elsewhere.
      a.ingest = a.ingest.empty() ? environment("DOCKET_INGEST") : a.ingest;
      a.server = environment("DOCKET_SERVER");
      a.server = a.server.empty() ? "http://127.0.0.1:7480" : a.server;
    }
  }

  // Empty where it is not set.
  static std::string environment(const char* name) {
    // There is no other thread yet.
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? "" : value;
  }

  void check_format(const Known& known) {
    if (typed_.format.empty()) {
      typed_.arguments.format =
          known.command == Command::export_events ? Format::csv : Format::table;
      return;
    }
    const auto named = find_format(typed_.format);
    if (!named || std::ranges::find(known.formats, *named) == known.formats.end()) {
      const std::string name = known.app->get_name();
      throw CLI::ValidationError("-o", known.formats.empty()
                                           ? name + " does not take it"
                                           : name + " does not write " + typed_.format + ", but " +
                                                 names_of(known.formats));
    }
    typed_.arguments.format = *named;
    if (typed_.arguments.raw && typed_.arguments.format != Format::csv &&
        known.command == Command::export_events) {
      throw CLI::ValidationError("--raw", "goes with -o csv only");
    }
  }

  CLI::App app_;
  Typed typed_;
  std::vector<Known> known_;
  CLI::App* help_ = nullptr;
  CLI::App* completion_ = nullptr;
  CLI::App* man_ = nullptr;
  std::string topic_;
};

}  // namespace

ParsedArguments parse_arguments(int argc, const char* const* argv) {
  return Parser().parse(argc, argv);
}

}  // namespace docket::cli
