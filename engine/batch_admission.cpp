// admit_batch: everything that is checked before bytes from the wire are queued.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/batch.hpp"
#include "engine/body.hpp"
#include "engine/bytes.hpp"
#include "engine/content_filter.hpp"
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
// server's own section would be a second one of its kind. Precondition: the directory is valid.
Result<void> check_wire_sections(std::span<const std::byte> wire) {
  const std::size_t end = directory_size(wire);
  for (std::size_t at = body_header_bytes; at < end; at += section_entry_bytes) {
    const auto section = static_cast<Section>(load_le<std::uint8_t>(wire.data() + at));
    if (section == Section::row_received || section == Section::row_node ||
        section == Section::node) {
      return fail(ErrorCode::invalid_argument, "a batch must not carry node or received");
    }
  }
  return {};
}

// Which entries keep the rules of their strings, by id; looked up where the dictionaries are not
// clean as a whole. However often rows refer to an entry, its strings are looked at once.
struct CleanEntries {
  std::vector<bool> actors, targets, verbs, reasons, sessions, requests;

  explicit CleanEntries(const DecodedBody& body) {
    using F = DictionaryField;
    const auto all_of = [](const StringList& list, std::size_t bytes_max) {
      std::vector<bool> clean(list.size());
      for (std::uint32_t i = 0; i < list.size(); ++i) {
        clean[i] = list[i].size() <= bytes_max && is_utf8(list[i]);
      }
      return clean;
    };
    reasons = all_of(body.strings(F::reason), limits::reason_bytes_max);
    sessions = all_of(body.strings(F::session), limits::correlation_bytes_max);
    requests = all_of(body.strings(F::request), limits::correlation_bytes_max);
    const StringList& verb = body.strings(F::verb);
    verbs = all_of(verb, limits::verb_bytes_max);
    std::string scratch;
    for (std::uint32_t i = 0; i < verb.size(); ++i) {
      verbs[i] = verbs[i] && !verb[i].empty() && upper_verb(verb[i], scratch) == verb[i];
    }
    const StringList& kind = body.strings(F::kind);
    const auto kinds = all_of(kind, limits::name_bytes_max);
    const auto roles = all_of(body.strings(F::role), limits::name_bytes_max);
    actors = all_of(body.actor_ids, limits::id_bytes_max);
    const auto actor_names = all_of(body.actor_names, limits::name_bytes_max);
    for (std::uint32_t i = 0; i < body.actor_count(); ++i) {
      const std::uint32_t k = body.actor_kinds[i];
      actors[i] = actors[i] && !body.actor_ids[i].empty() && kinds[k] && !kind[k].empty() &&
                  actor_names[i] && roles[body.actor_roles[i]];
    }
    const StringList& type = body.strings(F::type);
    const auto types = all_of(type, limits::name_bytes_max);
    targets = all_of(body.target_ids, limits::id_bytes_max);
    const auto target_names = all_of(body.target_names, limits::name_bytes_max);
    for (std::uint32_t i = 0; i < body.target_count(); ++i) {
      const std::uint32_t t = body.target_types[i];
      targets[i] = targets[i] && types[t] && !type[t].empty() && target_names[i];
    }
  }
};

std::span<const std::uint32_t> related_of(const DecodedBody& body, std::uint32_t row) {
  if (body.related_starts.empty()) {
    return {};
  }
  const std::uint32_t begin = body.related_starts[row];
  return std::span(body.related_targets).subspan(begin, body.related_starts[row + 1] - begin);
}

// Finds the rows that break a rule. Takes time linear in the rows and their related targets.
class RowChecker {
 public:
  RowChecker(const DecodedBody& body, const EventRules& rules, Nanos received,
             const PayloadCheck& is_json_object)
      : body_(body),
        rules_(rules),
        received_(received),
        latest_(received > INT64_MAX - limits::future_ns_max ? INT64_MAX
                                                             : received + limits::future_ns_max),
        is_json_object_(is_json_object) {
    if (!strings_are_utf8(body) || !dictionaries_are_clean(body)) {
      entries_.emplace(body);
    }
  }

  [[nodiscard]] bool dictionaries_clean() const { return !entries_; }

  // "field: rule" for a rule that the row breaks; empty: it keeps all.
  [[nodiscard]] std::string error_of(std::uint32_t row) const {
    const std::string_view payload = body_.payload(row);
    if (row_is_clean(body_, row, rules_, latest_) && (!entries_ || strings_are_clean(row)) &&
        (payload.empty() || is_json_object_(payload))) {
      return {};
    }
    return broken_rule(row);
  }

