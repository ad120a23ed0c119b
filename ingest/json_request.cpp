// store_json(): the events of one HTTP body, from its text to the answer after the commit.
#include <algorithm>
#include <optional>
#include <utility>

#include "engine/timestamp.hpp"
#include "ingest/event_json.hpp"
#include "ingest/event_request.hpp"
#include "ingest/json_cursor.hpp"

namespace docket::ingest {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && JsonCursor::is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && JsonCursor::is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// The first place outside strings where `is_end` holds of the character, the brackets open behind
// it, and whether it closes one; all of the text when there is none.
template <typename IsEnd>
std::size_t find_outside_strings(std::string_view text, IsEnd is_end) {
  std::uint32_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    const bool closes = depth > 0 && (c == '}' || c == ']');
    if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (closes) {
      --depth;
    }
    if (is_end(c, depth, closes)) {
      return i;
    }
  }
  return text.size();
}

// Cuts an array into the texts of its elements. It looks at brackets and quotes only: whether an
// element is valid is for the decoder to say.
class ArrayElements {
 public:
  explicit ArrayElements(std::string_view array) : rest_(array.substr(1)) {}

  // The next element, nullopt at the end. After that, fault() says what is wrong with the array.
  std::optional<std::string_view> next() {
    if (ended_) {
      return std::nullopt;
    }
    const std::size_t end = end_of_element();
    if (end == rest_.size()) {
      return broken("json: the array has no end");
    }
    const std::string_view text = trimmed(rest_.substr(0, end));
    ended_ = rest_[end] == ']';
    rest_.remove_prefix(end + 1);
    if (ended_ && !trimmed(rest_).empty()) {
      return broken("json: something follows the array");
    }
    if (text.empty()) {
      if (!ended_ || !is_first_) {
        return broken("json: the array lacks an element");
      }
      return std::nullopt;
    }
    is_first_ = false;
    return text;
  }

  [[nodiscard]] const char* fault() const { return fault_; }

 private:
  // Where the comma or bracket behind the element is.
  [[nodiscard]] std::size_t end_of_element() const {
    return find_outside_strings(rest_, [](char c, std::uint32_t depth, bool closes) {
      return depth == 0 && !closes && (c == ',' || c == ']');
    });
  }

  std::nullopt_t broken(const char* fault) {
    fault_ = fault;
    ended_ = true;
    return std::nullopt;
  }

  std::string_view rest_;
  const char* fault_ = nullptr;
  bool is_first_ = true;
  bool ended_ = false;
};

Result<void> take_array(std::string_view array, EventRequest& request) {
  ArrayElements elements(array);
  while (const auto element = elements.next()) {
    DOCKET_TRY(request.take(*element));
  }
  if (elements.fault() != nullptr) {
    return fail(ErrorCode::invalid_argument, elements.fault());
  }
  return {};
}

Result<void> take_lines(std::string_view lines, EventRequest& request) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = trimmed(lines.substr(0, end));
    if (!line.empty()) {
      DOCKET_TRY(request.take(line));
    }
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return {};
}

// One event may be written over several lines; what stands beside others is a line.
bool is_one_object(std::string_view body) {
  const auto ends = [](char, std::uint32_t depth, bool closes) { return closes && depth == 0; };
  return body.starts_with('{') && find_outside_strings(body, ends) + 1 == body.size();
}

Result<void> take_body(std::string_view body, EventRequest& request) {
  if (body.starts_with('[')) {
    return take_array(body, request);
  }
  return is_one_object(body) ? request.take(body) : take_lines(body, request);
}

}  // namespace

void store_json(Store& store, std::string_view body, const EventRules& rules,
                const RequestSender& sender, std::function<void(Result<RequestOutcome>)> done) {
  EventRequest request(store, rules, sender, now_ns());
  auto taken = take_body(trimmed(body), request);
  if (!taken) {
    done(fail(std::move(taken).error()));
    return;
  }
  request.submit(body, std::move(done));
}

}  // namespace docket::ingest
