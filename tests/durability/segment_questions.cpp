#include "tests/durability/segment_questions.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "engine/codec.hpp"
#include "engine/sealed_segment.hpp"
#include "index/catalog.hpp"
#include "query/parser.hpp"
#include "query/searcher.hpp"

namespace docket::testing {
namespace {

constexpr std::uint64_t cache_bytes = std::uint64_t{4} << 20;
constexpr std::uint32_t payload_rows = 256;  // in one question

// Collects what was read into a digest.
class Reading {
 public:
  void number(std::uint64_t value) { sum_.add(std::as_bytes(std::span(&value, 1))); }
  void text(std::string_view value) {
    number(value.size());
    sum_.add(std::as_bytes(std::span(value)));
  }
  [[nodiscard]] SegmentAnswer answer() const { return {sum_.value(), false, ""}; }

 private:
  RunningChecksum sum_;
};

SegmentAnswer told(const Error& error) {
  return {0, true, error.describe()};
}

template <typename T>
void add_ints(Reading& reading, const T& column) {
  for (std::uint32_t i = 0; i < column.size(); ++i) {
    reading.number(column[i]);
  }
}

SegmentAnswer of_blocks(const SegmentReader& segment) {
  const auto blocks = segment.blocks();
  if (!blocks) {
    return told(blocks.error());
  }
  Reading reading;
  for (const BlockInfo& block : *blocks) {
    for (const std::uint64_t value :
         {block.first_seq.value, std::uint64_t{block.first_row}, std::uint64_t{block.rows},
          static_cast<std::uint64_t>(block.ts_min), static_cast<std::uint64_t>(block.ts_max),
          std::uint64_t{block.has_related}, std::uint64_t{block.has_payload}}) {
      reading.number(value);
    }
  }
  return reading.answer();
}

SegmentAnswer of_column(const SegmentReader& segment, std::uint32_t block, RowColumn number) {
  const auto column = segment.column(block, number);
  if (!column) {
    return told(column.error());
  }
  Reading reading;
  add_ints(reading, *column);
  return reading.answer();
}

SegmentAnswer of_related(const SegmentReader& segment, std::uint32_t block) {
  const auto related = segment.related(block);
  if (!related) {
    return told(related.error());
  }
  Reading reading;
  add_ints(reading, (*related)->starts);
  add_ints(reading, (*related)->targets);
  return reading.answer();
}

SegmentAnswer of_payloads(const SegmentReader& segment, std::uint32_t block, std::uint32_t first,
                          std::uint32_t end) {
  std::vector<std::uint32_t> rows(end - first);
  std::iota(rows.begin(), rows.end(), first);
  Reading reading;
  const auto done = segment.payloads(block, rows, [&](std::uint32_t row, std::string_view payload) {
    reading.number(row);
    reading.text(payload);
    return true;
  });
  return done ? reading.answer() : told(done.error());
}

using Table = std::function<Result<const StringTable*>(const Dictionaries&)>;

SegmentAnswer of_strings(const SegmentReader& segment, const Table& table, std::uint32_t first,
                         std::uint32_t end) {
  const auto dictionaries = segment.dictionaries(0);
  const auto strings = dictionaries ? table(**dictionaries) : fail(dictionaries.error());
  if (!strings) {
    return told(strings.error());
  }
  Reading reading;
  const auto done = (*strings)->scan(first, end, [&](std::uint32_t, std::string_view text) {
    reading.text(text);
    return true;
  });
  return done ? reading.answer() : told(done.error());
}

SegmentAnswer of_table(const SegmentReader& segment,
                       const std::function<Result<PackedInts>(const Dictionaries&)>& table) {
  const auto dictionaries = segment.dictionaries(0);
  const auto column = dictionaries ? table(**dictionaries) : fail(dictionaries.error());
  if (!column) {
    return told(column.error());
  }
  Reading reading;
  add_ints(reading, *column);
  return reading.answer();
}

bool covers(const FlipDisk::Read& read, const std::string& path, std::uint64_t byte) {
  return byte >= read.offset && byte - read.offset < read.bytes && read.path == path;
}

}  // namespace

SegmentQuestions::SegmentQuestions(FlipDisk& disk, SegmentInfo info,
                                   const std::vector<std::string>& queries)
    : disk_(disk), info_(std::move(info)) {
  add(own_, "blocks", [](const Reader& segment) { return of_blocks(*segment); });
  add_blocks();
  add_dictionaries();
  for (const std::string& query : queries) {
    add_count(query);
  }
}

void SegmentQuestions::add(std::vector<Question>& to, std::string name,
                           std::function<SegmentAnswer(const Reader&)> ask_it) {
  Question question{std::move(name), std::move(ask_it), {}, {}};
  disk_.record(&question.reads);
  question.answer = ask(question);
  disk_.record(nullptr);
  if (!own_.empty()) {
    std::erase_if(question.reads, [&](const FlipDisk::Read& read) {
      return std::ranges::find(own_.front().reads, read) != own_.front().reads.end();
    });
  }
  to.push_back(std::move(question));
}

void SegmentQuestions::add_blocks() {
  SectionCache cache(cache_bytes);
  const SealedSegment segment(disk_, cache, info_);
  const auto blocks = segment.blocks().value();
  for (std::uint32_t block = 0; block < blocks.size(); ++block) {
    const std::string name = "block " + std::to_string(block);
    for (std::size_t i = 0; i < row_column_count; ++i) {
      add(own_, name + ", column " + std::to_string(i), [=](const Reader& reader) {
        return of_column(*reader, block, static_cast<RowColumn>(i));
      });
    }
    add(own_, name + ", related",
        [block](const Reader& reader) { return of_related(*reader, block); });
    for (std::uint32_t row = 0; row < blocks[block].rows; row += payload_rows) {
      const std::uint32_t end = std::min(blocks[block].rows, row + payload_rows);
      add(own_, name + ", payloads from " + std::to_string(row),
          [=](const Reader& reader) { return of_payloads(*reader, block, row, end); });
    }
  }
}

void SegmentQuestions::add_dictionaries() {
  std::vector<Table> tables;
  for (std::size_t i = 0; i < dictionary_field_count; ++i) {
    tables.emplace_back(
        [i](const Dictionaries& all) { return all.strings(static_cast<DictionaryField>(i)); });
  }
  tables.emplace_back([](const Dictionaries& all) { return all.actor_ids(); });
  tables.emplace_back([](const Dictionaries& all) { return all.actor_names(); });
  tables.emplace_back([](const Dictionaries& all) { return all.target_ids(); });
  tables.emplace_back([](const Dictionaries& all) { return all.target_names(); });
  SectionCache cache(cache_bytes);
  const SealedSegment segment(disk_, cache, info_);
  const auto dictionaries = segment.dictionaries(0).value();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const std::uint32_t size = tables[i](*dictionaries).value()->size();
    for (std::uint32_t first = 0; first < size; first += limits::dictionary_page_entries) {
      const std::uint32_t end = std::min<std::uint32_t>(
          size, first + static_cast<std::uint32_t>(limits::dictionary_page_entries));
      add(own_, "strings " + std::to_string(i) + " from " + std::to_string(first),
          [table = tables[i], first, end](const Reader& reader) {
            return of_strings(*reader, table, first, end);
          });
    }
  }
  add(own_, "actors' kinds", [](const Reader& reader) {
    return of_table(*reader, [](const Dictionaries& all) { return all.actor_kinds(); });
  });
  add(own_, "actors' roles", [](const Reader& reader) {
    return of_table(*reader, [](const Dictionaries& all) { return all.actor_roles(); });
  });
  add(own_, "targets' types", [](const Reader& reader) {
    return of_table(*reader, [](const Dictionaries& all) { return all.target_types(); });
  });
}

