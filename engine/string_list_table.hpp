// A StringTable over strings in memory.
#pragma once

#include <algorithm>
#include <array>

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
  [[nodiscard]] Result<void> read_ascending(std::span<const std::uint32_t> ids,
                                            const VisitTexts& visit) const override {
    std::array<std::string_view, 256> texts;
    for (std::size_t first = 0; first < ids.size();) {
      const std::size_t count = std::min(ids.size() - first, texts.size());
      for (std::size_t i = 0; i < count; ++i) {
        DOCKET_ASSERT(ids[first + i] < list_.size());
        texts[i] = list_[ids[first + i]];
      }
      visit(first, std::span(texts).first(count));
      first += count;
    }
    return {};
  }
  [[nodiscard]] const StringList& list() const { return list_; }

 private:
  StringList list_;
};

}  // namespace docket
