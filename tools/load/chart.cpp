#include "tools/load/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>

namespace docket::load {
namespace {

constexpr double width = 760;
constexpr double height = 320;
constexpr double left = 64;
constexpr double right = 84;  // names of lines stand there
constexpr double top = 30;
constexpr double bottom = 44;
constexpr int ticks_wanted = 6;

// One axis: values to positions, and where its ticks are.
class Axis {
 public:
  Axis(double low, double high, bool logarithmic, double from, double to)
      : logarithmic_(logarithmic), from_(from), to_(to) {
    if (logarithmic) {
      low_ = std::floor(std::log10(low));
      high_ = std::max(std::ceil(std::log10(high)), low_ + 1);
      for (double power = low_; power <= high_; ++power) {
        ticks_.push_back(std::pow(10, power));
      }
      return;
    }
    low_ = low;
    const double raw = std::max(high - low, 1e-9) / ticks_wanted;
    const double scale = std::pow(10, std::floor(std::log10(raw)));
    const double step = scale * (raw / scale <= 1   ? 1
                                 : raw / scale <= 2 ? 2
                                 : raw / scale <= 5 ? 5
                                                    : 10);
    high_ = low_ + step * std::ceil((high - low) / step);
    for (double value = low_; value <= high_ + step / 2; value += step) {
      ticks_.push_back(value);
    }
  }

  [[nodiscard]] const std::vector<double>& ticks() const { return ticks_; }
  [[nodiscard]] bool shows(double value) const {
    return std::isfinite(value) && (!logarithmic_ || value > 0);
  }
  [[nodiscard]] double at(double value) const {
    const double place = logarithmic_ ? std::log10(value) : value;
    return from_ + (place - low_) / std::max(high_ - low_, 1e-9) * (to_ - from_);
  }

 private:
  bool logarithmic_;
  double from_, to_;
  double low_ = 0;
  double high_ = 1;
  std::vector<double> ticks_;
};

struct Bounds {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  [[nodiscard]] bool empty() const { return low > high; }
};

class Drawing {
 public:
  Drawing(const Chart& chart, Axis x, Axis y) : chart_(chart), x_(std::move(x)), y_(std::move(y)) {}

  std::string draw() {
    add(R"(<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">)", width, height,
        html_text(chart_.title));
    add(R"(<text class="title" x="{}" y="16">{}</text>)", left, html_text(chart_.title));
    axes();
    for (const ChartMark& mark : chart_.marks) {
      draw_mark(mark);
    }
    for (std::size_t i = 0; i < chart_.lines.size(); ++i) {
      draw_line(chart_.lines[i], i);
    }
    names();
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  template <typename... Values>
  void add(fmt::format_string<Values...> text, Values&&... values) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Values>(values)...);
  }

  void axes() {
    for (const double tick : y_.ticks()) {
      add(R"(<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)", left,
          width - right, y_.at(tick));
      add(R"(<text class="tick end" x="{}" y="{:.1f}">{}</text>)", left - 6, y_.at(tick) + 4,
          short_number(tick));
    }
    for (const double tick : x_.ticks()) {
      add(R"(<text class="tick middle" x="{:.1f}" y="{}">{}</text>)", x_.at(tick),
          height - bottom + 16, short_number(tick));
    }
    add(R"(<line class="axis" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>)", left, width - right,
        height - bottom);
    add(R"(<text class="tick middle" x="{}" y="{}">{}</text>)", (left + width - right) / 2,
        height - 8, html_text(chart_.x_name));
    add(R"(<text class="tick end" x="{}" y="16">{}</text>)", width - 4, html_text(chart_.y_name));
  }

