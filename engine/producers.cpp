#include "engine/producers.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/byte_reader.hpp"
#include "engine/bytes.hpp"
#include "engine/event.hpp"
#include "engine/limits.hpp"

namespace docket {

namespace {

constexpr auto anybody = std::numeric_limits<Nanos>::max();

ProducerKind kind_of(std::string_view node, bool is_numbered) {
  if (node.starts_with(one_off_prefix)) {
    return ProducerKind::one_off;
  }
  return is_numbered ? ProducerKind::numbered : ProducerKind::unnumbered;
}

// Who was heard of before it may be forgotten, when somebody of the kind comes at `received` and
// finds the table full.
Nanos horizon_of(ProducerKind kind, Nanos received) {
  if (kind == ProducerKind::unnumbered) {
    return anybody;
  }
  const Nanos lifetime = kind == ProducerKind::one_off ? one_off_lifetime_min : sender_lifetime_min;
  return received < std::numeric_limits<Nanos>::min() + lifetime ? std::numeric_limits<Nanos>::min()
                                                                 : received - lifetime;
}

constexpr std::size_t bound_of(ProducerKind kind) {
  return producers_of_kind_max[static_cast<std::size_t>(kind)];
}

// How many are left when some must go. Where they come and go by the thousand many go at once,
// because finding the oldest takes a look at all.
constexpr std::size_t kept_of(ProducerKind kind) {
  const std::size_t bound = bound_of(kind);
  return kind == ProducerKind::numbered ? bound - 1 : bound - bound / 8;
}

// Which one is newer, or knows more of the same epoch.
bool is_newer(const ProducerEpoch& one, const ProducerEpoch& than) {
  return one.number != than.number ? one.number > than.number : one.last_batch > than.last_batch;
}

// What is kept of an epoch when a later one begins.
ProducerEpoch kept_of(const ProducerEpoch& ended) {
  const auto count =
      static_cast<std::ptrdiff_t>(std::min(ended.receipts.size(), receipts_before_max));
  return {ended.number, ended.last_batch, {ended.receipts.end() - count, ended.receipts.end()}};
}

const BatchReceipt* find_receipt(const ProducerEpoch& epoch, std::uint64_t batch) {
  const auto found = std::find_if(epoch.receipts.begin(), epoch.receipts.end(),
                                  [batch](const BatchReceipt& r) { return r.batch == batch; });
  return found == epoch.receipts.end() ? nullptr : &*found;
}

void encode_epoch(std::vector<std::byte>& out, const ProducerEpoch& epoch) {
  append_le(out, epoch.number);
  append_le(out, epoch.last_batch);
  append_le(out, static_cast<std::uint8_t>(epoch.receipts.size()));
  for (const BatchReceipt& r : epoch.receipts) {
    append_le(out, r.batch);
    append_le(out, r.first_seq.value);
    append_le(out, r.rows);
  }
}

Result<ProducerEpoch> decode_epoch(ByteReader& reader, std::size_t receipts_max) {
  ProducerEpoch epoch;
  epoch.number = reader.get<std::uint64_t>();
  epoch.last_batch = reader.get<std::uint64_t>();
  const auto receipts = reader.get<std::uint8_t>();
  if (receipts > receipts_max) {
    return fail(ErrorCode::corrupt, "a producer has more receipts than are kept");
  }
  for (std::uint8_t r = 0; r < receipts; ++r) {
    BatchReceipt receipt;
    receipt.batch = reader.get<std::uint64_t>();
    receipt.first_seq = Seq(reader.get<std::uint64_t>());
    receipt.rows = reader.get<std::uint32_t>();
    epoch.receipts.push_back(receipt);
  }
  return epoch;
}

}  // namespace

bool ProducerTable::is_full(ProducerKind kind) const {
  return counts_[static_cast<std::size_t>(kind)] >= bound_of(kind) ||
         producers_.size() >= limits::producers_max;
}

bool ProducerTable::has_room(ProducerKind kind, Nanos received) const {
  if (!is_full(kind)) {
    return true;
  }
  const Nanos horizon = horizon_of(kind, received);
  Nanos& heard_since = heard_since_[static_cast<std::size_t>(kind)];
  if (heard_since < horizon) {
    heard_since = anybody;
    for (const auto& [node, producer] : producers_) {
      if (kind_of(node, producer.is_numbered) == kind) {
        heard_since = std::min(heard_since, producer.last_received);
      }
    }
  }
  return heard_since < horizon;
}

void ProducerTable::forget(ProducerKind kind, std::size_t keep, Nanos horizon) {
  std::vector<std::pair<Nanos, Producers::iterator>> heard;
  for (auto each = producers_.begin(); each != producers_.end(); ++each) {
    if (kind_of(each->first, each->second.is_numbered) == kind) {
      heard.emplace_back(each->second.last_received, each);
    }
  }
  if (heard.size() <= keep) {
    return;
  }
  const auto earlier = [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->first < b.second->first;
  };
  const auto end = heard.begin() + static_cast<std::ptrdiff_t>(heard.size() - keep);
  std::nth_element(heard.begin(), end - 1, heard.end(), earlier);
  for (auto each = heard.begin(); each != end; ++each) {
    if (each->first < horizon) {
      producers_.erase(each->second);
      --count_of(kind);
    }
  }
}

void ProducerTable::make_room(ProducerKind kind, Nanos received) {
  if (!is_full(kind)) {
    return;
  }
  forget(kind, kept_of(kind), horizon_of(kind, received));
  // check() has refused whoever finds no room, so it is a table of other bounds, or a recovery of
  // what it had accepted, that is still full. What was stored last is what is sent again.
  if (is_full(kind)) {
    forget(kind, kept_of(kind), anybody);
  }
  for (const ProducerKind other :
       {ProducerKind::unnumbered, ProducerKind::one_off, ProducerKind::numbered}) {
    if (producers_.size() >= limits::producers_max && count_of(other) != 0) {
      forget(other, count_of(other) - 1, anybody);
    }
  }
}

void ProducerTable::count() {
  counts_ = {};
  for (const auto& [node, producer] : producers_) {
    ++count_of(kind_of(node, producer.is_numbered));
  }
  heard_since_.fill(std::numeric_limits<Nanos>::min());
}

Result<ProducerTable::Verdict> ProducerTable::check(const ProducerStamp& stamp, Nanos received,
                                                    Receipt& receipt) const {
  if (stamp.node.empty() || stamp.node.size() > limits::node_bytes_max || !is_utf8(stamp.node)) {
    return fail(ErrorCode::invalid_argument, "node: must be 1 to 128 bytes of UTF-8");
  }
  if (stamp.batch == 0) {
    return Verdict::next;
  }
  const auto refuse = [](std::string message, std::uint64_t expected) {
    return fail(Error{ErrorCode::out_of_order, std::move(message), 0, 0, expected});
  };
  const auto found = producers_.find(stamp.node);
  const bool is_new = found == producers_.end() || !found->second.is_numbered;
  if (!is_new && found->second.newest.last_batch != 0 &&
      stamp.epoch != found->second.newest.number &&
      kind_of(stamp.node, true) == ProducerKind::one_off) {
    return refuse("the idempotency key was used for another request", stamp.batch + 1);
  }
  if (is_new && !has_room(kind_of(stamp.node, true), received)) {
    return fail(ErrorCode::overloaded, "too many different producers");
  }
  if (found == producers_.end() || stamp.epoch > found->second.newest.number) {
    if (stamp.batch != 1) {
      return refuse("a new epoch starts with batch 1, not " + std::to_string(stamp.batch), 1);
    }
    return Verdict::next;
  }
  const Producer& producer = found->second;
  const std::uint64_t expected = producer.newest.last_batch + 1;
  const bool is_over = stamp.epoch < producer.newest.number;
  const ProducerEpoch& epoch = is_over ? producer.before : producer.newest;
  if (is_over && (stamp.epoch != epoch.number || stamp.batch > epoch.last_batch)) {
    // Above the batch itself, which is how its sender knows that no number of its epoch will do.
    return refuse("epoch " + std::to_string(stamp.epoch) + " is over; the producer is in epoch " +
                      std::to_string(producer.newest.number),
                  std::max(expected, stamp.batch + 1));
  }
  if (!is_over && stamp.batch > expected) {
    return refuse(
        "batch " + std::to_string(stamp.batch) + " came before batch " + std::to_string(expected),
        expected);
  }
  if (!is_over && stamp.batch == expected) {
    return Verdict::next;
  }
  const BatchReceipt* const known = find_receipt(epoch, stamp.batch);
  receipt =
      known == nullptr ? Receipt{Seq(0), 0, true} : Receipt{known->first_seq, known->rows, true};
  return Verdict::duplicate;
}

void ProducerTable::stored(const ProducerStamp& stamp, Seq first_seq, std::uint32_t rows,
                           Nanos received) {
  if (!stamp.shown.empty()) {
    stored({stamp.shown}, first_seq, rows, received);
  }
  auto found = producers_.find(stamp.node);
  const ProducerKind kind = kind_of(stamp.node, stamp.batch != 0);
  Nanos last_received = received;
  if (found != producers_.end() && kind == ProducerKind::numbered && !found->second.is_numbered) {
    // From now on one of the others.
    last_received = std::max(received, found->second.last_received);
    producers_.erase(found);
    --count_of(ProducerKind::unnumbered);
    found = producers_.end();
  }
  if (found == producers_.end()) {
    make_room(kind, received);
    found = producers_.emplace(stamp.node, Producer{}).first;
    found->second.last_received = last_received;
    ++count_of(kind);
  }
  Producer& producer = found->second;
  producer.is_numbered = producer.is_numbered || stamp.batch != 0;
  producer.last_received = std::max(producer.last_received, received);
  Nanos& heard_since = heard_since_[static_cast<std::size_t>(kind)];
  heard_since = std::min(heard_since, producer.last_received);
  if (stamp.batch == 0) {
    return;
  }
  // What needs memory comes first.
  ProducerEpoch& newest = producer.newest;
  const BatchReceipt receipt{stamp.batch, first_seq, rows};
  if (stamp.epoch > newest.number) {
    ProducerEpoch begun{stamp.epoch, stamp.batch, {receipt}};
    if (newest.last_batch != 0) {
      producer.before = kept_of(newest);
    }
    newest = std::move(begun);
    return;
  }
  if (stamp.epoch < newest.number || stamp.batch <= newest.last_batch) {
    return;
  }
  if (newest.receipts.size() == limits::producer_receipts_max) {
    newest.receipts.erase(newest.receipts.begin());
  }
  newest.receipts.push_back(receipt);
  newest.last_batch = stamp.batch;
}

void ProducerTable::take_back(const ProducerStamp& stamp) noexcept {
  const auto found = producers_.find(stamp.node);
  if (stamp.batch == 0 || found == producers_.end() || found->second.newest.number != stamp.epoch ||
      found->second.newest.last_batch != stamp.batch) {
    return;
  }
  Producer& producer = found->second;
  if (stamp.batch == 1 && producer.before.last_batch != 0) {
    producer.newest = std::exchange(producer.before, {});
    return;
  }
  const ProducerKind kind = kind_of(stamp.node, true);
  if (stamp.batch == 1 && kind == ProducerKind::one_off) {
    producers_.erase(found);  // its key is free again
    --count_of(kind);
    return;
  }
  producer.newest.last_batch = stamp.batch - 1;
  if (!producer.newest.receipts.empty()) {
    producer.newest.receipts.pop_back();
  }
}

std::vector<ProducerState> ProducerTable::senders() const {
  std::vector<ProducerState> states;
  states.reserve(producers_.size());
  for (const auto& [node, producer] : producers_) {
    if (kind_of(node, producer.is_numbered) != ProducerKind::one_off) {
      states.push_back(
          {node, producer.newest.number, producer.newest.last_batch, producer.last_received});
    }
  }
  return states;
}

void ProducerTable::merge(const ProducerTable& other) {
  for (const auto& [node, theirs] : other.producers_) {
    Producer& ours = producers_[node];
    // The newest of the four, and the newest of another epoch than that.
    const std::array<const ProducerEpoch*, 4> all = {&ours.newest, &ours.before, &theirs.newest,
                                                     &theirs.before};
    ProducerEpoch newest;
    for (const ProducerEpoch* epoch : all) {
      if (is_newer(*epoch, newest)) {
        newest = *epoch;
      }
    }
    ProducerEpoch before;
    for (const ProducerEpoch* epoch : all) {
      if (epoch->number != newest.number && epoch->last_batch != 0 && is_newer(*epoch, before)) {
        before = kept_of(*epoch);
      }
    }
    ours.newest = std::move(newest);
    ours.before = std::move(before);
    ours.last_received = std::max(ours.last_received, theirs.last_received);
    ours.is_numbered = ours.is_numbered || theirs.is_numbered;
  }
  count();
}

void ProducerTable::expire(Nanos horizon) {
  std::erase_if(producers_, [horizon](const auto& entry) {
    return entry.first.starts_with(one_off_prefix) && entry.second.last_received < horizon;
  });
  count();
}

void ProducerTable::encode(std::vector<std::byte>& out) const {
  append_le(out, static_cast<std::uint32_t>(producers_.size()));
  for (const auto& [node, producer] : producers_) {
    append_le(out, static_cast<std::uint8_t>(node.size()));
    append_bytes(out, as_byte_span(node));
    append_le(out, producer.last_received);
    const bool has_before = producer.before.last_batch != 0;
    append_le(out, static_cast<std::uint8_t>(has_before ? 2 : producer.is_numbered ? 1 : 0));
    if (producer.is_numbered) {
      encode_epoch(out, producer.newest);
    }
    if (has_before) {
      encode_epoch(out, producer.before);
    }
  }
}

Result<ProducerTable> ProducerTable::decode(std::span<const std::byte>& from) {
  ByteReader reader(from);
  const auto count = reader.get<std::uint32_t>();
  if (count > limits::producers_max) {
    return fail(ErrorCode::corrupt, "more producers than there may be");
  }
  ProducerTable table;
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::string node(reader.text(reader.get<std::uint8_t>()));
    Producer producer;
    producer.last_received = reader.get<Nanos>();
    const auto epochs = reader.get<std::uint8_t>();
    if (epochs > 2) {
      return fail(ErrorCode::corrupt, "a producer has more epochs than are kept");
    }
    producer.is_numbered = epochs != 0;
    if (epochs >= 1) {
      DOCKET_ASSIGN(producer.newest, decode_epoch(reader, limits::producer_receipts_max));
    }
    if (epochs == 2) {
      DOCKET_ASSIGN(producer.before, decode_epoch(reader, receipts_before_max));
      if (producer.before.number >= producer.newest.number || producer.before.last_batch == 0) {
        return fail(ErrorCode::corrupt, "a producer's epochs are out of order");
      }
    }
    table.producers_.emplace(node, std::move(producer));
  }
  if (!reader.ok()) {
    return fail(ErrorCode::corrupt, "producer table is cut short");
  }
  table.count();
  from = reader.rest();
  return table;
}

}  // namespace docket