 private:
  [[nodiscard]] std::uint32_t id(RowColumn column, std::uint32_t row) const {
    return static_cast<std::uint32_t>(body_.column(column)[row]);
  }

  [[nodiscard]] std::size_t first_broken_related(std::uint32_t row) const {
    const auto related = related_of(body_, row);
    if (!entries_) {
      return related.size();
    }
    const auto found = std::find_if(related.begin(), related.end(), [this](std::uint32_t target) {
      return !entries_->targets[target];
    });
    return static_cast<std::size_t>(found - related.begin());
  }

  [[nodiscard]] bool strings_are_clean(std::uint32_t row) const {
    const CleanEntries& e = *entries_;
    return e.actors[id(RowColumn::actor, row)] && e.verbs[id(RowColumn::verb, row)] &&
           e.targets[id(RowColumn::target, row)] && e.reasons[id(RowColumn::reason, row)] &&
           e.sessions[id(RowColumn::session, row)] && e.requests[id(RowColumn::request, row)] &&
           first_broken_related(row) == related_of(body_, row).size();
  }

  // check_event() has the last word on every row that is not clean at a glance, so both ways apply
  // the same rules. It is shown all that has a rule, but of the related targets only the first
  // that breaks one.
  [[nodiscard]] std::string broken_rule(std::uint32_t row) const {
    using F = DictionaryField;
    const auto related = related_of(body_, row);
    if (related.size() > limits::related_max) {
      return "related: has more than " + std::to_string(limits::related_max) + " entries";
    }
    EventView event;
    event.ts = static_cast<Nanos>(body_.column(RowColumn::ts)[row]);
    event.actor = body_.actor(id(RowColumn::actor, row));
    event.verb = body_.strings(F::verb)[id(RowColumn::verb, row)];
    event.target = body_.target(id(RowColumn::target, row));
    event.reason = body_.strings(F::reason)[id(RowColumn::reason, row)];
    event.session = body_.strings(F::session)[id(RowColumn::session, row)];
    event.request = body_.strings(F::request)[id(RowColumn::request, row)];
    event.payload = body_.payload(row);
    const std::size_t broken = first_broken_related(row);
    TargetView shown;
    if (broken < related.size()) {
      shown = body_.target(related[broken]);
      event.related = std::span(&shown, 1);
    }
    if (const auto checked = check_event(event, rules_, received_, !entries_); !checked) {
      constexpr std::string_view place_shown = "related[0]";
      std::string message = checked.error().message;
      if (message.starts_with(place_shown)) {
        message.replace(0, place_shown.size(), "related[" + std::to_string(broken) + "]");
      }
      return message;
    }
    if (!event.payload.empty() && !is_json_object_(event.payload)) {
      return "payload: must be a JSON object";
    }
    return {};
  }

  const DecodedBody& body_;
  const EventRules& rules_;
  const Nanos received_;
  const Nanos latest_;
  const PayloadCheck& is_json_object_;
  std::optional<CleanEntries> entries_;
};

// Encodes some rows of a body anew: without the others, and without what a dictionary holds that
// none of them refers to. Ids are given in order of first appearance, as a builder does; but no
// string is compared with another, and any body's rows fit.
class RowsEncoder {
 public:
  // `filter` may be null.
  RowsEncoder(const DecodedBody& body, const ContentFilter* filter)
      : body_(body), filter_(filter), actors_(body.actor_count()), targets_(body.target_count()) {
    for (std::size_t f = 0; f < dictionary_field_count; ++f) {
      strings_[f] = Renumbering(body.dictionaries[f].size());
    }
  }

