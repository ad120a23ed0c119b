// The report's section of a plan.
#include <fmt/format.h>

#include "tools/load/chart.hpp"
#include "tools/load/forecast.hpp"
#include "tools/load/report_sections.hpp"

namespace docket::load {
namespace {

using simdjson::dom::element;

std::string text(const element& value) {
  return html_text(value.get_string().value());
}

std::string verification_table(const element& verification, double tolerance) {
  std::vector<std::vector<std::string>> rows;
  for (const element item : verification.get_array()) {
    const std::string unit(item["unit"].get_string().value());
    const bool within = item["within"].get_bool();
    const double deviation = item["deviation"].get_double();
    rows.push_back({text(item["name"]),
                    html_text(readable_value(item["forecast"].get_double().value(), unit)),
                    html_text(readable_value(item["measured"].get_double().value(), unit)),
                    fmt::format("{}{:+.1f} %{}", within ? "" : "<span class=\"bad\">",
                                deviation * 100, within ? "" : " (beyond)</span>")});
  }
  return fmt::format(
             "<h3>A second run at this load, of other events</h3>\n"
             "<p>The forecast is to lie within {:.0f} % of it.</p>\n",
             tolerance * 100) +
         html_table({"figure", "forecast", "measured", "deviation"}, rows);
}

}  // namespace

std::string plan_section(const element& document) {
  const element asked = document["asked"];
  std::string out = "<h2>Forecast</h2>\n" + machine_line(document);
  out += fmt::format(
      "<p class=\"key\">{} events a day, kept {:g} days; the busiest moment has {:g} times the "
      "mean "
      "rate.</p>\n",
      short_number(asked["events_per_day"].get_double().value()),
      asked["retention_days"].get_double().value(), asked["peak_factor"].get_double().value());
  std::string rows =
      "<div class=\"scroll\"><table><thead><tr><th>what</th><th>forecast</th>"
      "<th>derived from</th></tr></thead><tbody>";
  for (const element item : document["forecast"].get_array()) {
    const element value = item["value"];
    rows += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"words\">{}</td></tr>", text(item["name"]),
        value.is_null() ? "unknown"
                        : html_text(readable_value(value.get_double().value(),
                                                   std::string(item["unit"].get_string().value()))),
        text(item["how"]));
  }
  out += rows + "</tbody></table></div>\n";
  const element verification = document["verification"];
  if (!verification.is_null()) {
    out += verification_table(verification, document["tolerance"].get_double().value());
  }
  return out;
}

}  // namespace docket::load
