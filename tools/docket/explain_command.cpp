// explain: what a question comes to before it is answered with rows.
#include <fmt/format.h>

#include "query/render.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/commands.hpp"

namespace docket::cli {

namespace {

using Kind = Column::Kind;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "none that holds events" : text;
}

std::string summary_text(const Explained& explained) {
  const auto count = [&](std::string_view name) {
    return api::readable_count(explained.numbers.at(std::string(name)));
  };
  std::string out;
  const auto line = [&out](std::string_view name, std::string_view text) {
    fmt::format_to(std::back_inserter(out), "{:<10}{}\n", name, query::terminal_safe(text));
  };
  line("query", explained.query);
  line("logs", joined(explained.logs));
  line("matches", count("count"));
  if (explained.is_scoped) {
    line("plan", "not told, as it tells of events beyond this token's filter");
    return out;
  }
  line("segments",
       fmt::format("{}: {} outside the time, {} without such values, {} left", count("segments"),
                   count("segments_outside"), count("segments_ruled_out"), count("segments_left")));
  line("blocks", fmt::format("{} in those: {} ruled out, {} left", count("blocks"),
                             count("blocks_ruled_out"), count("blocks_left")));
  line("read",
       fmt::format("{} postings, {} packed columns, {} payloads; {} from files",
                   count("postings_read"), count("columns_scanned"), count("payload_rows_scanned"),
                   api::readable_bytes(explained.numbers.at("bytes_read"))));
  return out;
}

Table conditions_table(const std::vector<std::vector<std::string>>& rows) {
  Table table({{"condition"},
               {"segments", Kind::count},
               {"without", Kind::count},
               {"every_row", Kind::count},
               {"bitmaps", Kind::count},
               {"bitmap_rows", Kind::count},
               {"rare_values", Kind::count},
               {"rare_rows", Kind::count},
               {"scanned", Kind::count}});
  for (const auto& row : rows) {
    table.add(row);
  }
  return table;
}

}  // namespace

int run_explain(Context& context, Source& source) {
  const auto body =
      source.get(std::string(api::path_of(api::Endpoint::explain)), question_of(context));
  if (!body) {
    return complain(body.error());
  }
  const auto explained = read_explained(*body);
  const auto rows = read_rows(*body, "conditions",
                              {"condition", "segments", "without", "every_row", "bitmaps",
                               "bitmap_rows", "rare_values", "rare_rows", "scanned"});
  const auto gaps = read_gaps(*body);
  if (!explained || !rows || !gaps) {
    return complain(!explained ? explained.error() : !rows ? rows.error() : gaps.error());
  }
  const Table table = conditions_table(*rows);
  if (context.arguments.format != Format::table) {
    write_table(context, table, *body);
    return report_gaps(context, *gaps);
  }
  context.out.write(summary_text(*explained));
  if (!table.empty()) {
    context.out.write("\nEach condition by itself:\n");
    context.out.write(table.text(context.terminal, context.zone));
  }
  const auto left_out = explained->numbers.find("conditions_left_out");
  if (const std::uint64_t more = left_out == explained->numbers.end() ? 0 : left_out->second;
      more != 0) {
    context.out.write(fmt::format("({} more conditions)\n", api::readable_count(more)));
  }
  return report_gaps(context, *gaps);
}

}  // namespace docket::cli
