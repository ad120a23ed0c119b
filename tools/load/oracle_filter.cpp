#include "tools/load/oracle_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <string_view>

#include "engine/timestamp.hpp"

namespace docket::load {
namespace {

using Rows = std::vector<std::uint8_t>;
using Allowed = std::vector<std::uint8_t>;  // by id

struct Condition {
  std::string text;
  Rows rows;
};

Rows rows_with(const OracleTable& table, OracleColumn column, const Allowed& allowed) {
  Rows rows(table.rows());
  const auto& ids = table.ids(column);
  std::transform(ids.begin(), ids.end(), rows.begin(),
                 [&allowed](std::uint32_t id) { return allowed[id]; });
  for (const OracleTable::Further& further : table.further(column)) {
    rows[further.row] = static_cast<std::uint8_t>(rows[further.row] | allowed[further.id]);
  }
  return rows;
}

std::string quoted(std::string_view value) {
  const bool plain = std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-' || c == ':' || c >= 0x80;
  });
  if (plain) {
    return std::string(value);
  }
  std::string text = "\"";
  for (const char c : value) {
    text += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  }
  return text + '"';
}

void allow(const OracleTable& table, OracleColumn column, std::string_view value,
           Allowed& allowed) {
  // EDIT and UPDATE find each other.
  const auto is_edit = [column](std::string_view verb) {
    return column == OracleColumn::verb && (verb == "EDIT" || verb == "UPDATE");
  };
  const auto& values = table.values(column);
  for (std::size_t id = 1; id < values.size(); ++id) {
    if (values[id] == value || (is_edit(value) && is_edit(values[id]))) {
      allowed[id] = 1;
    }
  }
}

// `ip:a.b.c.d/n` around an address that occurs.
std::string allow_range(const OracleTable& table, std::string_view value, Random& random,
                        Allowed& allowed) {
  IpAddress network = *parse_ip(value);
  const unsigned first = network.is_v4() ? 96 : 0;
  const auto bits =
      first + static_cast<unsigned>(network.is_v4() ? 8 + random.below(24) : 32 + random.below(96));
  const auto mask = [bits](std::size_t byte) {
    const unsigned inside = std::min(8U, bits - std::min(bits, static_cast<unsigned>(8 * byte)));
    return static_cast<std::uint8_t>(0xFF << (8 - inside));
  };
  for (std::size_t i = 0; i < network.bytes.size(); ++i) {
    network.bytes[i] = static_cast<std::uint8_t>(network.bytes[i] & mask(i));
  }
  const auto& values = table.values(OracleColumn::ip);
  for (std::size_t id = 1; id < values.size(); ++id) {
    const IpAddress ip = *parse_ip(values[id]);
    allowed[id] = 1;
    for (std::size_t i = 0; i < ip.bytes.size(); ++i) {
      if ((ip.bytes[i] & mask(i)) != network.bytes[i]) {
        allowed[id] = 0;
      }
    }
  }
  return fmt::format("ip:{}/{}", format_ip(network), bits - first);
}

std::string allow_prefix(const OracleTable& table, OracleColumn column, std::string_view value,
                         Random& random, Allowed& allowed) {
  // Cut at a letter, not inside one.
  std::size_t size = 1 + random.below(value.size());
  while (size < value.size() && (static_cast<unsigned char>(value[size]) & 0xC0) == 0x80) {
    ++size;
  }
  const std::string_view prefix = value.substr(0, size);
  const auto& values = table.values(column);
  for (std::size_t id = 1; id < values.size(); ++id) {
    allowed[id] = values[id].starts_with(prefix) ? 1 : 0;
  }
  return fmt::format("{}:{}*", column_name(column), quoted(prefix));
}

Condition time_condition(const OracleTable& table, Random& random) {
  Nanos since = table.ts()[random.below(table.rows())];
  Nanos until = table.ts()[random.below(table.rows())];
  if (since > until) {
    std::swap(since, until);
  }
  Condition condition;
  const bool no_end = random.one_in(4);
  condition.text = fmt::format("since:{}", format_rfc3339(since));
  if (!no_end) {
    condition.text += fmt::format(" until:{}", format_rfc3339(until));
  }
  condition.rows.resize(table.rows());
  std::transform(table.ts().begin(), table.ts().end(), condition.rows.begin(), [&](Nanos ts) {
    return static_cast<std::uint8_t>(ts >= since && (no_end || ts < until) ? 1 : 0);
  });
  return condition;
}

