// BatchBuilder: events -> columns with dictionaries -> a body.
#include <algorithm>
#include <cstring>

#include "engine/assert.hpp"
#include "engine/batch.hpp"
#include "engine/bytes.hpp"
#include "engine/interner.hpp"
#include "engine/section.hpp"

namespace docket {

namespace {

// The largest event: a payload of the hard maximum and every string at its bound. A builder that
// has less room than this left is full.
constexpr std::size_t event_bytes_max =
    limits::payload_bytes_max +
    (limits::related_max + 4) * (limits::id_bytes_max + 2 * limits::name_bytes_max) +
    limits::verb_bytes_max + limits::reason_bytes_max + 2 * limits::correlation_bytes_max;
static_assert(limits::block_raw_bytes_target + event_bytes_max < limits::block_bytes_max);

}  // namespace

struct BatchBuilder::State {
  Interner kinds, roles, types, verbs, reasons, sessions, requests, ips, nodes;
  Interner actors;   // (kind, role, id, name)
  Interner targets;  // (type, 0, id, name)

  std::vector<std::uint64_t> ts, affected;
  std::vector<std::uint64_t> received;  // and node: of stored events only
  std::vector<std::uint32_t> actor, verb, target, ip, outcome, reason, session, request, node;
  std::vector<std::uint32_t> related_counts, related_targets, payload_lengths;
  std::vector<std::byte> payloads;
  std::size_t raw_bytes = 0;  // as of the last add()
  Interner::Columns columns;  // room for encoding
  BodyWriter writer;

