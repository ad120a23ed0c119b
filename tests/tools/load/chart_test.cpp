#include "tools/load/chart.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace docket::load {
namespace {

Chart two_lines() {
  Chart chart;
  chart.title = "A & B";
  chart.x_name = "x";
  chart.y_name = "y";
  chart.lines = {{"p50", {{1, 1}, {2, 2}}, true}, {"p99", {{1, 10}, {2, 1000}}, false}};
  return chart;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// The number that follows the next `name` at or after `from`.
double number_after(const std::string& text, const std::string& name, std::size_t from) {
  const std::size_t at = text.find(name, from);
  EXPECT_NE(at, std::string::npos) << name;
  return at == std::string::npos ? std::nan("") : std::stod(text.substr(at + name.size(), 16));
}

TEST(Chart, EveryLineAndPointIsThereWithItsName) {
  const std::string text = svg(two_lines());
  EXPECT_EQ(occurrences(text, "<path"), 2U);
  EXPECT_EQ(occurrences(text, "<circle"), 2U) << "dots of the first line alone";
  EXPECT_NE(text.find(">p99</text>"), std::string::npos);
  EXPECT_NE(text.find("A &amp; B"), std::string::npos);
  EXPECT_EQ(text.find("A & B"), std::string::npos);
}

TEST(Chart, ALogarithmicAxisHasItsDecadesAndBreaksAtZero) {
  Chart chart = two_lines();
  chart.log_y = true;
  chart.lines[0].points = {{1, 1}, {2, 0}, {3, 10}};
  const std::string text = svg(chart);
  EXPECT_NE(text.find(">1000</text>"), std::string::npos);
  EXPECT_NE(text.find(">100</text>"), std::string::npos);
  const std::size_t path = text.find("class=\"line c0\" d=\"");
  const std::string line = text.substr(path, text.find("\"/>", path) - path);
  EXPECT_EQ(occurrences(line, "M"), 2U) << line;
}

TEST(Chart, AGapIsNoLine) {
  Chart chart = two_lines();
  chart.lines[1].points = {{1, 1}, {2, std::nan("")}, {3, 5}};
  const std::string text = svg(chart);
  EXPECT_EQ(text.find("nan"), std::string::npos);
}

TEST(Chart, MarksSayWhatTheyAre) {
  Chart chart = two_lines();
  chart.marks = {{1.5, "knee", "knee at 1.5", ChartMark::Kind::knee},
                 {2, "", "1 segments sealed", ChartMark::Kind::seal}};
  const std::string text = svg(chart);
  EXPECT_NE(text.find("class=\"mark knee\""), std::string::npos);
  EXPECT_NE(text.find("<title>1 segments sealed</title>"), std::string::npos);
}

TEST(Chart, WithoutAPointThereAreWords) {
  Chart chart = two_lines();
  chart.lines = {};
  EXPECT_NE(svg(chart).find("nothing to show"), std::string::npos);
  EXPECT_NE(svg_ranges("Q", "ms", {{"none", 0, 0, 0, 0}}).find("nothing to show"),
            std::string::npos);
}

TEST(Chart, PointsStayWithinTheFrame) {
  Chart chart = two_lines();
  chart.log_y = true;
  chart.lines[0].points = {{0, 0.003}, {123'456, 98'765}};
  const std::string text = svg(chart);
  std::size_t seen = 0;
  for (std::size_t at = text.find("<circle "); at != std::string::npos;
       at = text.find("<circle ", at + 1), ++seen) {
    const double x = number_after(text, " cx=\"", at);
    EXPECT_GE(x, 64);
    EXPECT_LE(x, 676);
    const double y = number_after(text, " cy=\"", at);
    EXPECT_GE(y, 30);
    EXPECT_LE(y, 276);
  }
  EXPECT_EQ(seen, 2U);
}

TEST(Chart, RangesHaveARowEach) {
  const std::string text =
      svg_ranges("Questions", "ms", {{"newest <50>", 1, 2, 3, 40}, {"count", 0.1, 0.2, 0.3, 0.4}});
  EXPECT_NE(text.find("newest &lt;50&gt;"), std::string::npos);
  EXPECT_EQ(occurrences(text, "<title>"), 2U);
}

TEST(Chart, NumbersAreShort) {
  EXPECT_EQ(short_number(1'234'567), "1.23 M");
  EXPECT_EQ(short_number(25'000), "25 k");
  EXPECT_EQ(short_number(0.25), "0.25");
  EXPECT_EQ(short_number(5000), "5000");
}

}  // namespace
}  // namespace docket::load