  void add(std::uint32_t row) {
    using F = DictionaryField;
    const auto id = [this, row](RowColumn column) {
      return static_cast<std::uint32_t>(body_.column(column)[row]);
    };
    ts_.push_back(body_.column(RowColumn::ts)[row]);
    actor_.push_back(actor(id(RowColumn::actor)));
    verb_.push_back(string(F::verb, id(RowColumn::verb)));
    target_.push_back(target(id(RowColumn::target)));
    const auto related = related_of(body_, row);
    related_counts_.push_back(static_cast<std::uint32_t>(related.size()));
    for (const std::uint32_t each : related) {
      related_targets_.push_back(target(each));
    }
    affected_.push_back(body_.column(RowColumn::affected)[row]);
    ip_.push_back(string(F::ip, id(RowColumn::ip)));
    outcome_.push_back(id(RowColumn::outcome));
    reason_.push_back(string(F::reason, id(RowColumn::reason)));
    session_.push_back(string(F::session, id(RowColumn::session)));
    request_.push_back(string(F::request, id(RowColumn::request)));
    std::string_view payload = body_.payload(row);
    if (filter_ != nullptr && !payload.empty() && filter_->payload(payload, instead_)) {
      payload = instead_;
    }
    payload_lengths_.push_back(static_cast<std::uint32_t>(payload.size()));
    append_bytes(payloads_, as_byte_span(payload));
  }

  [[nodiscard]] EncodedBatch finish() {
    using F = DictionaryField;
    EncodedBatch batch;
    batch.rows = static_cast<std::uint32_t>(ts_.size());
    for (std::size_t row = 0; row < ts_.size(); ++row) {
      const auto ts = static_cast<Nanos>(ts_[row]);
      batch.ts_min = row == 0 ? ts : std::min(batch.ts_min, ts);
      batch.ts_max = row == 0 ? ts : std::max(batch.ts_max, ts);
    }
    writer_.start(batch.rows);
    for (const F field :
         {F::kind, F::role, F::type, F::verb, F::reason, F::session, F::request, F::ip}) {
      const bool is_free_text =
          field == F::role || field == F::reason || field == F::session || field == F::request;
      write_strings(section_of(field), body_.strings(field), of(field).kept, is_free_text);
    }
    writer_.add_ints(Section::actor_kind, actor_kinds_);
    write_strings(Section::actor_id, body_.actor_ids, actors_.kept, false);
    write_strings(Section::actor_name, body_.actor_names, actors_.kept, true);
    writer_.add_ints(Section::actor_role, actor_roles_);
    writer_.add_ints(Section::target_type, target_types_);
    write_strings(Section::target_id, body_.target_ids, targets_.kept, false);
    write_strings(Section::target_name, body_.target_names, targets_.kept, true);
    writer_.add_ints(Section::row_ts, ts_, true);
    writer_.add_ints(Section::row_actor, actor_);
    writer_.add_ints(Section::row_verb, verb_);
    writer_.add_ints(Section::row_target, target_);
    writer_.add_ints(Section::row_affected, affected_, false);
    writer_.add_ints(Section::row_ip, ip_);
    writer_.add_ints(Section::row_outcome, outcome_);
    writer_.add_ints(Section::row_reason, reason_);
    writer_.add_ints(Section::row_session, session_);
    writer_.add_ints(Section::row_request, request_);
    writer_.add_ints(Section::related_counts, related_counts_);
    writer_.add_ints(Section::related_targets, related_targets_);
    writer_.add_payloads(payload_lengths_, payloads_);
    batch.bytes = writer_.finish();
    return batch;
  }

 private:
  // New ids for the entries of one dictionary or table.
  struct Renumbering {
    std::vector<std::uint32_t> new_ids;  // by old id; 0: not kept so far
    std::vector<std::uint32_t> kept;     // old ids by new id; entry 0 is always there

    Renumbering() = default;
    explicit Renumbering(std::uint32_t entries) : new_ids(entries), kept{0} {}

    // True: `old_id` has just been given a new one.
    bool keep(std::uint32_t old_id) {
      if (old_id == 0 || new_ids[old_id] != 0) {
        return false;
      }
      new_ids[old_id] = static_cast<std::uint32_t>(kept.size());
      kept.push_back(old_id);
      return true;
    }
  };

  Renumbering& of(DictionaryField field) { return strings_[static_cast<std::size_t>(field)]; }

  std::uint32_t string(DictionaryField field, std::uint32_t old_id) {
    if (body_.strings(field)[old_id].empty()) {
      return 0;  // absent, under whatever id
    }
    static_cast<void>(of(field).keep(old_id));
    return of(field).new_ids[old_id];
  }
  std::uint32_t actor(std::uint32_t old_id) {
    if (actors_.keep(old_id)) {
      actor_kinds_.push_back(string(DictionaryField::kind, body_.actor_kinds[old_id]));
      actor_roles_.push_back(string(DictionaryField::role, body_.actor_roles[old_id]));
    }
    return actors_.new_ids[old_id];
  }
  std::uint32_t target(std::uint32_t old_id) {
    if (targets_.keep(old_id)) {
      target_types_.push_back(string(DictionaryField::type, body_.target_types[old_id]));
    }
    return targets_.new_ids[old_id];
  }