// A condition on a value of a random row: values are drawn as often as they occur.
Condition value_condition(const OracleTable& table, Random& random) {
  const auto column = static_cast<OracleColumn>(random.below(oracle_column_count));
  const auto& values = table.values(column);
  const auto any_value = [&]() -> std::string_view {
    const std::uint32_t id = table.ids(column)[random.below(table.rows())];
    return values[id == 0 ? std::min<std::size_t>(1, values.size() - 1) : id];
  };
  Allowed allowed(values.size());
  Condition condition;
  const std::string_view value = any_value();
  const bool has_prefixes = column == OracleColumn::actor_name ||
                            column == OracleColumn::actor_role || column == OracleColumn::reason;
  if (column == OracleColumn::ip && random.one_in(2)) {
    condition.text = allow_range(table, value, random, allowed);
  } else if (has_prefixes && random.one_in(3)) {
    condition.text = allow_prefix(table, column, value, random, allowed);
  } else {
    condition.text = fmt::format("{}:{}", column_name(column), quoted(value));
    allow(table, column, value, allowed);
    for (std::uint64_t more = random.one_in(3) ? random.below(3) : 0; more > 0; --more) {
      const std::string_view other = any_value();
      condition.text += fmt::format(",{}", quoted(other));
      allow(table, column, other, allowed);
    }
  }
  condition.rows = rows_with(table, column, allowed);
  return condition;
}

Condition any_condition(const OracleTable& table, Random& random) {
  if (random.one_in(4)) {
    return time_condition(table, random);
  }
  Condition condition = value_condition(table, random);
  if (random.one_in(5)) {
    condition.text = "-" + condition.text;
    for (std::uint8_t& row : condition.rows) {
      row ^= 1;
    }
  }
  return condition;
}

}  // namespace

OracleFilter all_rows(const OracleTable& table) {
  return {"", Rows(table.rows(), 1), table.rows()};
}

OracleFilter random_filter(const OracleTable& table, Random& random) {
  OracleFilter filter = all_rows(table);
  for (std::uint64_t left = 1 + random.below(4); left > 0; --left) {
    Condition condition = any_condition(table, random);
    if (random.one_in(6)) {
      const Condition other = any_condition(table, random);
      condition.text = fmt::format("({} OR {})", condition.text, other.text);
      for (std::size_t row = 0; row < condition.rows.size(); ++row) {
        condition.rows[row] = static_cast<std::uint8_t>(condition.rows[row] | other.rows[row]);
      }
    }
    // AND, since naming a field again without it would mean OR.
    filter.text += filter.text.empty() ? "" : " AND ";
    filter.text += condition.text;
    for (std::size_t row = 0; row < filter.match.size(); ++row) {
      filter.match[row] = static_cast<std::uint8_t>(filter.match[row] & condition.rows[row]);
    }
  }
  if (filter.text.find("log:") != std::string::npos) {
    // A query that names a log may reach the system's own, which holds nothing of ours.
    filter.text += " AND -log:docket";
  }
  filter.count = std::accumulate(filter.match.begin(), filter.match.end(), std::uint64_t{0});
  return filter;
}

OracleFacet facet_of(const OracleTable& table, const OracleFilter& filter, OracleColumn column,
                     std::size_t top) {
  std::vector<std::uint64_t> counts(table.values(column).size());
  const auto& ids = table.ids(column);
  for (std::size_t row = 0; row < ids.size(); ++row) {
    counts[ids[row]] += filter.match[row];
  }
  const auto& further = table.further(column);
  std::vector<std::uint32_t> seen;
  for (std::size_t i = 0; i < further.size(); ++i) {
    if (i == 0 || further[i].row != further[i - 1].row) {
      seen = {ids[further[i].row]};
    }
    if (std::find(seen.begin(), seen.end(), further[i].id) == seen.end()) {
      seen.push_back(further[i].id);
      counts[further[i].id] += filter.match[further[i].row];
    }
  }
  counts[0] = 0;
  OracleFacet facet;
  std::vector<std::uint32_t> order;
  for (std::uint32_t id = 1; id < counts.size(); ++id) {
    if (counts[id] > 0) {
      order.push_back(id);
      facet.other += counts[id];
    }
  }
  facet.distinct = order.size();
  const std::size_t listed = std::min(top, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(listed), order.end(),
                    [&](std::uint32_t a, std::uint32_t b) {
                      return counts[a] != counts[b]
                                 ? counts[a] > counts[b]
                                 : table.values(column)[a] < table.values(column)[b];
                    });
  for (std::size_t i = 0; i < listed; ++i) {
    facet.values.push_back({table.values(column)[order[i]], counts[order[i]]});
    facet.other -= counts[order[i]];
  }
  return facet;
}

}  // namespace docket::load
