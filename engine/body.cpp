#include "engine/body.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "engine/assert.hpp"
#include "engine/limits.hpp"

namespace docket {

namespace {

// What one body may decompress to, all sections together: enough for the largest batch that a
// builder makes, too little for a compression bomb to hurt.
constexpr std::uint64_t raw_bytes_max = std::uint64_t{2} * limits::block_bytes_max;

class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> body) : body_(body) {}

  Result<DecodedBody> decode() {
    DOCKET_ASSIGN(directory_, parse_directory(body_));
    if (directory_.body_bytes != body_.size()) {
      return fail(ErrorCode::corrupt, "body is not as long as its directory says");
    }
    for (const SectionEntry& entry : directory_.entries) {
      DOCKET_TRY(check_section(entry, bytes_of(entry)));
    }
    out_.rows = directory_.rows;
    DOCKET_TRY(decode_dictionaries());
    DOCKET_TRY(decode_columns());
    DOCKET_TRY(decode_related());
    DOCKET_TRY(decode_payloads());
    return std::move(out_);
  }

 private:
  std::span<const std::byte> bytes_of(const SectionEntry& entry) const {
    return body_.subspan(entry.offset, entry.bytes);
  }

  // A view of the body's own bytes; the caller keeps them alive.
  Result<PackedInts> ints(Section section, std::uint32_t items) const {
    const SectionEntry* entry = directory_.find(section);
    if (entry == nullptr) {
      return absent_column(section, items);
    }
    return read_ints(*entry, SectionBytes(SectionBytes(), body_.data() + entry->offset));
  }

  Result<StringList> strings(Section section, std::uint32_t items) {
    const SectionEntry* entry = directory_.find(section);
    if (entry == nullptr) {
      // Shared by all: a body of one event lacks most dictionaries.
      static const auto no_bytes = std::make_shared<const std::vector<std::byte>>();
      return StringList{no_bytes, std::vector<std::uint32_t>(std::size_t{items} + 1)};
    }
    DOCKET_ASSIGN(StringList list, read_strings(*entry, bytes_of(*entry)));
    raw_bytes_ += list.bytes->size();
    if (raw_bytes_ > raw_bytes_max) {
      return fail(ErrorCode::corrupt, "body decompresses to more than a block may hold");
    }
    if (list.size() == 0 || !list[0].empty()) {
      return fail(ErrorCode::corrupt, "entry 0 of a dictionary is not empty");
    }
    return list;
  }

  // Unpacks ids and checks them against the size of what they refer to.
  Result<std::vector<std::uint32_t>> ids(Section section, std::uint32_t items,
                                         std::uint32_t limit) {
    DOCKET_ASSIGN(const PackedInts packed, ints(section, items));
    DOCKET_TRY(check_ids(section, packed, limit));
    std::vector<std::uint32_t> values(packed.size());
    packed.unpack(0, packed.size(), values.data());
    return values;
  }

  static Result<void> check_ids(Section section, const PackedInts& packed, std::uint32_t limit) {
    // Most widths cannot even express an id out of range.
    if (packed.base() == 0 && packed.scale() == 1 && packed.width() < 32 &&
        (std::uint64_t{1} << packed.width()) <= limit) {
      return {};
    }
    std::uint64_t most = 0;
    for (std::uint32_t i = 0; i < packed.size(); ++i) {
      most = std::max(most, packed[i]);
    }
    if (packed.size() != 0 && most >= limit) {
      return fail(ErrorCode::corrupt, "section " + std::to_string(static_cast<int>(section)) +
                                          ": id " + std::to_string(most) + " of " +
                                          std::to_string(limit));
    }
    return {};
  }

