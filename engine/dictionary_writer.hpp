// Writes what stands behind the blocks of a sealed segment: dictionary pages, tables, orders and
// tokens, and says in the footer where.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/coded_ints.hpp"
#include "engine/dictionary_merge.hpp"
#include "engine/file_writer.hpp"
#include "engine/footer.hpp"
#include "engine/token_table.hpp"

namespace docket {

// Not thread-safe. `writer` and `footer` must outlive it.
class DictionaryWriter {
 public:
  DictionaryWriter(FileWriter& writer, Footer& footer) : writer_(writer), footer_(footer) {}

  // All string lists and tables, in the order of the footer.
  [[nodiscard]] Result<void> write(const DictionaryMerge& merge);
  // Nothing where no id has a rank.
  [[nodiscard]] Result<void> write_order(const ValueOrder& order,
                                         std::optional<PlacedSection>& placed);
  [[nodiscard]] Result<void> write_tokens(const Tokens& tokens,
                                          std::optional<PlacedTokens>& placed);

 private:
  using Text = std::function<std::string_view(std::uint32_t id)>;

  [[nodiscard]] Result<void> write_strings(StringPages& pages, std::uint32_t size,
                                           const Text& text);
  [[nodiscard]] Result<void> write_table(std::optional<PlacedSection>& placed, std::uint32_t size,
                                         const std::function<std::uint32_t(std::uint32_t)>& id_of);
  [[nodiscard]] Result<PlacedSection> place(const SectionEntry& entry,
                                            std::span<const std::byte> bytes);

  FileWriter& writer_;
  Footer& footer_;
};

}  // namespace docket