  std::uint32_t intern_target(const TargetView& t) {
    return targets.intern({types.intern(t.type), 0, t.id, t.name});
  }
  [[nodiscard]] std::size_t count_raw_bytes() const {
    return payloads.size() + actors.string_bytes() + targets.string_bytes() +
           reasons.string_bytes() + sessions.string_bytes() + requests.string_bytes() +
           ips.string_bytes() + verbs.string_bytes() + kinds.string_bytes() + roles.string_bytes() +
           types.string_bytes();
  }
  void clear();
};

void BatchBuilder::State::clear() {
  for (Interner* interner : {&kinds, &roles, &types, &verbs, &reasons, &sessions, &requests, &ips,
                             &nodes, &actors, &targets}) {
    interner->clear();
  }
  ts.clear();
  affected.clear();
  received.clear();
  for (auto* column : {&actor, &verb, &target, &ip, &outcome, &reason, &session, &request, &node,
                       &related_counts, &related_targets, &payload_lengths}) {
    column->clear();
  }
  payloads.clear();
  raw_bytes = 0;
}

BatchBuilder::BatchBuilder() : state_(std::make_unique<State>()) {}
BatchBuilder::~BatchBuilder() = default;
BatchBuilder::BatchBuilder(BatchBuilder&&) noexcept = default;
BatchBuilder& BatchBuilder::operator=(BatchBuilder&&) noexcept = default;

void BatchBuilder::add(const EventView& event) {
  DOCKET_ASSERT(!full());
  State& s = *state_;
  // The table of targets is the one that does not fit the cache, that of actors the next larger.
  const Interner::Key target{s.types.intern(event.target.type), 0, event.target.id,
                             event.target.name};
  const std::uint32_t prepared_target = s.targets.prepare(target);
  const Interner::Key actor{s.kinds.intern(event.actor.kind), s.roles.intern(event.actor.role),
                            event.actor.id, event.actor.name};
  const std::uint32_t prepared_actor = s.actors.prepare(actor);
  s.ts.push_back(static_cast<std::uint64_t>(event.ts));
  s.verb.push_back(s.verbs.intern(event.verb));
  s.affected.push_back(event.affected);
  std::uint32_t ip = 0;
  if (event.ip) {
    // The all-zero address is not the empty string, so it has an id of its own.
    ip = s.ips.intern(as_text(std::as_bytes(std::span(event.ip->bytes))));
  }
  s.ip.push_back(ip);
  s.outcome.push_back(static_cast<std::uint32_t>(event.outcome));
  s.reason.push_back(s.reasons.intern(event.reason));
  s.session.push_back(s.sessions.intern(event.session));
  s.request.push_back(s.requests.intern(event.request));
  s.actor.push_back(s.actors.intern_prepared(actor, prepared_actor));
  s.target.push_back(s.targets.intern_prepared(target, prepared_target));
  s.related_counts.push_back(static_cast<std::uint32_t>(event.related.size()));
  for (const TargetView& related : event.related) {
    s.related_targets.push_back(s.intern_target(related));
  }
  s.payload_lengths.push_back(static_cast<std::uint32_t>(event.payload.size()));
  append_bytes(s.payloads, as_byte_span(event.payload));
  s.raw_bytes = s.count_raw_bytes();
}

void BatchBuilder::add_stored(const EventView& event, Nanos received, std::string_view node) {
  DOCKET_ASSERT(state_->received.size() == state_->ts.size());
  add(event);
  state_->received.push_back(static_cast<std::uint64_t>(received));
  state_->node.push_back(state_->nodes.intern(node));
}

std::uint32_t BatchBuilder::rows() const {
  return static_cast<std::uint32_t>(state_->ts.size());
}

std::size_t BatchBuilder::raw_bytes() const {
  return state_->raw_bytes;
}

bool BatchBuilder::full() const {
  // Related targets count for themselves: the same few over and over add no string.
  return rows() >= limits::block_rows_max || raw_bytes() >= limits::block_raw_bytes_target ||
         state_->related_targets.size() > limits::block_related_max - limits::related_max;
}

EncodedBatch BatchBuilder::finish() {
  State& s = *state_;
  EncodedBatch batch;
  batch.rows = rows();
  if (batch.rows != 0) {
    const auto [least, most] =
        std::minmax_element(s.ts.begin(), s.ts.end(), [](std::uint64_t a, std::uint64_t b) {
          return static_cast<Nanos>(a) < static_cast<Nanos>(b);
        });
    batch.ts_min = static_cast<Nanos>(*least);
    batch.ts_max = static_cast<Nanos>(*most);
  }
  BodyWriter& w = s.writer;
  w.start(batch.rows);
  Interner::Columns& c = s.columns;
  const auto strings = [&](Section section, const Interner& interner) {
    interner.columns(c);
    w.add_strings(section, c.first_lengths, c.first);
  };
  strings(Section::kind, s.kinds);
  strings(Section::role, s.roles);
  strings(Section::type, s.types);
  strings(Section::verb, s.verbs);
  strings(Section::reason, s.reasons);
  strings(Section::session, s.sessions);
  strings(Section::request, s.requests);
  strings(Section::ip, s.ips);
  s.actors.columns(c);
  w.add_ints(Section::actor_kind, c.a);
  w.add_strings(Section::actor_id, c.first_lengths, c.first);
  w.add_strings(Section::actor_name, c.second_lengths, c.second);
  w.add_ints(Section::actor_role, c.b);
  s.targets.columns(c);
  w.add_ints(Section::target_type, c.a);
  w.add_strings(Section::target_id, c.first_lengths, c.first);
  w.add_strings(Section::target_name, c.second_lengths, c.second);
  w.add_ints(Section::row_ts, s.ts, true);
  w.add_ints(Section::row_received, s.received, true);
  w.add_ints(Section::row_actor, s.actor);
  w.add_ints(Section::row_verb, s.verb);
  w.add_ints(Section::row_target, s.target);
  w.add_ints(Section::row_affected, s.affected, false);
  w.add_ints(Section::row_ip, s.ip);
  w.add_ints(Section::row_outcome, s.outcome);
  w.add_ints(Section::row_reason, s.reason);
  w.add_ints(Section::row_session, s.session);
  w.add_ints(Section::row_request, s.request);
  w.add_ints(Section::row_node, s.node);
  w.add_ints(Section::related_counts, s.related_counts);
  w.add_ints(Section::related_targets, s.related_targets);
  w.add_payloads(s.payload_lengths, s.payloads);
  strings(Section::node, s.nodes);
  batch.bytes = w.finish();
  s.clear();
  return batch;
}

}  // namespace docket
