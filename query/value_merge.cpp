#include "query/value_merge.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string>

namespace docket::query {
namespace {

using Done = tl::expected<void, MergeFailure>;

// An id's first bytes as numbers that compare as they do: most ids are told apart without a call.
struct IdKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::string_view id;

  IdKey() = default;
  explicit IdKey(std::string_view text) : id(text) {
    std::array<char, 16> front{};
    std::memcpy(front.data(), text.data(), std::min(text.size(), front.size()));
    std::memcpy(&high, front.data(), 8);
    std::memcpy(&low, front.data() + 8, 8);
    static_assert(std::endian::native == std::endian::little);
    high = __builtin_bswap64(high);
    low = __builtin_bswap64(low);
  }

  [[nodiscard]] bool operator<(const IdKey& other) const {
    if (high != other.high) {
      return high < other.high;
    }
    return low != other.low ? low < other.low : id < other.id;
  }
  [[nodiscard]] bool operator==(const IdKey& other) const {
    return high == other.high && low == other.low && id == other.id;
  }
};

// One source's ids of the kind at hand.
class Stream {
 public:
  explicit Stream(ValueSource& source) : source_(&source) {}

  [[nodiscard]] ValueSource& source() const { return *source_; }
  [[nodiscard]] bool at_end() const { return at_ == batch_.entries.size(); }
  [[nodiscard]] const IdKey& key() const { return key_; }
  [[nodiscard]] std::uint64_t count() const { return batch_.entries[at_].count; }

  [[nodiscard]] Result<void> read() {
    DOCKET_TRY(source_->next_ids(batch_));
    at_ = 0;
    set_key();
    return {};
  }
  [[nodiscard]] Result<void> step() {
    if (++at_ == batch_.entries.size()) {
      return read();
    }
    set_key();
    return {};
  }

 private:
  void set_key() {
    if (!at_end()) {
      key_ = IdKey(batch_.id(at_));
    }
  }

  ValueSource* source_;
  IdBatch batch_;
  std::size_t at_ = 0;
  IdKey key_;
};

// The streams as a heap whose first one has the least id.
class StreamHeap {
 public:
  [[nodiscard]] bool empty() const { return streams_.empty(); }
  [[nodiscard]] Stream& first() { return *streams_.front(); }

  void add(Stream* stream) {
    streams_.push_back(stream);
    std::push_heap(streams_.begin(), streams_.end(), later);
  }
  // After first() has gone on.
  void settle() {
    if (streams_.front()->at_end()) {
      streams_.front() = streams_.back();
      streams_.pop_back();
    }
    const std::size_t size = streams_.size();
    for (std::size_t at = 0;;) {
      std::size_t least = 2 * at + 1;
      if (least >= size) {
        return;
      }
      if (least + 1 < size && later(streams_[least], streams_[least + 1])) {
        ++least;
      }
      if (!later(streams_[at], streams_[least])) {
        return;
      }
      std::swap(streams_[at], streams_[least]);
      at = least;
    }
  }

 private:
  [[nodiscard]] static bool later(const Stream* a, const Stream* b) { return b->key() < a->key(); }

  std::vector<Stream*> streams_;
};

}  // namespace

Done merge_values(const std::vector<std::unique_ptr<ValueSource>>& sources,
                  const std::function<void(std::string_view kind, std::string_view id,
                                           std::uint64_t count)>& emit) {
  const auto failure = [](const Stream& stream, const Error& error) {
    return tl::unexpected<MergeFailure>(MergeFailure{stream.source().scan(), error});
  };
  struct OfSource {
    Stream stream;
    std::optional<std::string> kind;  // where the source is; nothing at its end
  };
  std::vector<OfSource> all;
  all.reserve(sources.size());
  for (const auto& source : sources) {
    all.push_back(OfSource{Stream(*source), std::string()});
  }
  const auto go_on = [](OfSource& at) -> Result<void> {
    DOCKET_ASSIGN(const auto kind, at.stream.source().next_kind());
    at.kind = kind ? std::optional<std::string>(*kind) : std::nullopt;
    return {};
  };
  for (OfSource& at : all) {
    if (auto done = go_on(at); !done) {
      return failure(at.stream, done.error());
    }
  }
  std::string id;
  for (;;) {
    std::optional<std::string> kind;
    for (const OfSource& at : all) {
      kind = at.kind && (!kind || *at.kind < *kind) ? at.kind : kind;
    }
    if (!kind) {
      return {};
    }
    StreamHeap heap;
    for (OfSource& at : all) {
      if (at.kind != kind) {
        continue;
      }
      if (auto done = at.stream.read(); !done) {
        return failure(at.stream, done.error());
      }
      if (!at.stream.at_end()) {
        heap.add(&at.stream);
      }
    }
    while (!heap.empty()) {
      id = heap.first().key().id;
      const IdKey key(id);
      std::uint64_t count = 0;
      do {
        Stream& first = heap.first();
        count += first.count();
        if (auto done = first.step(); !done) {
          return failure(first, done.error());
        }
        heap.settle();
      } while (!heap.empty() && heap.first().key() == key);
      emit(*kind, id, count);
    }
    for (OfSource& at : all) {
      if (at.kind != kind) {
        continue;
      }
      if (auto done = go_on(at); !done) {
        return failure(at.stream, done.error());
      }
    }
  }
}

}  // namespace docket::query
