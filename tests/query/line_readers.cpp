#include "tests/query/line_readers.hpp"

#include <algorithm>

#include "engine/event.hpp"

namespace docket::query {

namespace {

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// Up to the first blank, which is taken as well; nullopt where there is none.
std::optional<std::string> take_word(std::string_view& line) {
  const std::size_t end = line.find(' ');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string word(line.substr(0, end));
  line.remove_prefix(end + 1);
  return word;
}

bool is_header_word(const std::string& word, std::size_t bytes_max) {
  return !word.empty() && word.size() <= bytes_max &&
         std::ranges::all_of(word, [](char c) { return c > 32 && c < 127; });
}

// A PARAM-VALUE with its quotes.
std::optional<std::string> take_value(std::string_view& line) {
  if (!line.starts_with('"')) {
    return std::nullopt;
  }
  std::string value;
  for (std::size_t i = 1; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      line.remove_prefix(i + 1);
      return value;
    }
    if (c == ']' || is_control(c)) {
      return std::nullopt;
    }
    if (c == '\\') {
      ++i;
      if (i == line.size() || std::string_view("\"\\]").find(line[i]) == std::string_view::npos) {
        return std::nullopt;
      }
    }
    value += line[i];
  }
  return std::nullopt;
}

bool take(std::string_view& line, std::string_view expected) {
  if (!line.starts_with(expected)) {
    return false;
  }
  line.remove_prefix(expected.size());
  return true;
}

bool take_element(std::string_view& line, SyslogLine& read) {
  if (!take(line, "[")) {
    return false;
  }
  const std::size_t id = line.find_first_of(" ]");
  if (id == std::string_view::npos || id == 0 || id > 32) {
    return false;
  }
  read.element = line.substr(0, id);
  line.remove_prefix(id);
  while (take(line, " ")) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals > 32) {
      return false;
    }
    const std::string name(line.substr(0, equals));
    if (name.find_first_of(" ]\"") != std::string::npos || !is_header_word(name, 32)) {
      return false;
    }
    line.remove_prefix(equals + 1);
    auto value = take_value(line);
    if (!value) {
      return false;
    }
    read.parameters.emplace_back(name, std::move(*value));
  }
  return take(line, "]");
}

// The seven fields in front of the extension; `line` is what is left.
std::optional<std::vector<std::string>> take_cef_header(std::string_view& line) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (is_control(c)) {
      return std::nullopt;
    }
    if (c == '|') {
      if (fields.size() == 7) {
        line.remove_prefix(i + 1);
        return fields;
      }
      fields.emplace_back();
      continue;
    }
    if (c == '\\') {
      ++i;
      if (i == line.size() || (line[i] != '\\' && line[i] != '|')) {
        return std::nullopt;
      }
    }
    fields.back() += line[i];
  }
  return std::nullopt;
}

std::optional<std::string> cef_value(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (is_control(c) || c == '=') {
      return std::nullopt;
    }
    if (c == '\\') {
      ++i;
      if (i == text.size() || std::string_view("\\=nr").find(text[i]) == std::string_view::npos) {
        return std::nullopt;
      }
      c = text[i] == 'n' ? '\n' : text[i] == 'r' ? '\r' : text[i];
    }
    value += c;
  }
  return value;
}

// Whether the text is like `form`, where a 9 stands for any digit.
bool has_form(std::string_view text, std::string_view form) {
  return std::ranges::equal(text, form, [](char c, char wanted) {
    return wanted == '9' ? c >= '0' && c <= '9' : c == wanted;
  });
}

// RFC 5424, 6.2.3.
bool is_timestamp(std::string_view text) {
  constexpr std::string_view seconds = "9999-99-99T99:99:99";
  if (!has_form(text.substr(0, seconds.size()), seconds)) {
    return false;
  }
  text.remove_prefix(seconds.size());
  if (text.starts_with('.')) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789", 1), text.size()) - 1;
    if (digits < 1 || digits > 6) {
      return false;
    }
    text.remove_prefix(digits + 1);
  }
  return text == "Z" || has_form(text, "+99:99") || has_form(text, "-99:99");
}

}  // namespace