void SegmentQuestions::add_count(const std::string& query) {
  add(counts_, query, [this, query](const Reader& reader) -> SegmentAnswer {
    index::Catalog catalog(disk_, {.read_only = true, .memory_bytes = cache_bytes});
    LogSnapshot log{info_.log, {reader}, {}, info_.last_seq};
    query::Searcher searcher({{std::move(log)}}, catalog);
    const auto counted = searcher.count(query::parse(query, {}).value());
    if (!counted) {
      return {0, false, counted.error().describe()};
    }
    for (const Gap& gap : counted->gaps) {
      if (gap.first_seq < info_.first_seq || gap.last_seq > info_.last_seq) {
        return {0, false, "a gap that is not in the segment"};
      }
    }
    return {counted->count, !counted->gaps.empty(),
            counted->gaps.empty() ? "" : counted->gaps.front().reason + info_.path};
  });
}

SegmentAnswer SegmentQuestions::ask(const Question& question) const {
  SectionCache cache(cache_bytes);
  return question.ask(std::make_shared<const SealedSegment>(disk_, cache, info_));
}

std::string SegmentQuestions::judge(const Question& question, const SegmentAnswer& answer) const {
  if (answer.digest == question.answer.digest && !answer.is_told) {
    return "";
  }
  if (!answer.is_told) {
    return question.name + ": another answer, and nothing is said to be missing; " +
           answer.complaint;
  }
  const bool is_placed = answer.complaint.find("segment " + std::to_string(info_.id.value) + ",") !=
                             std::string::npos ||
                         answer.complaint.find(info_.path) != std::string::npos;
  return is_placed ? "" : question.name + ": no place is named: " + answer.complaint;
}

std::string SegmentQuestions::ask_again(const std::string& path, std::uint64_t byte,
                                        std::size_t counts_max, std::uint64_t which,
                                        bool& any_told) {
  const auto is_read = [&](const Question& question) {
    return std::ranges::any_of(question.reads,
                               [&](const auto& read) { return covers(read, path, byte); });
  };
  std::string wrong;
  const auto again = [&](const Question& question) {
    const SegmentAnswer answer = ask(question);
    wrong = judge(question, answer);
    return answer.is_told;
  };
  for (std::size_t i = 0; i < own_.size() && wrong.empty(); ++i) {
    if (is_read(own_[i]) && again(own_[i])) {
      any_told = true;
      if (i == 0) {
        return wrong;  // nothing else can be read without
      }
    }
  }
  for (std::size_t i = 0; i < counts_.size() && wrong.empty() && counts_max != 0; ++i) {
    const Question& question = counts_[(i + which) % counts_.size()];
    if (is_read(question)) {
      again(question);
      --counts_max;
    }
  }
  return wrong;
}

}  // namespace docket::testing
