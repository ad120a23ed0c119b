#include "query/string_search.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <unordered_set>

#include "query/text_match.hpp"

namespace docket::query {
namespace {

// Above so many exact values a pass looks them up in a hash set instead of comparing each.
constexpr std::size_t compare_each_max = 8;

// The least string greater than every string that starts with `prefix`; empty when there is none.
[[nodiscard]] std::string after_prefix(std::string_view prefix) {
  std::string next(prefix);
  while (!next.empty() && static_cast<unsigned char>(next.back()) == 0xFF) {
    next.pop_back();
  }
  if (!next.empty()) {
    next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
  }
  return next;
}

}  // namespace

Result<std::uint32_t> lower_bound(const StringTable& strings, IdRange range,
                                  std::string_view text) {
  std::string at;
  while (!range.empty()) {
    const std::uint32_t middle = range.begin + range.size() / 2;
    DOCKET_TRY(strings.read(middle, at));
    if (at < text) {
      range.begin = middle + 1;
    } else {
      range.end = middle;
    }
  }
  return range.begin;
}

Result<IdRange> matching_range(const StringTable& strings, IdRange range, std::string_view text,
                               bool prefix) {
  DOCKET_ASSIGN(const std::uint32_t begin, lower_bound(strings, range, text));
  IdRange rest{begin, range.end};
  if (rest.empty()) {
    return rest;
  }
  std::string at;
  DOCKET_TRY(strings.read(begin, at));
  if (prefix ? !at.starts_with(text) : at != text) {
    return IdRange{begin, begin};
  }
  if (prefix) {
    const std::string next = after_prefix(text);
    if (next.empty()) {
      return rest;
    }
    DOCKET_ASSIGN(const std::uint32_t end, lower_bound(strings, rest, next));
    return IdRange{begin, end};
  }
  // Equal strings are few (one identity under several names): look a little ahead before searching.
  std::uint32_t end = begin + 1;
  for (std::uint32_t step = 1; end < range.end; step *= 2) {
    const std::uint32_t probe = std::min(range.end - 1, end + step - 1);
    DOCKET_TRY(strings.read(probe, at));
    if (at != text) {
      const std::string next = std::string(text) + '\0';
      DOCKET_ASSIGN(end, lower_bound(strings, IdRange{end, probe}, next));
      break;
    }
    end = probe + 1;
  }
  return IdRange{begin, end};
}

bool any_match(const std::vector<Match>& matches, std::string_view text) {
  return std::any_of(matches.begin(), matches.end(), [&](const Match& match) {
    return match.prefix ? text.starts_with(match.text) : text == match.text;
  });
}

bool any_match_ignoring_case(const std::vector<Match>& matches, std::string_view text) {
  return std::any_of(matches.begin(), matches.end(), [&](const Match& match) {
    return match.prefix ? starts_with_ignoring_case(text, match.text)
                        : equal_ignoring_case(text, match.text);
  });
}

Result<IdSet> matching_strings(const StringTable& strings, bool sorted,
                               const std::vector<Match>& matches) {
  IdSet ids;
  if (strings.size() <= 1) {
    ids.close(0);
    return ids;
  }
  if (sorted) {
    for (const Match& match : matches) {
      if (match.text.empty() && !match.prefix) {
        continue;  // Entry 0 is "absent", which nothing matches.
      }
      DOCKET_ASSIGN(const IdRange range,
                    matching_range(strings, IdRange{1, strings.size()}, match.text, match.prefix));
      ids.add(range);
    }
    ids.close(strings.size());
    return ids;
  }
  if (matches.size() <= compare_each_max) {
    return select_strings(strings, [&](std::string_view text) { return any_match(matches, text); });
  }
  std::unordered_set<std::string_view> whole;
  std::vector<Match> prefixes;
  for (const Match& match : matches) {
    if (match.prefix) {
      prefixes.push_back(match);
    } else {
      whole.insert(match.text);
    }
  }
  return select_strings(strings, [&](std::string_view text) {
    return whole.contains(text) || any_match(prefixes, text);
  });
}

}  // namespace docket::query