std::optional<std::string> value_of(const Pairs& pairs, std::string_view key) {
  std::optional<std::string> found;
  for (const auto& [name, value] : pairs) {
    if (name == key) {
      if (found) {
        return std::nullopt;
      }
      found = value;
    }
  }
  return found;
}

std::optional<std::vector<std::vector<std::string>>> read_csv(std::string_view text) {
  std::vector<std::vector<std::string>> records(1);
  std::string cell;
  bool quoted = false;
  bool closed = false;  // behind the closing quote of a cell
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (quoted) {
      if (c == '"' && next == '"') {
        cell += '"';
        ++i;
      } else if (c == '"') {
        quoted = false;
        closed = true;
      } else {
        cell += c;
      }
    } else if (c == ',' || (c == '\r' && next == '\n')) {
      records.back().push_back(std::exchange(cell, ""));
      closed = false;
      if (c == '\r') {
        records.emplace_back();
        ++i;
      }
    } else if (closed || c == '\r' || c == '\n' || (c == '"' && !cell.empty())) {
      return std::nullopt;
    } else if (c == '"') {
      quoted = true;
    } else {
      cell += c;
    }
  }
  if (quoted || closed || !cell.empty() || !records.back().empty()) {
    return std::nullopt;
  }
  records.pop_back();
  return records;
}

std::optional<SyslogLine> read_syslog(std::string_view line) {
  SyslogLine read;
  const auto first = take_word(line);
  const bool is_priority =
      first && (has_form(*first, "<9>1") ||
                ((has_form(*first, "<99>1") || has_form(*first, "<999>1")) && first->at(1) != '0'));
  if (!is_priority) {
    return std::nullopt;
  }
  const auto value = static_cast<unsigned>(std::stoul(first->substr(1)));
  read.facility = value / 8;
  read.severity = value % 8;
  struct Place {
    std::string& word;
    std::size_t bytes_max;
  };
  for (const Place& place :
       {Place{read.timestamp, 64}, Place{read.hostname, 255}, Place{read.app_name, 48},
        Place{read.procid, 128}, Place{read.msgid, 32}}) {
    const auto word = take_word(line);
    if (!word || !is_header_word(*word, place.bytes_max)) {
      return std::nullopt;
    }
    place.word = *word;
  }
  if (value > 191 || !is_timestamp(read.timestamp) || !take_element(line, read) ||
      !take(line, " \xEF\xBB\xBF") || !is_utf8(line) || std::ranges::any_of(line, is_control)) {
    return std::nullopt;
  }
  read.message = line;
  return read;
}

std::optional<CefLine> read_cef(std::string_view line) {
  auto header = take_cef_header(line);
  if (!header || header->at(0) != "CEF:0" || !is_utf8(line)) {
    return std::nullopt;
  }
  CefLine read;
  read.header = std::move(*header);
  // A value ends in front of the blank and the key of the next equals sign that is not escaped.
  struct Key {
    std::size_t begin, equals;
  };
  std::vector<Key> keys;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '=') {
      const std::size_t blank = line.rfind(' ', i);
      keys.push_back({blank == std::string_view::npos ? 0 : blank + 1, i});
    }
  }
  if (keys.empty() || keys[0].begin != 0) {
    return std::nullopt;
  }
  for (std::size_t k = 0; k < keys.size(); ++k) {
    const std::size_t from = keys[k].equals + 1;
    const std::size_t to = k + 1 < keys.size() ? keys[k + 1].begin - 1 : line.size();
    const std::string key(line.substr(keys[k].begin, keys[k].equals - keys[k].begin));
    if (to < from || key.empty() ||
        !std::ranges::all_of(
            key,
            [](char c) {
              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            })) {
      return std::nullopt;
    }
    auto value = cef_value(line.substr(from, to - from));
    if (!value) {
      return std::nullopt;
    }
    read.extension.emplace_back(key, std::move(*value));
  }
  return read;
}

std::optional<std::vector<std::string>> read_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace docket::query
