// Where the bytes of a store are: of its sealed segments by column and dictionary, of their indexes
// by section.
//
//   column_bytes DIR [LOG]
//
// Prints a table in Markdown: bytes and bytes an event, the largest first. Events that are not yet
// sealed are not counted, nor are their bytes. Reads footers and tables of sections alone. Writes
// nothing; a server may run beside it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/body.hpp"
#include "engine/disk.hpp"
#include "engine/footer.hpp"
#include "engine/log.hpp"
#include "engine/segment_file.hpp"
#include "index/index_file.hpp"

namespace {

using namespace docket;

constexpr std::array<std::string_view, row_column_count> column_names = {
    "ts", "received", "actor",  "verb",    "target",  "affected",
    "ip", "outcome",  "reason", "session", "request", "node"};
constexpr std::array<std::string_view, string_list_count> list_names = {
    "verb", "reason", "session",  "request",    "ip",        "node",       "kind",
    "role", "type",   "actor id", "actor name", "target id", "target name"};

std::string name_of(Section section) {
  for (std::size_t c = 0; c < row_column_count; ++c) {
    if (section_of(static_cast<RowColumn>(c)) == section) {
      return fmt::format("rows: {}", column_names[c]);
    }
  }
  switch (section) {
    case Section::related_counts:
      return "rows: number of related targets";
    case Section::related_targets:
      return "rows: related targets";
    case Section::payload_lengths:
      return "payload lengths";
    default:
      return "payloads";
  }
}

std::string name_of(index::SectionKind kind, std::uint8_t dimension) {
  const std::string_view of = index::dimension_name(static_cast<index::Dimension>(dimension));
  switch (kind) {
    case index::SectionKind::value_page:
      return fmt::format("index: values of {}", of);
    case index::SectionKind::row_bitmap:
      return fmt::format("index: bitmaps of {}", of);
    case index::SectionKind::name_filter:
      return fmt::format("index: name filter of {}", of);
    case index::SectionKind::time_sorted:
      return "index: order of time";
    case index::SectionKind::block_counts:
      return fmt::format("index: block counts of {}", of);
    case index::SectionKind::changed_names:
      return "index: names of changed fields";
    case index::SectionKind::text_filter:
      return "index: text filter";
  }
  return "index: unknown";
}

class Count {
 public:
  Result<void> add_segment(const SegmentInfo& info) {
    DOCKET_ASSIGN(const auto file, posix_disk().open(info.path, OpenMode::read));
    DOCKET_ASSIGN(const LoadedFooter read, load_footer(*file, info.id));
    events_ += info.rows;
    const std::uint64_t before = total();
    for (const SealedBlock& block : read.footer.blocks) {
      std::uint64_t sections = 0;
      for (const SectionEntry& entry : block.directory.entries) {
        add(name_of(entry.section), entry.bytes);
        sections += entry.bytes;
      }
      add("block headers, directories, padding", block.header.block_bytes() - sections);
    }
    for (std::size_t i = 0; i < string_list_count; ++i) {
      for (const PlacedSection& page : read.footer.strings[i].pages) {
        add(fmt::format("dictionary: {}", list_names[i]), page.entry.bytes);
      }
      add_tokens(fmt::format("tokens: {}", list_names[i]), read.footer.strings[i].tokens);
    }
    add_tokens("tokens: payloads", read.footer.payload_tokens);
    const auto table = [this](std::string_view name, const std::optional<PlacedSection>& placed) {
      add(fmt::format("table: {}", name), placed ? placed->entry.bytes : 0);
    };
    table("actor kind", read.footer.actor_kinds);
    table("actor role", read.footer.actor_roles);
    table("target type", read.footer.target_types);
    table("order of actors", read.footer.actor_order);
    table("order of targets", read.footer.target_order);
    table("order of ips", read.footer.ip_order);
    // What is left of the file: whatever else the footer has is in it.
    add("segment header, footer, trailer", info.bytes - (total() - before));
    return add_index(info);
  }

  void print() const {
    std::vector<std::pair<std::string, std::uint64_t>> parts(bytes_.begin(), bytes_.end());
    std::stable_sort(parts.begin(), parts.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    const auto each = [this](std::uint64_t bytes) {
      return static_cast<double>(bytes) / static_cast<double>(std::max<std::uint64_t>(events_, 1));
    };
    fmt::print("{} events\n\n| | bytes | bytes an event |\n|---|---|---|\n", events_);
    for (const auto& [name, bytes] : parts) {
      if (bytes != 0) {
        fmt::print("| {} | {} | {:.3f} |\n", name, bytes, each(bytes));
      }
    }
    std::uint64_t index = 0;
    for (const auto& [name, bytes] : parts) {
      index += name.starts_with("index:") ? bytes : 0;
    }
    fmt::print("| all, segments | {} | {:.3f} |\n", total() - index, each(total() - index));
    fmt::print("| all, indexes | {} | {:.3f} |\n", index, each(index));
    fmt::print("| all | {} | {:.3f} |\n", total(), each(total()));
  }

 private:
  void add_tokens(const std::string& name, const std::optional<PlacedTokens>& tokens) {
    if (tokens) {
      add(name, tokens->texts.entry.bytes + tokens->lengths.entry.bytes +
                    (tokens->shared_lengths ? tokens->shared_lengths->entry.bytes : 0));
    }
  }
  void add(const std::string& name, std::uint64_t bytes) { bytes_[name] += bytes; }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto& [name, bytes] : bytes_) {
      sum += bytes;
    }
    return sum;
  }

  Result<void> add_index(const SegmentInfo& info) {
    const std::string path = info.path.substr(0, info.path.size() - 3) + "idx";
    const auto file = posix_disk().open(path, OpenMode::read);
    if (!file) {
      return file.error().code == ErrorCode::not_found ? Result<void>() : fail(file.error());
    }
    DOCKET_ASSIGN(const std::uint64_t size, (*file)->size());
    std::vector<std::byte> head(index::header_bytes);
    DOCKET_TRY((*file)->read_at(FileOffset(0), head));
    DOCKET_ASSIGN(const index::Header header, index::parse_header(head, size));
    std::vector<std::byte> table(header.sections * index::section_entry_bytes);
    DOCKET_TRY((*file)->read_at(FileOffset(index::header_bytes), table));
    DOCKET_ASSIGN(const auto sections, index::parse_table(table, header));
    for (const index::SectionEntry& section : sections) {
      add(name_of(section.kind, section.dimension), section.bytes);
    }
    add("index: header, table of sections", head.size() + table.size());
    return {};
  }

  std::uint64_t events_ = 0;
  std::map<std::string, std::uint64_t> bytes_;
};

Result<Count> count(const std::string& directory, const std::string& log_name) {
  StoreOptions options;
  options.read_only = true;
  DOCKET_ASSIGN(const auto store, Store::open(posix_disk(), directory, options));
  DOCKET_ASSIGN(const StoreSnapshot snapshot, store->snapshot());
  Count result;
  for (const LogSnapshot& log : snapshot.logs) {
    for (const auto& segment : log.segments) {
      if (segment->info().sealed && (log_name.empty() || log_name == log.log)) {
        DOCKET_TRY(result.add_segment(segment->info()));
      }
    }
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    fmt::print(stderr, "usage: column_bytes DIR [LOG]\n");
    return 2;
  }
  const auto counted = count(argv[1], argc == 3 ? argv[2] : "");
  if (!counted) {
    fmt::print(stderr, "column_bytes: {}\n", counted.error().describe());
    return 1;
  }
  counted->print();
  return 0;
}
