// admit_batch: everything that is checked before bytes from the wire are queued.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "engine/batch.hpp"
#include "engine/body.hpp"
#include "engine/section.hpp"

namespace docket {

namespace {

// Every string of the list valid UTF-8: the whole is, and none starts within a character.
bool all_utf8(const StringList& list) {
  if (list.size() == 0) {
    return true;
  }
  const std::string_view whole = {reinterpret_cast<const char*>(list.bytes->data()),
                                  list.bytes->size()};
  if (!is_utf8(whole)) {
    return false;
  }
  return std::none_of(list.starts.begin(), list.starts.end(), [whole](std::uint32_t start) {
    return start < whole.size() && (static_cast<unsigned char>(whole[start]) & 0xc0U) == 0x80U;
  });
}

bool strings_are_utf8(const DecodedBody& body) {
  for (std::size_t f = 0; f < dictionary_field_count; ++f) {
    if (static_cast<DictionaryField>(f) != DictionaryField::ip && !all_utf8(body.dictionaries[f])) {
      return false;
    }
  }
  return all_utf8(body.actor_ids) && all_utf8(body.actor_names) && all_utf8(body.target_ids) &&
         all_utf8(body.target_names);
}

bool within(const StringList& list, std::size_t bytes_max) {
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    if (list.starts[i + 1] - list.starts[i] > bytes_max) {
      return false;
    }
  }
  return true;
}

// Within, and no entry but the first says that the field is absent: that is what id 0 is for.
bool within_and_present(const StringList& list, std::size_t bytes_max) {
  for (std::uint32_t i = 1; i < list.size(); ++i) {
    if (list.starts[i + 1] == list.starts[i]) {
      return false;
    }
  }
  return within(list, bytes_max);
}

bool is_upper(const StringList& verbs) {
  return std::none_of(verbs.bytes->begin(), verbs.bytes->end(),
                      [](std::byte b) { return b >= std::byte{'a'} && b <= std::byte{'z'}; });
}

// Whether the dictionaries alone prove that no row can break a rule of its strings. Then rows need
// no look at their strings, which is the usual case and the fast one.
bool dictionaries_are_clean(const DecodedBody& body) {
  using F = DictionaryField;
  const auto plain = [&body](F field, std::size_t bytes_max) {
    return within_and_present(body.strings(field), bytes_max);
  };
  const bool bounded =
      plain(F::kind, limits::name_bytes_max) && plain(F::role, limits::name_bytes_max) &&
      plain(F::type, limits::name_bytes_max) && plain(F::verb, limits::verb_bytes_max) &&
      is_upper(body.strings(F::verb)) && plain(F::reason, limits::reason_bytes_max) &&
      plain(F::session, limits::correlation_bytes_max) &&
      plain(F::request, limits::correlation_bytes_max) &&
      within(body.actor_ids, limits::id_bytes_max) &&
      within(body.actor_names, limits::name_bytes_max) &&
      within(body.target_ids, limits::id_bytes_max) &&
      within(body.target_names, limits::name_bytes_max);
  if (!bounded) {
    return false;
  }
  // Required parts: entry 0 of a table stands for an absent tuple and is checked by the row's id.
  const StringList& kinds = body.strings(F::kind);
  for (std::uint32_t i = 1; i < body.actor_count(); ++i) {
    if (kinds[body.actor_kinds[i]].empty() || body.actor_ids[i].empty()) {
      return false;
    }
  }
  const StringList& types = body.strings(F::type);
  for (std::uint32_t i = 1; i < body.target_count(); ++i) {
    if (types[body.target_types[i]].empty()) {
      return false;
    }
  }
  return true;
}

// The rules that are left when the dictionaries are clean.
bool row_is_clean(const DecodedBody& body, std::uint32_t row, const EventRules& rules,
                  Nanos latest) {
  return static_cast<Nanos>(body.column(RowColumn::ts)[row]) <= latest &&
         body.column(RowColumn::actor)[row] != 0 && body.column(RowColumn::verb)[row] != 0 &&
         body.column(RowColumn::target)[row] != 0 &&
         (body.related_starts.empty() ||
          body.related_starts[row + 1] - body.related_starts[row] <= limits::related_max) &&
         body.payload(row).size() <= rules.payload_bytes_max;
}

// What only the server may say must not come from the wire, not even where it says nothing: the
// server's own section would be a second one of its kind.
Result<void> check_wire_sections(std::span<const std::byte> wire) {
  DOCKET_ASSIGN(const BodyDirectory directory, parse_directory(wire));
  for (const Section section : {Section::row_received, Section::row_node, Section::node}) {
    if (directory.find(section) != nullptr) {
      return fail(ErrorCode::invalid_argument, "a batch must not carry node or received");
    }
  }
  return {};
}

std::string row_error(const DecodedBody& body, std::uint32_t row, const EventRules& rules,
                      Nanos received, bool is_known_utf8, const PayloadCheck& is_json_object,
                      std::vector<TargetView>& scratch) {
  const EventView event = body.event(row, scratch);
  std::string upper;
  if (upper_verb(event.verb, upper) != event.verb) {
    return "verb: must be upper-case";
  }
  if (const auto checked = check_event(event, rules, received, is_known_utf8); !checked) {
    return checked.error().message;
  }
  if (!event.payload.empty() && !is_json_object(event.payload)) {
    return "payload: must be a JSON object";
  }
  return {};
}

}  // namespace