  void draw_mark(const ChartMark& mark) {
    constexpr const char* classes[] = {"knee", "seal", "retire", "step"};
    const char* const name = classes[static_cast<std::size_t>(mark.kind)];
    // Many seals at full height would hide the lines: these are ticks on the upper edge.
    const bool full = mark.kind == ChartMark::Kind::knee || mark.kind == ChartMark::Kind::step;
    add(R"(<g class="mark {0}"><line x1="{1:.1f}" x2="{1:.1f}" y1="{2}" y2="{3}"/>)", name,
        x_.at(mark.x), top, full ? height - bottom : top + 14);
    if (!mark.name.empty()) {
      add(R"(<text x="{:.1f}" y="{}">{}</text>)", x_.at(mark.x) + 4, top + 10,
          html_text(mark.name));
    }
    add("<title>{}</title></g>", html_text(mark.note));
  }

  void draw_line(const ChartLine& line, std::size_t number) {
    std::string path;
    bool pen_down = false;
    for (const auto& [x, y] : line.points) {
      if (!x_.shows(x) || !y_.shows(y)) {
        pen_down = false;
        continue;
      }
      fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", pen_down ? "L" : "M", x_.at(x),
                     y_.at(y));
      pen_down = true;
    }
    add(R"(<path class="line c{}" d="{}"/>)", number % 4, path);
    for (const auto& [x, y] : line.points) {
      if (line.dots && x_.shows(x) && y_.shows(y)) {
        add(R"(<circle class="dot c{}" cx="{:.1f}" cy="{:.1f}" r="3.5"><title>{}: {} at {}</title>)"
            "</circle>",
            number % 4, x_.at(x), y_.at(y), html_text(line.name), short_number(y), short_number(x));
      }
    }
  }

  // At the lines' ends, moved apart where they would cover one another.
  void names() {
    std::vector<std::pair<double, std::size_t>> places;
    for (std::size_t i = 0; i < chart_.lines.size(); ++i) {
      for (auto at = chart_.lines[i].points.rbegin(); at != chart_.lines[i].points.rend(); ++at) {
        if (x_.shows(at->first) && y_.shows(at->second)) {
          places.emplace_back(y_.at(at->second), i);
          break;
        }
      }
    }
    std::ranges::sort(places);
    double free = top;
    for (const auto& [y, i] : places) {
      const double at = std::max(y, free);
      free = at + 15;
      add(R"(<text class="name c{}" x="{}" y="{:.1f}">{}</text>)", i % 4, width - right + 6, at + 4,
          html_text(chart_.lines[i].name));
    }
  }

  const Chart& chart_;
  Axis x_, y_;
  std::string out_;
};

}  // namespace

std::string svg(const Chart& chart) {
  Bounds x;
  Bounds y;
  for (const ChartLine& line : chart.lines) {
    for (const auto& [at, value] : line.points) {
      if (std::isfinite(at) && std::isfinite(value) && (!chart.log_y || value > 0)) {
        x.take(at);
        y.take(value);
      }
    }
  }
  if (x.empty()) {
    return fmt::format("<p class=\"none\">{}: nothing to show.</p>\n", html_text(chart.title));
  }
  return Drawing(chart, Axis(0, x.high, false, left, width - right),
                 Axis(chart.log_y ? y.low : 0, y.high, chart.log_y, height - bottom, top))
      .draw();
}