  Result<void> decode_dictionaries() {
    for (std::size_t f = 0; f < dictionary_field_count; ++f) {
      DOCKET_ASSIGN(out_.dictionaries[f], strings(section_of(static_cast<DictionaryField>(f)), 1));
    }
    for (std::uint32_t i = 1; i < out_.strings(DictionaryField::ip).size(); ++i) {
      if (out_.strings(DictionaryField::ip)[i].size() != 16) {
        return fail(ErrorCode::corrupt, "an address is not 16 bytes");
      }
    }
    const std::uint32_t kinds = out_.strings(DictionaryField::kind).size();
    const std::uint32_t roles = out_.strings(DictionaryField::role).size();
    const std::uint32_t types = out_.strings(DictionaryField::type).size();
    const std::uint32_t actor_count = directory_.actor_entries();
    DOCKET_ASSIGN(out_.actor_kinds, ids(Section::actor_kind, actor_count, kinds));
    DOCKET_ASSIGN(out_.actor_ids, strings(Section::actor_id, actor_count));
    DOCKET_ASSIGN(out_.actor_names, strings(Section::actor_name, actor_count));
    DOCKET_ASSIGN(out_.actor_roles, ids(Section::actor_role, actor_count, roles));
    const std::uint32_t target_count = directory_.target_entries();
    DOCKET_ASSIGN(out_.target_types, ids(Section::target_type, target_count, types));
    DOCKET_ASSIGN(out_.target_ids, strings(Section::target_id, target_count));
    DOCKET_ASSIGN(out_.target_names, strings(Section::target_name, target_count));
    if (out_.actor_kinds[0] != 0 || out_.actor_roles[0] != 0 || out_.target_types[0] != 0) {
      return fail(ErrorCode::corrupt, "entry 0 of a table is not empty");
    }
    return {};
  }

  Result<void> decode_columns() {
    for (std::size_t c = 0; c < row_column_count; ++c) {
      const auto column = static_cast<RowColumn>(c);
      DOCKET_ASSIGN(out_.columns[c], ints(section_of(column), out_.rows));
      const std::uint32_t limit = id_limit(column);
      if (limit != 0) {
        DOCKET_TRY(check_ids(section_of(column), out_.columns[c], limit));
      }
    }
    return {};
  }

  // One above the largest valid value; 0: any value is valid.
  [[nodiscard]] std::uint32_t id_limit(RowColumn column) const {
    switch (column) {
      case RowColumn::ts:
      case RowColumn::received:
      case RowColumn::affected:
        return 0;
      case RowColumn::actor:
        return out_.actor_count();
      case RowColumn::target:
        return out_.target_count();
      case RowColumn::outcome:
        return 3;
      case RowColumn::verb:
        return out_.strings(DictionaryField::verb).size();
      case RowColumn::ip:
        return out_.strings(DictionaryField::ip).size();
      case RowColumn::reason:
        return out_.strings(DictionaryField::reason).size();
      case RowColumn::session:
        return out_.strings(DictionaryField::session).size();
      case RowColumn::request:
        return out_.strings(DictionaryField::request).size();
      case RowColumn::node:
        return out_.strings(DictionaryField::node).size();
    }
    return 0;
  }

  // Turns per-row counts into rows + 1 starts; `total_max` bounds their sum.
  Result<std::vector<std::uint32_t>> starts(Section section, std::uint64_t total_max) const {
    DOCKET_ASSIGN(const PackedInts counts, ints(section, out_.rows));
    std::vector<std::uint32_t> result(std::size_t{out_.rows} + 1);
    std::uint64_t total = 0;
    for (std::uint32_t row = 0; row < out_.rows; ++row) {
      result[row] = static_cast<std::uint32_t>(total);
      const std::uint64_t count = counts[row];
      if (count > total_max || (total += count) > total_max) {
        return fail(ErrorCode::corrupt, "section " + std::to_string(static_cast<int>(section)) +
                                            ": counts add up to too much");
      }
    }
    result[out_.rows] = static_cast<std::uint32_t>(total);
    return result;
  }

  Result<void> decode_related() {
    if (directory_.find(Section::related_counts) == nullptr) {
      return {};
    }
    DOCKET_ASSIGN(out_.related_starts, starts(Section::related_counts, limits::block_related_max));
    const std::uint32_t total = out_.related_starts.back();
    const SectionEntry* targets = directory_.find(Section::related_targets);
    if (targets == nullptr || targets->items != total) {
      return fail(ErrorCode::corrupt, "related targets do not match their counts");
    }
    DOCKET_ASSIGN(out_.related_targets, ids(Section::related_targets, total, out_.target_count()));
    if (std::find(out_.related_targets.begin(), out_.related_targets.end(), 0U) !=
        out_.related_targets.end()) {
      return fail(ErrorCode::corrupt, "a related target is empty");
    }
    return {};
  }