Result<AdmittedBatch> admit_batch(std::vector<std::byte> wire, const EventRules& rules,
                                  Nanos received, const PayloadCheck& is_json_object) {
  const std::size_t size = wire.size();
  if (size > limits::batch_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                "batch is larger than " + std::to_string(limits::batch_bytes_max) + " bytes");
  }
  wire.resize(size + section_padding);
  const auto decoded = decode_body(std::span<const std::byte>(wire).first(size));
  if (!decoded) {
    return fail(decoded.error());
  }
  const DecodedBody& body = *decoded;
  DOCKET_TRY(check_wire_sections(std::span<const std::byte>(wire).first(size)));
  if (body.payloads.size() > limits::batch_bytes_max) {
    return fail(ErrorCode::invalid_argument, "payloads of the batch are larger than " +
                                                 std::to_string(limits::batch_bytes_max) +
                                                 " bytes");
  }
  AdmittedBatch admitted;
  const bool are_utf8 = strings_are_utf8(body);
  const bool clean = are_utf8 && dictionaries_are_clean(body);
  // check_event() has the last word on every row that is not clean at a glance, so both ways
  // apply the same rules.
  const Nanos latest =
      received > INT64_MAX - limits::future_ns_max ? INT64_MAX : received + limits::future_ns_max;
  std::vector<TargetView> scratch;
  for (std::uint32_t row = 0; row < body.rows; ++row) {
    const std::string_view payload = body.payload(row);
    if (clean && row_is_clean(body, row, rules, latest) &&
        (payload.empty() || is_json_object(payload))) {
      continue;
    }
    std::string error = row_error(body, row, rules, received, are_utf8, is_json_object, scratch);
    if (!error.empty()) {
      admitted.rejected.push_back({row, std::move(error)});
    }
  }
  if (admitted.rejected.empty() && clean) {
    admitted.batch.rows = body.rows;
    for (std::uint32_t row = 0; row < body.rows; ++row) {
      const auto ts = static_cast<Nanos>(body.column(RowColumn::ts)[row]);
      admitted.batch.ts_min = row == 0 ? ts : std::min(admitted.batch.ts_min, ts);
      admitted.batch.ts_max = row == 0 ? ts : std::max(admitted.batch.ts_max, ts);
    }
    wire.resize(size);
    admitted.batch.bytes = std::move(wire);
    return admitted;
  }
  // Encoded again: without the rejected rows, and without what a dictionary holds that no row
  // refers to, which nobody has checked.
  BatchBuilder builder;
  auto next_rejected = admitted.rejected.begin();
  for (std::uint32_t row = 0; row < body.rows; ++row) {
    if (next_rejected != admitted.rejected.end() && next_rejected->row == row) {
      ++next_rejected;
      continue;
    }
    if (builder.full()) {
      return fail(ErrorCode::invalid_argument,
                  "batch holds more bytes than a builder would put in one");
    }
    builder.add(body.event(row, scratch));
  }
  admitted.batch = builder.finish();
  return admitted;
}

Result<void> decode_batch(std::span<const std::byte> bytes,
                          const std::function<void(const Event&)>& sink) {
  std::vector<std::byte> padded(bytes.begin(), bytes.end());
  padded.resize(bytes.size() + section_padding);
  DOCKET_ASSIGN(const DecodedBody body,
                decode_body(std::span<const std::byte>(padded).first(bytes.size())));
  std::vector<TargetView> scratch;
  Event event;
  for (std::uint32_t row = 0; row < body.rows; ++row) {
    const EventView view = body.event(row, scratch);
    event.ts = view.ts;
    event.actor = {std::string(view.actor.kind), std::string(view.actor.id),
                   std::string(view.actor.name), std::string(view.actor.role)};
    event.verb = view.verb;
    event.target = {std::string(view.target.type), std::string(view.target.id),
                    std::string(view.target.name)};
    event.related.clear();
    for (const TargetView& t : view.related) {
      event.related.push_back({std::string(t.type), std::string(t.id), std::string(t.name)});
    }
    event.affected = view.affected;
    event.ip = view.ip;
    event.outcome = view.outcome;
    event.reason = view.reason;
    event.session = view.session;
    event.request = view.request;
    event.payload = view.payload;
    sink(event);
  }
  return {};
}

}  // namespace docket
