#include "tools/docket/answer_reader.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "engine/timestamp.hpp"

namespace docket::cli {

namespace dom = simdjson::dom;

namespace {

tl::unexpected<Error> not_an_answer(std::string_view why) {
  return fail(ErrorCode::io, fmt::format("the answer cannot be read: {}", why));
}

// Runs `read`, which parses; whatever is missing or of another type is an error.
template <typename T, typename Read>
Result<T> reading(const Read& read) {
  try {
    return read();
  } catch (const simdjson::simdjson_error& error) {
    return not_an_answer(error.what());
  }
}

// Runs `read` on the parsed text.
template <typename T>
Result<T> with_document(std::string_view text, const std::function<T(const dom::element&)>& read) {
  return reading<T>([&] {
    dom::parser parser;
    return read(parser.parse(simdjson::padded_string(text)));
  });
}

std::string text_of(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::STRING:
      return std::string(std::string_view(value));
    case dom::element_type::NULL_VALUE:
      return "";
    default:
      return simdjson::minify(value);
  }
}

// The member's text, or empty.
std::string optional_text(const dom::element& object, std::string_view name) {
  auto found = object[name];
  return found.error() == simdjson::SUCCESS ? text_of(found.value()) : std::string();
}

Nanos time_of(std::string_view text) {
  const auto time = parse_rfc3339(text);
  if (!time) {
    throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  }
  return *time;
}

Target target_of(const dom::element& object) {
  return {std::string(std::string_view(object["type"])), optional_text(object, "id"),
          optional_text(object, "name")};
}

// Everything but the payload, whose exact bytes the tree does not keep.
Event event_of(const dom::element& object) {
  Event event;
  event.seq = Seq(std::uint64_t(object["seq"]));
  event.received = std::int64_t(object["received"]);
  event.log = std::string_view(object["log"]);
  event.node = optional_text(object, "node");
  event.ts = time_of(std::string_view(object["ts"]));
  const dom::element actor = object["actor"];
  event.actor = {std::string(std::string_view(actor["kind"])),
                 std::string(std::string_view(actor["id"])), optional_text(actor, "name"),
                 optional_text(actor, "role")};
  event.verb = std::string_view(object["verb"]);
  event.target = target_of(object["target"]);
  if (const auto related = object["related"]; related.error() == simdjson::SUCCESS) {
    for (const dom::element target : related.get_array()) {
      event.related.push_back(target_of(target));
    }
  }
  event.affected = std::uint64_t(object["affected"]);
  event.ip = parse_ip(optional_text(object, "ip"));
  const auto outcome = parse_outcome(std::string_view(object["outcome"]));
  if (!outcome) {
    throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  }
  event.outcome = *outcome;
  event.reason = optional_text(object, "reason");
  event.session = optional_text(object, "session");
  event.request = optional_text(object, "request");
  return event;
}

// The payload's place in the text that is being read; empty where there is none. What is inside is
// passed over and not looked at.
std::string_view payload_of(simdjson::ondemand::object object) {
  auto payload = object["payload"];
  if (payload.error() != simdjson::SUCCESS) {
    return {};
  }
  simdjson::ondemand::object value = payload.get_object();
  return value.raw_json();
}

// Copies a payload and leaves a number of as many bytes in its place. A sender's payload is for
// showing as it is: a tree would not be made of what it may hold, such as 1e400, 2^64 or half of a
// surrogate pair.
std::string take_out(simdjson::padded_string& text, std::string_view payload) {
  std::string taken(payload);
  if (!payload.empty()) {
    char* const place = text.data() + (payload.data() - text.data());
    std::fill_n(place, payload.size(), ' ');
    *place = '0';
  }
  return taken;
}

std::vector<query::FacetValue> values_of(const dom::element& list) {
  std::vector<query::FacetValue> values;
  for (const dom::element value : list.get_array()) {
    values.push_back(
        {std::string(std::string_view(value["value"])), std::uint64_t(value["count"])});
  }
  return values;
}

}  // namespace

Error error_of(unsigned status, std::string_view body) {
  Error error;
  const bool is_refused = status == 401 || status == 403 || status == 429;
  error.code = status == 404                 ? ErrorCode::not_found
               : status < 500 && !is_refused ? ErrorCode::invalid_argument
                                             : ErrorCode::io;
  error.message = fmt::format("the server answered with status {}", status);
  const auto read = with_document<bool>(body, [&error](const dom::element& problem) {
    static constexpr std::string_view urn = "urn:docket:problem:";
    const std::string type = text_of(problem["type"]);
    error.message = text_of(problem["detail"]);
    const std::string caret = optional_text(problem, "caret");
    if (!caret.empty()) {
      error.message += '\n' + caret;
    }
    for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(ErrorCode::cancelled); ++i) {
      const auto code = static_cast<ErrorCode>(i);
      if (type == std::string(urn) + std::string(to_string(code))) {
        error.code = code;
      }
    }
    return true;
  });
  if (status == 401) {
    error.message = fmt::format("the server asks for a token: {}", error.message);
    error.message.resize(std::min(error.message.find(';'), error.message.size()));
    error.message += "; give one by --token-file FILE or $DOCKET_TOKEN";
  } else if (status == 403) {
    error.message.insert(0, "the server refuses: ");
  }
  static_cast<void>(read);  // Without a problem document the status has to do.
  return error;
}

