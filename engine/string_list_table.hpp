// A StringTable over strings in memory.
#pragma once

#include "engine/assert.hpp"
#include "engine/section.hpp"
#include "engine/segment_reader.hpp"

namespace docket {

class StringListTable : public StringTable {
 public:
  StringListTable() = default;
  explicit StringListTable(StringList list) : list_(std::move(list)) {}

  [[nodiscard]] std::uint32_t size() const override { return list_.size(); }
  [[nodiscard]] Result<void> read(std::uint32_t id, std::string& out) const override {
    DOCKET_ASSERT(id < list_.size());
    out.assign(list_[id]);
    return {};
  }
  [[nodiscard]] Result<void> scan(
      std::uint32_t begin, std::uint32_t end,
      const std::function<bool(std::uint32_t id, std::string_view text)>& visit) const override {
    DOCKET_ASSERT(begin <= end && end <= list_.size());
    for (std::uint32_t id = begin; id < end; ++id) {
      if (!visit(id, list_[id])) {
        break;
      }
    }
    return {};
  }
  [[nodiscard]] Result<void> read_ascending(
      std::span<const std::uint32_t> ids,
      const std::function<void(std::size_t i, std::string_view text)>& visit) const override {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      DOCKET_ASSERT(ids[i] < list_.size());
      visit(i, list_[ids[i]]);
    }
    return {};
  }
  [[nodiscard]] const StringList& list() const { return list_; }

 private:
  StringList list_;
};

}  // namespace docket
