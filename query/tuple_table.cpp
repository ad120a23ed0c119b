#include "query/tuple_table.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_map>

#include "query/string_search.hpp"
#include "query/text_match.hpp"

namespace docket::query {
namespace {

[[nodiscard]] Error short_table(std::string_view what) {
  return Error{ErrorCode::corrupt, "the " + std::string(what) + " table's columns differ in length",
               0, 0, 0};
}

}  // namespace

Result<TupleTable> TupleTable::actors(const Dictionaries& dictionaries,
                                      const index::SegmentIndex* index) {
  TupleTable table;
  table.sorted_ = dictionaries.sorted();
  table.size_ = dictionaries.actor_count();
  DOCKET_ASSIGN(table.kinds_, dictionaries.strings(DictionaryField::kind));
  DOCKET_ASSIGN(table.ids_, dictionaries.actor_ids());
  DOCKET_ASSIGN(table.names_, dictionaries.actor_names());
  DOCKET_ASSIGN(table.kind_of_, dictionaries.actor_kinds());
  table.index_ = index;
  table.dimension_ = index::Dimension::actor;
  if (table.kind_of_.size() < table.size_ || table.ids_->size() < table.size_ ||
      table.names_->size() < table.size_) {
    return fail(short_table("actor"));
  }
  return table;
}

Result<TupleTable> TupleTable::targets(const Dictionaries& dictionaries,
                                       const index::SegmentIndex* index) {
  TupleTable table;
  table.sorted_ = dictionaries.sorted();
  table.size_ = dictionaries.target_count();
  DOCKET_ASSIGN(table.kinds_, dictionaries.strings(DictionaryField::type));
  DOCKET_ASSIGN(table.ids_, dictionaries.target_ids());
  DOCKET_ASSIGN(table.names_, dictionaries.target_names());
  DOCKET_ASSIGN(table.kind_of_, dictionaries.target_types());
  table.index_ = index;
  table.dimension_ = index::Dimension::target;
  if (table.kind_of_.size() < table.size_ || table.ids_->size() < table.size_ ||
      table.names_->size() < table.size_) {
    return fail(short_table("target"));
  }
  return table;
}

IdRange TupleTable::range_of_kind(std::uint32_t kind) const {
  const auto first_not_below = [&](std::uint32_t begin, std::uint64_t bound) {
    std::uint32_t end = size_;
    while (begin < end) {
      const std::uint32_t middle = begin + (end - begin) / 2;
      if (kind_of_[middle] < bound) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    return begin;
  };
  const std::uint32_t begin = first_not_below(1, kind);
  return IdRange{begin, first_not_below(begin, std::uint64_t{kind} + 1)};
}

Result<IdSet> TupleTable::of_kinds(const IdSet& kinds) const {
  IdSet tuples;
  if (sorted_) {
    for (const IdRange& range : kinds.ranges()) {
      for (std::uint32_t kind = range.begin; kind < range.end; ++kind) {
        tuples.add(range_of_kind(kind));
      }
    }
  } else if (!kinds.empty()) {
    for (std::uint32_t i = 1; i < size_; ++i) {
      if (kinds.contains(kind_of(i))) {
        tuples.add(i);
      }
    }
  }
  tuples.close(size_);
  return tuples;
}

Result<std::vector<bool>> TupleTable::allowed_kinds(const IdTest& test) const {
  std::vector<bool> allowed(kinds_->size(), test.any_kind);
  if (!test.any_kind && kinds_->size() > 1) {
    DOCKET_TRY(kinds_->scan(1, kinds_->size(), [&](std::uint32_t kind, std::string_view text) {
      allowed[kind] = test.kind_prefix ? starts_with_ignoring_case(text, test.kind)
                                       : equal_ignoring_case(text, test.kind);
      return true;
    }));
  }
  return allowed;
}

Result<void> TupleTable::find_sorted(const std::vector<IdTest>& tests, IdSet& into) const {
  std::vector<IdRange> ranges(kinds_->size());
  for (std::uint32_t kind = 1; kind < kinds_->size(); ++kind) {
    ranges[kind] = range_of_kind(kind);
  }
  for (const IdTest& test : tests) {
    DOCKET_ASSIGN(const std::vector<bool> allowed, allowed_kinds(test));
    for (std::uint32_t kind = 1; kind < kinds_->size(); ++kind) {
      IdRange range = ranges[kind];
      if (!allowed[kind] || range.empty()) {
        continue;
      }
      if (!test.alone && test.id.empty()) {
        // Tuples without an id come first; `Type:*` asks for those that have one.
        DOCKET_ASSIGN(range.begin, lower_bound(*ids_, range, std::string_view("\0", 1)));
      }
      DOCKET_ASSIGN(const IdRange found, matching_range(*ids_, range, test.id, test.prefix));
      into.add(found);
    }
  }
  return {};
}

Result<void> TupleTable::find_unsorted(const std::vector<IdTest>& tests, IdSet& into) const {
  std::vector<std::vector<bool>> allowed;
  std::unordered_multimap<std::string_view, std::size_t> whole;
  std::vector<std::size_t> prefixes;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    DOCKET_ASSIGN(std::vector<bool> kinds, allowed_kinds(tests[i]));
    const bool possible = std::find(kinds.begin(), kinds.end(), true) != kinds.end();
    allowed.push_back(std::move(kinds));
    if (!possible) {
      continue;
    }
    if (tests[i].prefix) {
      prefixes.push_back(i);
    } else {
      whole.emplace(tests[i].id, i);
    }
  }
  if ((whole.empty() && prefixes.empty()) || size_ <= 1) {
    return {};
  }
  const auto kind_allowed = [&](std::size_t test, std::uint32_t tuple) {
    const std::uint32_t kind = kind_of(tuple);
    return kind < allowed[test].size() && allowed[test][kind];
  };
  return ids_->scan(1, size_, [&](std::uint32_t tuple, std::string_view id) {
    const auto [begin, end] = whole.equal_range(id);
    bool found = std::any_of(begin, end, [&](const auto& entry) {
      return tests[entry.second].alone == id.empty() && kind_allowed(entry.second, tuple);
    });
    if (!found && !id.empty()) {
      found = std::any_of(prefixes.begin(), prefixes.end(), [&](std::size_t test) {
        return id.starts_with(tests[test].id) && kind_allowed(test, tuple);
      });
    }
    if (found) {
      into.add(tuple);
    }
    return true;
  });
}

Result<void> TupleTable::find_ids(const std::vector<IdTest>& tests, IdSet& into) const {
  return sorted_ ? find_sorted(tests, into) : find_unsorted(tests, into);
}

Result<void> TupleTable::find_names(const std::vector<Match>& matches, IdSet& into) const {
  std::vector<Match> worth_a_pass;
  std::copy_if(matches.begin(), matches.end(), std::back_inserter(worth_a_pass),
               [&](const Match& match) {
                 return match.prefix ||
                        (!match.text.empty() &&
                         (index_ == nullptr || index_->may_have_name(dimension_, match.text)));
               });
  if (worth_a_pass.empty()) {
    return {};
  }
  DOCKET_ASSIGN(const IdSet found, matching_strings(*names_, false, worth_a_pass));
  for (const IdRange& range : found.ranges()) {
    into.add(range);
  }
  return {};
}

bool TupleTable::ids_may_have_colon() const {
  return index_ == nullptr || index_->ids_have_colon(dimension_);
}

Result<IdSet> TupleTable::by_id(const std::vector<Match>& matches) const {
  std::vector<IdTest> tests;
  for (const Match& match : matches) {
    if (match.prefix || !match.text.empty()) {
      tests.push_back(IdTest{.id = match.text, .prefix = match.prefix, .kind = {}});
    }
  }
  IdSet tuples;
  DOCKET_TRY(find_ids(tests, tuples));
  tuples.close(size_);
  return tuples;
}

Result<IdSet> TupleTable::by_name(const std::vector<Match>& matches) const {
  IdSet tuples;
  DOCKET_TRY(find_names(matches, tuples));
  tuples.close(size_);
  return tuples;
}

Result<IdSet> TupleTable::by_identity(const std::vector<Match>& matches) const {
  std::vector<IdTest> tests;
  const bool colons = ids_may_have_colon();
  for (const Match& match : matches) {
    const std::string_view text = match.text;
    if (text.empty() && !match.prefix) {
      continue;
    }
    if (colons || text.find(':') == std::string_view::npos) {
      tests.push_back(IdTest{.id = text, .prefix = match.prefix, .kind = {}});
    }
    if (dimension_ == index::Dimension::target) {
      tests.push_back(IdTest{
          .id = {}, .any_kind = false, .kind = text, .kind_prefix = match.prefix, .alone = true});
    }
    for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
         colon = text.find(':', colon + 1)) {
      const std::string_view id = text.substr(colon + 1);
      if (match.prefix || !id.empty()) {
        tests.push_back(IdTest{
            .id = id, .prefix = match.prefix, .any_kind = false, .kind = text.substr(0, colon)});
      }
    }
  }
  IdSet tuples;
  DOCKET_TRY(find_ids(tests, tuples));
  DOCKET_TRY(find_names(matches, tuples));
  tuples.close(size_);
  return tuples;
}

}  // namespace docket::query
