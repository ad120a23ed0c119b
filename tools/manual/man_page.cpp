#include "tools/manual/man_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace docket::manual {

namespace {

// Text for roff: backslashes, hyphens that are typed, quotes and what is not ASCII by name.
std::string escaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) {
      switch (text[at]) {
        case '\\':
          result += "\\e";
          break;
        case '-':
          result += "\\-";
          break;
        case '"':
          result += "\\(dq";
          break;
        case '\'':
          result += "\\(aq";
          break;
        case '^':
          result += "\\(ha";
          break;
        case '~':
          result += "\\(ti";
          break;
        case '`':
          result += "\\(ga";
          break;
        default:
          result += text[at];
      }
      ++at;
      continue;
    }
    std::size_t bytes = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    bytes = std::min(bytes, text.size() - at);
    char32_t code = c & (0x7FU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
      code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    }
    fmt::format_to(std::back_inserter(result), "\\[u{:04X}]", static_cast<unsigned>(code));
    at += bytes;
  }
  return result;
}

// A line of text, which must not look like a request.
std::string line_of(std::string_view text) {
  const std::string line = escaped(text);
  return (line.starts_with('.') ? "\\&" : "") + line + "\n";
}

// As it is laid out.
std::string verbatim(std::string_view text) {
  std::string result = ".nf\n";
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    result += line.empty() ? ".sp\n" : line_of(line);
  }
  return result + ".fi\n";
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  });
  return result;
}

// The sentence's first letter as NAME wants it, and without line breaks.
std::string on_one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string head_of(std::string_view name, std::string_view title, const PageHead& head) {
  return fmt::format(".TH {} {} \"\" \"{}\" \"Docket\"\n.ad l\n.nh\n.SH NAME\n{} \\- {}",
                     escaped(upper(name)), head.section, escaped(head.source), escaped(name),
                     line_of(on_one_line(std::string(title))));
}

std::string end_of(const PageHead& head) {
  return head.see_also.empty() ? "" : ".SH SEE ALSO\n" + line_of(head.see_also);
}

void append_arguments_and_options(std::string& page, const CommandText& command) {
  for (const ArgumentText& argument : command.arguments) {
    page += fmt::format(".TP\n\\fI{}\\fR{}\n{}", escaped(argument.value.name),
                        argument.repeated ? "..." : "", line_of(argument.description));
  }
  for (const OptionText& option : command.options) {
    page += ".TP\n";
    const char* separator = "";
    for (const std::string& name : option.names) {
      page += fmt::format("{}\\fB{}\\fR", separator, escaped(name));
      separator = ", ";
    }
    page += option.value.name.empty() ? "" : fmt::format(" \\fI{}\\fR", escaped(option.value.name));
    page += "\n" + line_of(option.description);
  }
}

std::string synopsis_of(const CommandText& command, const std::string& program) {
  return ".SH SYNOPSIS\n.nf\n" + line_of(usage_of(command, program)) + ".fi\n";
}

}  // namespace

std::string man_page(const CommandText& program, const PageHead& head) {
  std::string page = head_of(program.name, program.description, head);
  page += synopsis_of(program, "");
  page += ".SH OPTIONS\n";
  append_arguments_and_options(page, program);
  if (!program.commands.empty()) {
    page += ".SH COMMANDS\n";
    for (const CommandText& command : program.commands) {
      page += fmt::format(".SS \"{}\"\n{}", escaped(usage_of(command, program.name)),
                          line_of(command.description));
      append_arguments_and_options(page, command);
      page += command.footer.empty() ? "" : ".PP\n" + verbatim(command.footer);
    }
  }
  page += program.footer.empty() ? "" : ".SH NOTES\n" + verbatim(program.footer);
  return page + end_of(head);
}

std::string man_page_of_command(const CommandText& program, const CommandText& command,
                                const PageHead& head) {
  std::string page = head_of(program.name + "-" + command.name, command.description, head);
  page += synopsis_of(command, program.name);
  page += ".SH OPTIONS\n";
  append_arguments_and_options(page, command);
  for (const std::string* footer : {&command.footer, &program.footer}) {
    if (!footer->empty()) {
      page += (footer == &command.footer || command.footer.empty() ? ".SH NOTES\n" : ".PP\n") +
              verbatim(*footer);
    }
  }
  return page + end_of(head);
}

std::string man_page_of_text(std::string_view name, std::string_view title, std::string_view text,
                             const PageHead& head) {
  return head_of(name, title, head) + ".SH DESCRIPTION\n" + verbatim(text) + end_of(head);
}

}  // namespace docket::manual
