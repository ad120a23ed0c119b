#include "ingest/client_stream.hpp"

#include <algorithm>

#include "engine/assert.hpp"

namespace docket::client {

void deliver(const OutBatch& batch, const ingest::Ack& ack) {
  // The rows of an old duplicate may have been judged by another clock; then only "stored" is sure.
  const bool seqs_are_known =
      ack.first_seq != 0 && std::size_t{ack.rows} + ack.rejected.size() == batch.rows;
  auto rejected = ack.rejected.begin();
  for (const auto& [row, handler] : batch.handlers) {
    while (rejected != ack.rejected.end() && rejected->row < row) {
      ++rejected;
    }
    Delivery delivery;
    if (rejected != ack.rejected.end() && rejected->row == row) {
      delivery.error = rejected->error.empty() ? "rejected" : rejected->error;
    } else if (seqs_are_known) {
      const auto before = static_cast<std::uint64_t>(rejected - ack.rejected.begin());
      delivery.seq = ack.first_seq + row - before;
    }
    handler(delivery);
  }
}

void deliver_failure(const OutBatch& batch, const std::string& error) {
  Delivery delivery;
  delivery.error = error.empty() ? "rejected" : error;
  for (const auto& [row, handler] : batch.handlers) {
    handler(delivery);
  }
}

void ClientStream::put_number(OutBatch& batch, std::uint64_t number) {
  batch.number = number;
  batch.head = ingest::batch_head(log_, number, batch.body.bytes);
}

OutBatch& ClientStream::push(EncodedBatch body, std::size_t charged, RowHandlers handlers) {
  auto batch = std::make_shared<OutBatch>();
  batch->body = std::move(body);
  batch->rows = batch->body.rows;
  batch->charged = charged;
  batch->handlers = std::move(handlers);
  put_number(*batch, next_number_++);
  batches_.push_back(std::move(batch));
  return *batches_.back();
}

OutBatchPtr ClientStream::next_to_send() const {
  if (settling_ || paused_ || lost_ || in_flight_ == batches_.size()) {
    return nullptr;
  }
  // S1: what is in flight is the oldest, because acks of one log come in order.
  const OutBatchPtr& batch = batches_[in_flight_];
  DOCKET_ASSERT(!batch->in_flight);
  return batch;
}

void ClientStream::sent(const OutBatchPtr& batch, std::int64_t now_ns) {
  DOCKET_ASSERT(batch == batches_[in_flight_]);
  batch->in_flight = true;
  batch->sent_again = batch->first_sent_ns != 0;
  if (batch->first_sent_ns == 0) {
    batch->first_sent_ns = now_ns;
  }
  ++in_flight_;
}

OutBatchPtr ClientStream::find(std::uint64_t number) const {
  if (batches_.empty() || number < batches_.front()->number ||
      number - batches_.front()->number >= batches_.size()) {
    return nullptr;
  }
  return batches_[number - batches_.front()->number];
}

void ClientStream::answered(OutBatch& batch) {
  batch.in_flight = false;
  --in_flight_;
  if (in_flight_ == 0) {
    settling_ = false;  // S2
  }
}

Result<Settled> ClientStream::acknowledge(const ingest::Ack& ack) {
  // Within a log answers come in the order of the batches.
  if (batches_.empty() || !batches_.front()->in_flight || batches_.front()->number != ack.batch) {
    return fail(ErrorCode::invalid_argument,
                log_ + ": ack of batch " + std::to_string(ack.batch) + ", which is not the next");
  }
  const OutBatchPtr batch = batches_.front();
  if (!ack.rejected.empty() && ack.rejected.back().row >= batch->rows && batch->rows != 0) {
    return fail(ErrorCode::invalid_argument, log_ + ": ack rejects a row that was not sent");
  }
  answered(*batch);
  batches_.pop_front();
  Settled settled;
  settled.batch = batch;
  settled.first_seq = ack.first_seq;
  settled.is_known = ack.duplicate && !batch->sent_again;
  settled.rejected = std::min(static_cast<std::uint32_t>(ack.rejected.size()), batch->rows);
  if (settled.is_known && ack.first_seq != 0) {
    // Today's clock may let in rows that it kept out then; the store has what it took then.
    settled.rejected = batch->rows - std::min(ack.rows, batch->rows);
  }
  settled.durable = batch->rows - settled.rejected;
  return settled;
}

Result<ClientStream::Refused> ClientStream::refuse(const ingest::ErrorFrame& error) {
  Refused refused;
  refused.answered = find(error.batch);
  if (!refused.answered || !refused.answered->in_flight) {
    return fail(
        ErrorCode::invalid_argument,
        log_ + ": error about batch " + std::to_string(error.batch) + ", which is not in flight");
  }
  OutBatch& batch = *refused.answered;
  answered(batch);
  settling_ = in_flight_ > 0;
  if (error.code == ingest::WireError::out_of_order) {
    // The usual reason is an error for an earlier batch, which comes again first. But a number that
    // is acknowledged already means that the server has lost what it had, and one behind the batch
    // it refuses that it knows this sender in a later epoch.
    refused.is_lost = error.expected < batches_.front()->number || error.batch < error.expected;
    lost_ = lost_ || refused.is_lost;
    // A server that expects the very batch it refuses makes no sense; asking again at once would
    // go on for ever.
    refused.needs_pause = error.expected == error.batch;
  } else if (error.retryable) {
    refused.needs_pause = true;
  } else if (batch.rows == 0) {
    refused.is_dead = true;
  } else {
    // S3: the same number again, with nothing in it.
    refused.given_up = std::make_shared<OutBatch>();
    refused.given_up->rows = std::exchange(batch.rows, 0);
    refused.given_up->charged = std::exchange(batch.charged, 0);
    refused.given_up->handlers = std::exchange(batch.handlers, {});
    const auto empty = std::make_shared<OutBatch>();
    empty->body = BatchBuilder().finish();
    empty->spool_end = batch.spool_end;
    put_number(*empty, batch.number);
    batches_[batch.number - batches_.front()->number] = empty;
  }
  paused_ = paused_ || refused.needs_pause;
  return refused;
}

std::uint32_t ClientStream::disconnected() {
  for (const OutBatchPtr& batch : batches_) {
    batch->in_flight = false;
  }
  settling_ = false;
  paused_ = false;
  return std::exchange(in_flight_, 0);
}

bool ClientStream::has_uncertain() const {
  return !lost_ && std::any_of(batches_.begin(), batches_.end(), [](const OutBatchPtr& batch) {
    return batch->first_sent_ns != 0 || batch->is_recovered;
  });
}

void ClientStream::renumber() {
  DOCKET_ASSERT(in_flight_ == 0);
  next_number_ = 1;
  for (OutBatchPtr& batch : batches_) {
    // A write of the old connection may still hold the old bytes.
    batch = std::make_shared<OutBatch>(*batch);
    put_number(*batch, next_number_++);
    batch->is_recovered = false;
  }
  lost_ = false;
  settling_ = false;
  paused_ = false;
}

std::deque<OutBatchPtr> ClientStream::take_all() {
  in_flight_ = 0;
  settling_ = false;
  paused_ = false;
  lost_ = false;
  return std::exchange(batches_, {});
}

}  // namespace docket::client