  void write_strings(Section section, const StringList& list,
                     const std::vector<std::uint32_t>& kept, bool is_free_text) {
    std::vector<std::uint32_t> lengths;
    lengths.reserve(kept.size());
    std::vector<std::byte> bytes;
    for (const std::uint32_t old_id : kept) {
      std::string_view text = list[old_id];
      if (filter_ != nullptr && is_free_text && !text.empty() && filter_->text(text, instead_)) {
        text = instead_;
      }
      lengths.push_back(static_cast<std::uint32_t>(text.size()));
      append_bytes(bytes, as_byte_span(text));
    }
    writer_.add_strings(section, lengths, bytes);
  }

  const DecodedBody& body_;
  const ContentFilter* filter_;
  std::string instead_;
  std::array<Renumbering, dictionary_field_count> strings_;
  Renumbering actors_, targets_;
  std::vector<std::uint32_t> actor_kinds_{0}, actor_roles_{0}, target_types_{0};  // by new id
  std::vector<std::uint64_t> ts_, affected_;
  std::vector<std::uint32_t> actor_, verb_, target_, ip_, outcome_, reason_, session_, request_;
  std::vector<std::uint32_t> related_counts_, related_targets_, payload_lengths_;
  std::vector<std::byte> payloads_;
  BodyWriter writer_;
};

// Whether there is anything in the body that the filter would take out.
bool finds_something(const ContentFilter& filter, const DecodedBody& body) {
  using F = DictionaryField;
  std::string instead;
  for (const StringList* list :
       {&body.strings(F::role), &body.strings(F::reason), &body.strings(F::session),
        &body.strings(F::request), &body.actor_names, &body.target_names}) {
    for (std::uint32_t i = 0; i < list->size(); ++i) {
      if (!(*list)[i].empty() && filter.text((*list)[i], instead)) {
        return true;
      }
    }
  }
  for (std::uint32_t row = 0; row < body.rows; ++row) {
    const std::string_view payload = body.payload(row);
    if (!payload.empty() && filter.payload(payload, instead)) {
      return true;
    }
  }
  return false;
}

Result<AdmittedBatch> admit(std::vector<std::byte> wire, const EventRules& rules, Nanos received,
                            const PayloadCheck& is_json_object, const ContentFilter* filter) {
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
  const RowChecker checker(body, rules, received, is_json_object);
  for (std::uint32_t row = 0; row < body.rows; ++row) {
    if (std::string error = checker.error_of(row); !error.empty()) {
      admitted.rejected.push_back({row, std::move(error)});
    }
  }
  // Rows that are rejected are encoded anew in any case, and what they hold is not looked at then.
  if (admitted.rejected.empty() && checker.dictionaries_clean() &&
      (filter == nullptr || !finds_something(*filter, body))) {
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
  // Encoded again: without the rejected rows, without what a dictionary holds that no row refers
  // to, which nobody has checked, and without what the filter takes out.
  RowsEncoder encoder(body, filter);
  auto next_rejected = admitted.rejected.begin();
  for (std::uint32_t row = 0; row < body.rows; ++row) {
    if (next_rejected != admitted.rejected.end() && next_rejected->row == row) {
      ++next_rejected;
    } else {
      encoder.add(row);
    }
  }
  admitted.batch = encoder.finish();
  // A sender may have compressed better than we do.
  if (admitted.batch.bytes.size() > limits::batch_bytes_max) {
    return fail(ErrorCode::invalid_argument, "batch is larger than " +
                                                 std::to_string(limits::batch_bytes_max) +
                                                 " bytes without what must not be stored");
  }
  return admitted;
}

}  // namespace

Result<AdmittedBatch> admit_batch(std::vector<std::byte> wire, const EventRules& rules,
                                  Nanos received, const PayloadCheck& is_json_object) {
  return admit(std::move(wire), rules, received, is_json_object, nullptr);
}

Result<AdmittedBatch> admit_filtered_batch(std::vector<std::byte> wire, const EventRules& rules,
                                           Nanos received, const PayloadCheck& is_json_object,
                                           const ContentFilter& filter) {
  return admit(std::move(wire), rules, received, is_json_object, &filter);
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
    assign(event, body.event(row, scratch));
    sink(event);
  }
  return {};
}

}  // namespace docket
