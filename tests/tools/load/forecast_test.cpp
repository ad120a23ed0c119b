#include "tools/load/forecast.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>

#include "tools/load/json_writer.hpp"

namespace docket::load {
namespace {

PlanRequest request() {
  PlanRequest made;
  made.events_per_day = 8'640'000;  // 100 a second
  made.retention_days = 100;
  made.peak_factor = 5;
  made.head_room = 0.25;
  return made;
}

Calibration calibration() {
  Calibration made;
  made.capacity = 400'000;
  made.capacity_cores = 0.8;
  made.seal_ns = 500;
  made.bytes_per_event = 50;
  made.events_per_segment = 216'000;
  made.memory_bytes = 100.0 * (1U << 20);
  made.mean = LoadFigures{100, {0.02, 0.01, 0.03}, {0.5, 0.5, 0.5}, {2, 1, 3}};
  made.peak = LoadFigures{500, {0.09, 0.09, 0.09}, {0.6, 0.6, 0.6}, {3, 3, 3}};
  made.small_events = 100'000;
  made.large_events = 200'000;
  made.questions = {{"all", 0, 1, 2}, {"week", 7, 1, 2}, {"flat", 0, 0.3, 0.2}};
  return made;
}

std::optional<double> value_of(const std::vector<ForecastItem>& items, const std::string& key) {
  const auto found = std::ranges::find(items, key, &ForecastItem::key);
  EXPECT_NE(found, items.end()) << key;
  return found == items.end() ? std::nullopt : found->value;
}

TEST(Forecast, RatesFollowFromTheDayAndThePeak) {
  const auto items = make_forecast(request(), calibration());
  EXPECT_DOUBLE_EQ(*value_of(items, "rate_mean"), 100);
  EXPECT_DOUBLE_EQ(*value_of(items, "rate_peak"), 500);
}

TEST(Forecast, DiskIsBytesTimesEventsKeptAndWhatIsProvidedHasHeadRoomAndTheReserve) {
  const auto items = make_forecast(request(), calibration());
  EXPECT_DOUBLE_EQ(*value_of(items, "disk_bytes"), 50.0 * 864'000'000);
  EXPECT_DOUBLE_EQ(*value_of(items, "disk_bytes_provision"),
                   50.0 * 864'000'000 * 1.25 + 256.0 * (1U << 20));
}

TEST(Forecast, CoresAreWholeOnesThatThePeakDoesNotFill) {
  Calibration busy = calibration();
  EXPECT_EQ(value_of(make_forecast(request(), busy), "cores_provision"), 1);
  busy.peak->cores.median = 1.3;
  EXPECT_EQ(value_of(make_forecast(request(), busy), "cores_provision"), 3) << "1.3 / 0.6";
}

TEST(Forecast, WhatTheMachineDoesNotTakeIsScaledAndItsLatencyIsUnknown) {
  Calibration small = calibration();
  small.capacity = 200;
  small.capacity_cores = 1;
  small.peak.reset();
  const auto items = make_forecast(request(), small);
  EXPECT_DOUBLE_EQ(*value_of(items, "cores_peak"), 2.5);
  EXPECT_EQ(value_of(items, "ack_p99_ms_peak"), std::nullopt);
  EXPECT_EQ(value_of(items, "ack_p99_ms_mean"), 2);
}

TEST(Forecast, QuestionsGrowWithTheEventsTheyHaveToDoWith) {
  const auto items = make_forecast(request(), calibration());
  // A ms for each 100,000 events: 864 M of them, and 60.48 M of a week.
  EXPECT_NEAR(*value_of(items, "question_1_p50_ms"), 2 + (864'000'000 - 200'000) / 1e5, 1e-6);
  EXPECT_NEAR(*value_of(items, "question_2_p50_ms"), 2 + (60'480'000 - 200'000) / 1e5, 1e-6);
  EXPECT_DOUBLE_EQ(*value_of(items, "question_3_p50_ms"), 0.2) << "does not shrink";
}

TEST(Forecast, EveryFigureSaysHowItWasDerived) {
  for (const ForecastItem& item : make_forecast(request(), calibration())) {
    EXPECT_FALSE(item.how.empty()) << item.key;
    EXPECT_FALSE(item.unit.empty()) << item.key;
  }
}

TEST(Forecast, ASecondCalibrationIsComparedFigureByFigure) {
  Calibration again = calibration();
  again.bytes_per_event = 40;
  again.peak->ack_p99_ms.median = 4;
  const auto comparisons = compare(calibration(), again);
  ASSERT_EQ(comparisons.size(), 8U);
  EXPECT_DOUBLE_EQ(comparisons[0].deviation(), 0.25);
  EXPECT_DOUBLE_EQ(comparisons[1].deviation(), 0);
  EXPECT_DOUBLE_EQ(comparisons[7].deviation(), -0.25);
  EXPECT_DOUBLE_EQ(comparisons[4].apart, 1) << "the p99 at the mean, 1 to 3 ms around 2";
  EXPECT_DOUBLE_EQ(comparisons[7].apart, 0);
  again.peak.reset();
  EXPECT_EQ(compare(calibration(), again).size(), 5U);
}

TEST(Forecast, IsWrittenAsJson) {
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  write_json(json, request());
  write_json(json, calibration());
  Calibration small = calibration();
  small.peak.reset();
  write_json(json, make_forecast(request(), small));
  write_json(json, compare(calibration(), calibration()), 0.15);
  json.end_array();
  simdjson::dom::parser parser;
  const simdjson::dom::array read = parser.parse(text);
  EXPECT_EQ(read.at(0)["retention_days"].get_double().value(), 100);
  EXPECT_EQ(read.at(1)["mean"]["ack_p99_ms"]["median"].get_double().value(), 2);
  bool has_unknown = false;
  for (const simdjson::dom::element item : read.at(2).get_array()) {
    has_unknown |= item["value"].is_null();
  }
  EXPECT_TRUE(has_unknown);
  EXPECT_TRUE(read.at(3).at(0)["within"].get_bool().value());
}

TEST(Forecast, ValuesHaveTheirUnits) {
  EXPECT_EQ(readable_value(1024.0 * 1024 * 1024, "bytes"), "1.00 GiB");
  EXPECT_EQ(readable_value(1234.5, "events/s"), "1,235 events/s");
  EXPECT_EQ(readable_value(0.1234, "cores"), "0.123 cores");
}

}  // namespace
}  // namespace docket::load