  Result<void> decode_payloads() {
    const SectionEntry* data = directory_.find(Section::payload_data);
    if (data == nullptr) {
      return {};
    }
    DOCKET_ASSIGN(out_.payload_starts, starts(Section::payload_lengths, limits::block_bytes_max));
    const auto section = bytes_of(*data);
    DOCKET_ASSIGN(
        const std::vector<PayloadChunk> chunks,
        read_chunk_table(*data, section.first(data->items * chunk_entry_bytes), out_.rows));
    out_.payloads.resize(out_.payload_starts.back());
    std::uint64_t at = 0;
    for (const PayloadChunk& chunk : chunks) {
      if (at != out_.payload_starts[chunk.first_row] ||
          at + chunk.raw_bytes > out_.payloads.size()) {
        return fail(ErrorCode::corrupt, "payload chunks do not match the payload lengths");
      }
      DOCKET_TRY(read_chunk(chunk, section.subspan(chunk.offset, chunk.stored_bytes),
                            std::span(out_.payloads).subspan(at, chunk.raw_bytes)));
      at += chunk.raw_bytes;
    }
    if (at != out_.payloads.size()) {
      return fail(ErrorCode::corrupt, "payload chunks do not match the payload lengths");
    }
    return {};
  }

  std::span<const std::byte> body_;
  BodyDirectory directory_;
  DecodedBody out_;
  std::uint64_t raw_bytes_ = 0;
};

}  // namespace

ActorView DecodedBody::actor(std::uint32_t id) const {
  return {strings(DictionaryField::kind)[actor_kinds[id]], actor_ids[id], actor_names[id],
          strings(DictionaryField::role)[actor_roles[id]]};
}

TargetView DecodedBody::target(std::uint32_t id) const {
  return {strings(DictionaryField::type)[target_types[id]], target_ids[id], target_names[id]};
}

std::string_view DecodedBody::payload(std::uint32_t row) const {
  if (payload_starts.empty()) {
    return {};
  }
  return {reinterpret_cast<const char*>(payloads.data()) + payload_starts[row],
          payload_starts[row + 1] - payload_starts[row]};
}

EventView DecodedBody::event(std::uint32_t row, std::vector<TargetView>& related_scratch) const {
  const auto id = [this, row](RowColumn c) { return static_cast<std::uint32_t>(column(c)[row]); };
  EventView event;
  event.ts = static_cast<Nanos>(column(RowColumn::ts)[row]);
  event.actor = actor(id(RowColumn::actor));
  event.verb = strings(DictionaryField::verb)[id(RowColumn::verb)];
  event.target = target(id(RowColumn::target));
  related_scratch.clear();
  if (!related_starts.empty()) {
    for (std::uint32_t i = related_starts[row]; i < related_starts[row + 1]; ++i) {
      related_scratch.push_back(target(related_targets[i]));
    }
  }
  event.related = related_scratch;
  event.affected = column(RowColumn::affected)[row];
  if (const std::uint32_t ip = id(RowColumn::ip); ip != 0) {
    IpAddress address;
    std::memcpy(address.bytes.data(), strings(DictionaryField::ip)[ip].data(), 16);
    event.ip = address;
  }
  event.outcome = static_cast<Outcome>(id(RowColumn::outcome));
  event.reason = strings(DictionaryField::reason)[id(RowColumn::reason)];
  event.session = strings(DictionaryField::session)[id(RowColumn::session)];
  event.request = strings(DictionaryField::request)[id(RowColumn::request)];
  event.payload = payload(row);
  return event;
}

Result<DecodedBody> decode_body(std::span<const std::byte> body) {
  return Decoder(body).decode();
}

}  // namespace docket
