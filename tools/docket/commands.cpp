#include "tools/docket/commands.hpp"

#include <fmt/format.h>

#include "query/render.hpp"

namespace docket::cli {

int complain(const Error& error) {
  // A query's syntax error is three lines with a caret; each is made safe by itself.
  std::string text;
  std::string_view rest = error.message;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    text += text.empty() ? "docket: " : "\n";
    text += query::terminal_safe(line);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  static_cast<void>(std::fprintf(stderr, "%s\n", text.c_str()));
  switch (error.code) {
    case ErrorCode::invalid_argument:
      return exit_usage;
    case ErrorCode::corrupt:
      return exit_damaged;
    default:
      return exit_failed;
  }
}

int report_gaps(const Context& context, const std::vector<Gap>& gaps) {
  for (const Gap& gap : gaps) {
    static_cast<void>(
        std::fprintf(stderr, "docket: missing: %s:%llu to %s:%llu: %s\n", gap.log.c_str(),
                     static_cast<unsigned long long>(gap.first_seq.value), gap.log.c_str(),
                     static_cast<unsigned long long>(gap.last_seq.value),
                     query::terminal_safe(gap.reason).c_str()));
  }
  return !gaps.empty() && context.arguments.strict ? exit_damaged : exit_done;
}

std::string set_aside_text(std::string_view log, const QuarantineRecord& record) {
  std::string text = fmt::format("{}: bytes {} to {} of {}", log, record.offset,
                                 record.offset + record.bytes, record.file);
  if (record.has_events()) {
    text +=
        fmt::format(", {}:{} to {}:{}", log, record.first_seq.value, log, record.last_seq.value);
  }
  text += record.kept.empty() ? ", of which nothing is left" : ", kept in " + record.kept;
  return query::terminal_safe(text + ": " + record.reason);
}

std::string shell_word(std::string_view word) {
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return query::terminal_safe(quoted + "'");
}

api::Parameters question_of(const Context& context) {
  api::Parameters parameters;
  parameters.set("q", context.arguments.query);
  parameters.set("tz", context.zone.name());
  return parameters;
}

void write_json(Context& context, std::string_view body) {
  context.out.write(context.terminal.is_terminal ? json_for_terminal(body) : std::string(body));
  context.out.write("\n");
}

api::EventFormat event_format_of(const Context& context) {
  switch (context.arguments.format) {
    case Format::csv:
      return api::EventFormat::csv;
    case Format::syslog:
      return api::EventFormat::syslog;
    case Format::cef:
      return api::EventFormat::cef;
    case Format::table:
    case Format::json:
    case Format::ndjson:
      break;
  }
  return api::EventFormat::ndjson;
}

void write_heading(Context& context) {
  context.out.write(api::heading_of(event_format_of(context)));
}

void write_event_record(Context& context, const Event& event) {
  std::string text;
  const api::EventFormat format = event_format_of(context);
  api::append_record(text, query::ViewedEvent(event).view(), format, context.arguments.raw);
  if (context.terminal.is_terminal && format == api::EventFormat::ndjson) {
    text = json_for_terminal(text);
  }
  context.out.write(text);
}

void write_table(Context& context, const Table& table, std::string_view body) {
  switch (context.arguments.format) {
    case Format::table:
      context.out.write(table.text(context.terminal, context.zone));
      return;
    case Format::csv:
      context.out.write(table.csv());
      return;
    case Format::ndjson: {
      const std::string text = table.ndjson();
      context.out.write(context.terminal.is_terminal ? json_for_terminal(text) : text);
      return;
    }
    case Format::json:
    case Format::syslog:  // the parser of arguments keeps these to events
    case Format::cef:
      write_json(context, body);
      return;
  }
}

}  // namespace docket::cli