Result<std::uint64_t> read_number(std::string_view body, std::string_view name) {
  return with_document<std::uint64_t>(
      body, [name](const dom::element& document) { return std::uint64_t(document[name]); });
}

Result<std::vector<Gap>> read_gaps(std::string_view body) {
  return reading<std::vector<Gap>>([body] {
    // Not a tree: the answer may hold payloads, which none can be made of.
    simdjson::ondemand::parser parser;
    const simdjson::padded_string text(body);
    simdjson::ondemand::document document = parser.iterate(text);
    std::vector<Gap> gaps;
    auto list = document.find_field_unordered("gaps");
    if (list.error() == simdjson::NO_SUCH_FIELD) {
      return gaps;
    }
    for (auto gap : list.get_array()) {
      Gap& added = gaps.emplace_back();
      added.log = std::string_view(gap["log"]);
      added.first_seq = Seq(std::uint64_t(gap["first_seq"]));
      added.last_seq = Seq(std::uint64_t(gap["last_seq"]));
      added.reason = std::string_view(gap["reason"]);
    }
    return gaps;
  });
}

Result<EventPage> read_page(std::string_view body) {
  return reading<EventPage>([body] {
    simdjson::padded_string text(body);
    std::vector<std::string_view> payloads;
    {
      simdjson::ondemand::parser parser;
      simdjson::ondemand::document document = parser.iterate(text);
      for (auto event : document["events"].get_array()) {
        payloads.push_back(payload_of(event.get_object()));
      }
    }
    EventPage page;
    for (const std::string_view payload : payloads) {
      page.events.emplace_back().payload = take_out(text, payload);
    }
    dom::parser parser;
    const dom::element document = parser.parse(text);
    std::size_t i = 0;
    for (const dom::element object : document["events"].get_array()) {
      Event event = event_of(object);
      event.payload = std::move(page.events.at(i).payload);
      page.events.at(i++) = std::move(event);
    }
    page.next = optional_text(document, "next");
    return page;
  });
}

Result<Event> read_event(std::string_view json) {
  return reading<Event>([json] {
    simdjson::padded_string text(json);
    std::string payload;
    {
      simdjson::ondemand::parser parser;
      simdjson::ondemand::document document = parser.iterate(text);
      payload = take_out(text, payload_of(document.get_object()));
    }
    dom::parser parser;
    Event event = event_of(parser.parse(text));
    event.payload = std::move(payload);
    return event;
  });
}

Result<std::vector<FacetAnswer>> read_facets(std::string_view body) {
  return with_document<std::vector<FacetAnswer>>(body, [](const dom::element& document) {
    std::vector<FacetAnswer> facets;
    for (const auto& [field, facet] : document["facets"].get_object()) {
      facets.push_back({std::string(field), values_of(facet["values"]),
                        std::uint64_t(facet["distinct"]), std::uint64_t(facet["other"])});
    }
    return facets;
  });
}

Result<std::string> read_server_fact(std::string_view body, std::string_view name) {
  return with_document<std::string>(body, [name](const dom::element& document) {
    auto server = document["server"];
    return server.error() == simdjson::SUCCESS ? optional_text(server.value(), name)
                                               : std::string();
  });
}

Result<std::vector<query::HistogramBucket>> read_histogram(std::string_view body) {
  return with_document<std::vector<query::HistogramBucket>>(body, [](const dom::element& document) {
    std::vector<query::HistogramBucket> buckets;
    for (const dom::element bucket : document["buckets"].get_array()) {
      query::HistogramBucket& added = buckets.emplace_back();
      added.start = time_of(std::string_view(bucket["start"]));
      added.count = std::uint64_t(bucket["count"]);
      if (auto by = bucket["by"]; by.error() == simdjson::SUCCESS) {
        added.by = values_of(by.value());
      }
    }
    return buckets;
  });
}

Result<Explained> read_explained(std::string_view body) {
  return with_document<Explained>(body, [](const dom::element& document) {
    Explained explained;
    explained.query = text_of(document["query"]);
    for (const dom::element log : document["logs"].get_array()) {
      explained.logs.push_back(text_of(log));
    }
    explained.is_scoped = document["scoped"].error() == simdjson::SUCCESS;
    for (const std::string_view name : explained_numbers) {
      if (explained.is_scoped && name != "count") {
        continue;
      }
      explained.numbers.emplace(name, std::uint64_t(document[name]));
    }
    return explained;
  });
}

Result<std::vector<std::vector<std::string>>> read_rows(
    std::string_view body, std::string_view list, std::initializer_list<std::string_view> members) {
  return with_document<std::vector<std::vector<std::string>>>(
      body, [list, members](const dom::element& document) {
        std::vector<std::vector<std::string>> rows;
        for (const dom::element object : document[list].get_array()) {
          std::vector<std::string>& row = rows.emplace_back();
          for (const std::string_view member : members) {
            row.push_back(optional_text(object, member));
          }
        }
        return rows;
      });
}

}  // namespace docket::cli