std::string svg_ranges(const std::string& title, const std::string& x_name,
                       const std::vector<RangeRow>& rows) {
  constexpr double names_width = 230;
  constexpr double row_height = 24;
  Bounds x;
  for (const RangeRow& row : rows) {
    for (const double value : {row.p50, row.max}) {
      if (value > 0) {
        x.take(value);
      }
    }
  }
  if (x.empty()) {
    return fmt::format("<p class=\"none\">{}: nothing to show.</p>\n", html_text(title));
  }
  const double end = top + row_height * static_cast<double>(rows.size());
  const Axis axis(x.low, x.high, true, names_width, width - 24);
  std::string out;
  const auto add = [&out]<typename... Values>(fmt::format_string<Values...> text,
                                              Values&&... values) {
    fmt::format_to(std::back_inserter(out), text, std::forward<Values>(values)...);
  };
  add(R"(<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">)", width, end + 40,
      html_text(title));
  add(R"(<text class="title" x="0" y="16">{}</text>)", html_text(title));
  for (const double tick : axis.ticks()) {
    add(R"(<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)", axis.at(tick), top,
        end);
    add(R"(<text class="tick middle" x="{:.1f}" y="{}">{}</text>)", axis.at(tick), end + 16,
        short_number(tick));
  }
  add(R"(<text class="tick middle" x="{}" y="{}">{}</text>)", (names_width + width) / 2, end + 34,
      html_text(x_name));
  double y = top + row_height / 2;
  for (const RangeRow& row : rows) {
    add(R"(<text class="tick end" x="{}" y="{:.1f}">{}</text>)", names_width - 8, y + 4,
        html_text(row.name));
    if (row.p50 > 0) {
      const auto line = [&](double from, double to, int thick) {
        add(R"(<line class="line c0" style="stroke-width:{0}" x1="{1:.1f}" x2="{2:.1f}" )"
            R"(y1="{3:.1f}" y2="{3:.1f}"/>)",
            thick, axis.at(from), axis.at(to), y);
      };
      add("<g>");
      line(row.p50, row.max, 1);
      line(row.p50, row.p99, 7);
      for (const double value : {row.p50, row.p90, row.p99}) {
        add(R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)",
            axis.at(value), y - 7, y + 7);
      }
      add("<title>{}: p50 {:.3g}, p90 {:.3g}, p99 {:.3g}, max {:.3g}</title></g>",
          html_text(row.name), row.p50, row.p90, row.p99, row.max);
    }
    y += row_height;
  }
  out += "</svg>\n";
  return out;
}

std::string_view chart_style() {
  return R"(:root{--ink:#1c2430;--soft:#5c6675;--rule:#dfe4ea;--page:#fff;--panel:#f6f8fa;
--c0:#1f6fd0;--c1:#c2570c;--c2:#7a4fc7;--c3:#0f7f6b;--alert:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa5b4;--rule:#2d3642;--page:#12171e;
--panel:#1a212b;--c0:#79b0ff;--c1:#f0a05a;--c2:#b79cf0;--c3:#5cc9b3;--alert:#ff8a80}}
.chart{width:100%;height:auto;display:block;font:12px system-ui,sans-serif}
.chart text{fill:var(--soft)}.chart .title{fill:var(--ink);font-weight:600}
.chart .end{text-anchor:end}.chart .middle{text-anchor:middle}
.chart .grid{stroke:var(--rule)}.chart .axis{stroke:var(--soft)}
.chart .line{fill:none;stroke-width:2;stroke-linejoin:round}.chart .dot{stroke:var(--page)}
.chart .line.c0{stroke:var(--c0)}.chart .line.c1{stroke:var(--c1)}
.chart .line.c2{stroke:var(--c2)}.chart .line.c3{stroke:var(--c3)}
.chart .dot.c0,.chart .name.c0{fill:var(--c0)}.chart .dot.c1,.chart .name.c1{fill:var(--c1)}
.chart .dot.c2,.chart .name.c2{fill:var(--c2)}.chart .dot.c3,.chart .name.c3{fill:var(--c3)}
.mark.knee line{stroke:var(--alert);stroke-width:2;stroke-dasharray:5 4}
.mark.knee text{fill:var(--alert);font-weight:600}
.mark.seal line{stroke:var(--c3);stroke-width:2}
.mark.retire line{stroke:var(--alert);stroke-width:2}
.mark.step line{stroke:var(--rule);stroke-dasharray:2 3})";
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string short_number(double value) {
  const double size = std::abs(value);
  if (size >= 1e9) {
    return fmt::format("{:.3g} G", value / 1e9);
  }
  if (size >= 1e6) {
    return fmt::format("{:.3g} M", value / 1e6);
  }
  if (size >= 1e4) {
    return fmt::format("{:.3g} k", value / 1e3);
  }
  return fmt::format("{:.4g}", value);
}

}  // namespace docket::load
