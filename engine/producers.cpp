#include "engine/producers.hpp"

#include <algorithm>

#include "engine/byte_reader.hpp"
#include "engine/bytes.hpp"
#include "engine/event.hpp"
#include "engine/limits.hpp"

namespace docket {

Result<ProducerTable::Verdict> ProducerTable::check(const ProducerStamp& stamp,
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
  if (found == producers_.end() && producers_.size() >= limits::producers_max) {
    return fail(ErrorCode::overloaded, "too many different producers");
  }
  const std::uint64_t epoch = found == producers_.end() ? 0 : found->second.epoch;
  if (found == producers_.end() || stamp.epoch > epoch) {
    if (stamp.batch != 1) {
      return refuse("a new epoch starts with batch 1, not " + std::to_string(stamp.batch), 1);
    }
    return Verdict::next;
  }
  const Producer& producer = found->second;
  if (stamp.epoch < epoch) {
    // Above the batch itself, which is how its sender knows that no number of its epoch will do.
    return refuse("epoch " + std::to_string(stamp.epoch) + " is over; the producer is in epoch " +
                      std::to_string(epoch),
                  std::max(producer.last_batch, stamp.batch) + 1);
  }
  if (stamp.batch > producer.last_batch + 1) {
    return refuse("batch " + std::to_string(stamp.batch) + " came before batch " +
                      std::to_string(producer.last_batch + 1),
                  producer.last_batch + 1);
  }
  if (stamp.batch == producer.last_batch + 1) {
    return Verdict::next;
  }
  receipt = Receipt{Seq(0), 0, true};
  for (const BatchReceipt& r : producer.receipts) {
    if (r.batch == stamp.batch) {
      receipt = Receipt{r.first_seq, r.rows, true};
    }
  }
  return Verdict::duplicate;
}

void ProducerTable::stored(const ProducerStamp& stamp, Seq first_seq, std::uint32_t rows,
                           Nanos received) {
  const bool known = producers_.contains(stamp.node);
  if (!known && producers_.size() >= limits::producers_max) {
    return;  // only an unnumbered one comes this far: check() has refused the others
  }
  Producer& producer = producers_[stamp.node];
  producer.last_received = std::max(producer.last_received, received);
  if (stamp.batch == 0) {
    return;
  }
  if (stamp.epoch > producer.epoch) {
    producer.epoch = stamp.epoch;
    producer.last_batch = 0;
    producer.receipts.clear();
  }
  if (stamp.epoch < producer.epoch || stamp.batch <= producer.last_batch) {
    return;
  }
  producer.last_batch = stamp.batch;
  producer.receipts.push_back({stamp.batch, first_seq, rows});
  if (producer.receipts.size() > limits::producer_receipts_max) {
    producer.receipts.pop_front();
  }
}

void ProducerTable::take_back(const ProducerStamp& stamp) {
  const auto found = producers_.find(stamp.node);
  if (stamp.batch == 0 || found == producers_.end() || found->second.epoch != stamp.epoch ||
      found->second.last_batch != stamp.batch) {
    return;
  }
  Producer& producer = found->second;
  producer.last_batch = stamp.batch - 1;
  if (!producer.receipts.empty()) {
    producer.receipts.pop_back();
  }
}

void ProducerTable::merge(const ProducerTable& other) {
  for (const auto& [node, theirs] : other.producers_) {
    Producer& ours = producers_[node];
    const Nanos last_received = std::max(ours.last_received, theirs.last_received);
    if (theirs.epoch > ours.epoch ||
        (theirs.epoch == ours.epoch && theirs.last_batch > ours.last_batch)) {
      ours = theirs;
    }
    ours.last_received = last_received;
  }
}

void ProducerTable::expire(Nanos horizon) {
  std::erase_if(producers_, [horizon](const auto& entry) {
    return entry.first.starts_with(one_off_prefix) && entry.second.last_received < horizon;
  });
}

void ProducerTable::encode(std::vector<std::byte>& out) const {
  append_le(out, static_cast<std::uint32_t>(producers_.size()));
  for (const auto& [node, producer] : producers_) {
    append_le(out, static_cast<std::uint8_t>(node.size()));
    append_bytes(out, as_byte_span(node));
    append_le(out, producer.epoch);
    append_le(out, producer.last_batch);
    append_le(out, producer.last_received);
    append_le(out, static_cast<std::uint8_t>(producer.receipts.size()));
    for (const BatchReceipt& r : producer.receipts) {
      append_le(out, r.batch);
      append_le(out, r.first_seq.value);
      append_le(out, r.rows);
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
    producer.epoch = reader.get<std::uint64_t>();
    producer.last_batch = reader.get<std::uint64_t>();
    producer.last_received = reader.get<Nanos>();
    const auto receipts = reader.get<std::uint8_t>();
    if (receipts > limits::producer_receipts_max) {
      return fail(ErrorCode::corrupt, "a producer has more receipts than are kept");
    }
    for (std::uint8_t r = 0; r < receipts; ++r) {
      BatchReceipt receipt;
      receipt.batch = reader.get<std::uint64_t>();
      receipt.first_seq = Seq(reader.get<std::uint64_t>());
      receipt.rows = reader.get<std::uint32_t>();
      producer.receipts.push_back(receipt);
    }
    table.producers_.emplace(node, std::move(producer));
  }
  if (!reader.ok()) {
    return fail(ErrorCode::corrupt, "producer table is cut short");
  }
  from = reader.rest();
  return table;
}

}  // namespace docket
