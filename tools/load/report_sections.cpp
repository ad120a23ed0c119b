#include "tools/load/report_sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "tools/load/chart.hpp"
#include "tools/load/latency_histogram.hpp"

namespace docket::load {
namespace {

using simdjson::dom::element;

constexpr std::size_t points_max = 600;  // of a chart over time: more than there are pixels
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

double number(const element& value) {
  return value.is_null() ? no_number : value.get_double().value();
}

std::string text(const element& value) {
  return std::string(value.get_string().value());
}

struct Asked {
  std::string name;
  double failed = 0;
  LatencyHistogram latency;
};

// Adds what was asked to `all`, question by question.
void merge_questions(const element& questions, std::vector<Asked>& all) {
  std::size_t at = 0;
  for (const element question : questions.get_array()) {
    if (at == all.size()) {
      all.push_back({text(question["name"]), 0, {}});
    }
    const element histogram = question["latency_histogram_ns"];
    std::vector<LatencyHistogram::Bucket> buckets;
    for (const element bucket : histogram["buckets"].get_array()) {
      buckets.emplace_back(bucket.at(0).get_int64().value(), bucket.at(1).get_uint64().value());
    }
    const auto restored = LatencyHistogram::restore(buckets, histogram["max"].get_int64().value(),
                                                    histogram["sum"].get_uint64().value());
    if (!restored) {
      throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
    }
    all[at].latency.merge(*restored);
    all[at].failed += number(question["failed"]);
    ++at;
  }
}

std::string question_charts(const std::vector<Asked>& questions, const std::string& title) {
  std::vector<RangeRow> rows;
  std::vector<std::vector<std::string>> cells;
  for (const Asked& question : questions) {
    const auto ms = [&question](double share) {
      return static_cast<double>(question.latency.percentile(share)) / 1e6;
    };
    rows.push_back({question.name, ms(0.5), ms(0.9), ms(0.99), ms(1)});
    const RangeRow& row = rows.back();
    cells.push_back({html_text(row.name), fmt::format("{}", question.latency.count()),
                     fmt::format("{}", question.failed), fmt::format("{:.2f}", row.p50),
                     fmt::format("{:.2f}", row.p90), fmt::format("{:.2f}", row.p99),
                     fmt::format("{:.2f}", row.max)});
  }
  return svg_ranges(title, "ms: median, 90th, 99th percentile, largest", rows) +
         html_table({"question", "answered", "failed", "p50 ms", "p90 ms", "p99 ms", "max ms"},
                    cells);
}

struct Knee {
  bool found = false;
  std::size_t step = 0;
  double rate = 0;
};

Knee knee_of(const element& document) {
  const element knee = document["knee"];
  if (knee.is_null()) {
    return {};
  }
  return {true, knee["step"].get_uint64().value(), number(knee["rate"])};
}

std::string latency_chart(const element& document, const Knee& knee) {
  Chart chart;
  chart.title = "Durable-ack latency against offered rate";
  chart.x_name = "events offered a second";
  chart.y_name = "ms, logarithmic";
  chart.log_y = true;
  for (const char* share : {"p50", "p99", "p99.9"}) {
    ChartLine& line = chart.lines.emplace_back();
    line.name = share;
    line.dots = true;
    for (const element step : document["steps"].get_array()) {
      line.points.emplace_back(number(step["run"]["rate"]),
                               number(step["run"]["ack_latency_ms"].get_object()[share]));
    }
  }
  if (knee.found) {
    chart.marks.push_back({knee.rate, "knee", fmt::format("knee at {:.0f} events/s", knee.rate),
                           ChartMark::Kind::knee});
  }
  return svg(chart);
}

std::string delivered_chart(const element& document, const Knee& knee) {
  Chart chart;
  chart.title = "Events that became durable against offered rate";
  chart.x_name = "events offered a second";
  chart.y_name = "events/s";
  chart.lines = {{"durable", {}, true}, {"offered", {}, false}};
  for (const element step : document["steps"].get_array()) {
    const double rate = number(step["run"]["rate"]);
    chart.lines[0].points.emplace_back(rate, number(step["run"]["events_per_second"]));
    chart.lines[1].points.emplace_back(rate, rate);
  }
  if (knee.found) {
    chart.marks.push_back({knee.rate, "knee", fmt::format("knee at {:.0f} events/s", knee.rate),
                           ChartMark::Kind::knee});
  }
  return svg(chart);
}

std::vector<std::string> step_row(const element& step, bool is_knee) {
  const element run = step["run"];
  const element latency = run["ack_latency_ms"];
  const element server = run["server"];
  const element store = run["store"];
  const double seconds = number(run["seconds"]);
  std::string cores = "–";
  std::string memory = "–";
  std::string written = "–";
  if (!server.is_null()) {
    cores = fmt::format("{:.2f}", number(server["cpu_seconds"]) / seconds);
    memory = fmt::format("{:.0f}", number(server["resident_bytes_max"]) / (1U << 20));
    written = number_or_dash(server["written_bytes_per_event"], "{:.1f}");
  }
  std::string bytes = "–";
  if (!store.is_null()) {
    bytes = fmt::format("{:.1f}", number(store["bytes"]) / number(store["events"]));
  }
  return {fmt::format("{:.0f}{}", number(run["rate"]), is_knee ? " (knee)" : ""),
          fmt::format("{:.0f}{}", number(run["events_per_second"]),
                      step["sustained"].get_bool().value() ? "" : " (not sustained)"),
          number_or_dash(latency["p50"], "{:.2f}"),
          number_or_dash(latency["p99"], "{:.2f}"),
          number_or_dash(latency.get_object()["p99.9"], "{:.2f}"),
          number_or_dash(run["send_lag_ms"]["p99"], "{:.2f}"),
          cores,
          memory,
          bytes,
          written};
}

std::string run_list(const element& run) {
  const element latency = run["ack_latency_ms"];
  return html_table(
      {"events", "events/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms"},
      {{fmt::format("{}", number(run["durable"])),
        fmt::format("{:.0f}", number(run["events_per_second"])),
        number_or_dash(latency["p50"], "{:.2f}"), number_or_dash(latency["p99"], "{:.2f}"),
        number_or_dash(latency.get_object()["p99.9"], "{:.2f}"),
        number_or_dash(latency["max"], "{:.2f}")}});
}

}  // namespace

std::string number_or_dash(const element& value, std::string_view form) {
  if (value.is_null()) {
    return "–";
  }
  const double shown = value.get_double().value();
  return fmt::vformat(form, fmt::make_format_args(shown));
}

std::string html_table(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<div class=\"scroll\"><table><thead><tr>";
  for (const std::string& cell : head) {
    out += "<th>" + html_text(cell) + "</th>";
  }
  out += "</tr></thead><tbody>";
  for (const std::vector<std::string>& row : rows) {
    out += "<tr>";
    for (const std::string& cell : row) {
      out += "<td>" + cell + "</td>";
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>\n";
}

std::string machine_line(const element& document) {
  const element machine = document["machine"];
  std::string line =
      fmt::format("<p class=\"machine\">docket-load {} on {} × {}, {:.0f} GiB, {}",
                  html_text(text(document["version"])), number(machine["cores"]),
                  html_text(text(machine["processor"])),
                  number(machine["memory_bytes"]) / (1U << 30), html_text(text(machine["kernel"])));
  const element disk = document["disk"];
  if (!disk.is_null()) {
    line += fmt::format("; {}, write + fdatasync of 4 KiB: p50 {:.3f} ms, p99 {:.3f} ms",
                        html_text(text(disk["file_system"])), number(disk["fdatasync_4k_p50_ms"]),
                        number(disk["fdatasync_4k_p99_ms"]));
  }
  return line + "</p>\n";
}

std::string timeline_charts(const std::vector<element>& runs) {
  std::size_t points = 0;
  for (const element& run : runs) {
    points += run["timeline"]["points"].get_array().value().size();
  }
  const std::size_t together = std::max<std::size_t>(1, (points + points_max - 1) / points_max);
  Chart rate;
  rate.title = "Events that became durable, over time";
  rate.x_name = "seconds";
  rate.y_name = "events/s";
  rate.lines = {{"events/s", {}, false}};
  Chart latency;
  latency.title = "Durable-ack latency, over time";
  latency.x_name = "seconds";
  latency.y_name = "ms, logarithmic";
  latency.log_y = true;
  latency.lines = {{"p99", {}, false}};
  double start = 0;
  double sealed = 0;
  double retired = 0;
  for (const element& run : runs) {
    double before = 0;
    double events = 0;
    double p99 = 0;
    double end = 0;
    std::size_t in_group = 0;
    const auto close_group = [&] {
      if (in_group > 0 && end > before) {
        rate.lines[0].points.emplace_back(start + end, events / (end - before));
        latency.lines[0].points.emplace_back(start + end, p99 > 0 ? p99 : no_number);
      }
      before = end;
      events = p99 = 0;
      in_group = 0;
    };
    for (const element point : run["timeline"]["points"].get_array()) {
      const simdjson::dom::array fields = point.get_array();
      end = number(fields.at(0));
      events += number(fields.at(1));
      p99 = std::max(p99, number(fields.at(3)));
      const auto mark = [&](std::size_t field, ChartMark::Kind kind, const char* what) {
        const double count = number(fields.at(field));
        if (count > 0) {
          rate.marks.push_back(
              {start + end, "", fmt::format("{} {} at {:.1f} s", count, what, start + end), kind});
          latency.marks.push_back(rate.marks.back());
        }
        return count;
      };
      sealed += mark(4, ChartMark::Kind::seal, "segments sealed");
      retired += mark(5, ChartMark::Kind::retire, "segments retired");
      if (++in_group == together) {
        close_group();
      }
    }
    close_group();
    start += end;
    rate.lines[0].points.emplace_back(start, no_number);
    latency.lines[0].points.emplace_back(start, no_number);
    if (runs.size() > 1) {
      rate.marks.push_back({start, "", "end of a step", ChartMark::Kind::step});
      latency.marks.push_back(rate.marks.back());
    }
  }
  std::string note =
      fmt::format("<p>{} segments sealed and {} retired meanwhile: the ticks at the upper edge.",
                  sealed, retired);
  if (together > 1) {
    note +=
        fmt::format(" Each point stands for {} slices: their mean rate and largest p99.", together);
  }
  return svg(rate) + svg(latency) + note + "</p>\n";
}

std::string sweep_section(const element& document) {
  const Knee knee = knee_of(document);
  std::string out = "<h2>Sweep of offered rates</h2>\n" + machine_line(document);
  out += fmt::format("<p>{} over {} connection(s); {} s at each rate after {} s of warm-up",
                     html_text(text(document["protocol"])), number(document["connections"]),
                     number(document["seconds"]), number(document["warm_up_seconds"]));
  const element capacity = document["capacity_events_per_second"];
  if (!capacity.is_null()) {
    out += fmt::format("; flat out {} events/s", short_number(number(capacity)));
  }
  out += ". Latency counts from when an event was due until it was known to be durable.</p>\n";
  std::vector<element> runs;
  std::vector<std::vector<std::string>> rows;
  for (const element step : document["steps"].get_array()) {
    rows.push_back(step_row(step, knee.found && rows.size() == knee.step));
    runs.push_back(step["run"]);
  }
  out += knee.found ? fmt::format(
                          "<p class=\"key\">Knee: <b>{} events/s</b>. Beyond it waiting "
                          "grows faster than what is done.</p>\n",
                          short_number(knee.rate))
                    : "<p class=\"key\">No knee: not even the lowest rate was sustained.</p>\n";
  out += latency_chart(document, knee) + delivered_chart(document, knee);
  out += html_table({"offered/s", "durable/s", "p50 ms", "p99 ms", "p99.9 ms", "sent late p99 ms",
                     "server cores", "peak MiB", "store bytes an event", "written bytes an event"},
                    rows);
  out += "<h3>Over time</h3>\n" + timeline_charts(runs);
  std::vector<Asked> meanwhile;
  std::size_t number_of_step = 0;
  for (const element step : document["steps"].get_array()) {
    if (knee.found && number_of_step++ <= knee.step) {
      merge_questions(step["questions"], meanwhile);
    }
  }
  std::vector<Asked> at_rest;
  merge_questions(document["questions_at_rest"], at_rest);
  if (!meanwhile.empty()) {
    out += "<h3>Questions while events come</h3>\n";
    out += question_charts(meanwhile, "At the rates up to the knee, of a store that grows");
  }
  if (!at_rest.empty()) {
    out += "<h3>Questions at rest</h3>\n" + question_charts(at_rest, "Of the whole store, at rest");
  }
  return out;
}

std::string send_section(const element& document) {
  std::string out = "<h2>Runs</h2>\n" + machine_line(document);
  std::vector<element> runs;
  for (const element run : document["runs"].get_array()) {
    runs.push_back(run);
    out += run_list(run);
  }
  return out + timeline_charts(runs);
}

}  // namespace docket::load
