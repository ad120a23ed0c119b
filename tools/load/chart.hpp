// Line charts as SVG that needs nothing else: no script, no font, no network. Colours come from the
// style sheet of the page (chart_style), for light and dark.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace docket::load {

struct ChartLine {
  std::string name;
  std::vector<std::pair<double, double>> points;  // x ascending; not finite or, on a logarithmic
                                                  // axis, not positive: a break in the line
  bool dots = false;                              // a dot with its values on each point
};

// A vertical line across the chart.
struct ChartMark {
  double x = 0;
  std::string name;  // shown above it; empty: only on pointing
  std::string note;  // on pointing
  enum class Kind { knee, seal, retire, step } kind = Kind::knee;
};

struct Chart {
  std::string title;
  std::string x_name;
  std::string y_name;
  bool log_y = false;
  std::vector<ChartLine> lines;  // at most four have colours of their own
  std::vector<ChartMark> marks;
};

[[nodiscard]] std::string svg(const Chart& chart);

// A row per distribution on one logarithmic axis: a thin line from the median to the largest value,
// a thick one from the median to the 99th percentile, ticks at median, 90th and 99th.
struct RangeRow {
  std::string name;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double max = 0;
};
[[nodiscard]] std::string svg_ranges(const std::string& title, const std::string& x_name,
                                     const std::vector<RangeRow>& rows);

// What the classes of svg() look like; for a <style> element.
[[nodiscard]] std::string_view chart_style();

// Text for HTML and SVG: & < > " escaped.
[[nodiscard]] std::string html_text(std::string_view text);
// "1.5 M", "820 k", "0.25": three significant digits.
[[nodiscard]] std::string short_number(double value);

}  // namespace docket::load
