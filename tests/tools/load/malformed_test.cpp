#include "tools/load/malformed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "engine/batch.hpp"
#include "ingest/event_json.hpp"
#include "ingest/protocol.hpp"

namespace docket::load {
namespace {

using ingest::frame_header_bytes;

constexpr Nanos now = 1'780'000'000'000'000'000;

class MalformedTest : public ::testing::Test {
 protected:
  Generator generator_{{.seed = 1, .events = 1000, .end = now}};
  Malformed malformed_{generator_, 7, 0};
};

TEST_F(MalformedTest, FramesThatKeepTheConnectionPassTheServersFirstChecksAndOthersDoNot) {
  std::size_t ending = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> frame;
    const bool keeps = malformed_.append_frame(frame);
    const auto bytes = std::span(frame).first<frame_header_bytes>();
    const auto header = ingest::parse_frame_header(bytes);
    const auto body = std::span(frame).subspan(frame_header_bytes);
    const bool passes = header && ingest::check_client_frame(*header, true) &&
                        header->body_bytes == body.size() && ingest::frame_is_intact(bytes, body);
    ASSERT_EQ(passes, keeps) << "frame " << i;
    ending += keeps ? 0 : 1;
  }
  EXPECT_GT(ending, 0U);
  EXPECT_LT(ending, 200U);
}

TEST_F(MalformedTest, ChangedBodiesReachTheRulesOfEventsBehindTheirForm) {
  std::size_t malformed = 0;
  std::size_t with_rejected_rows = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> frame;
    if (!malformed_.append_frame(frame)) {
      continue;
    }
    std::vector<std::byte> body(frame.begin() + frame_header_bytes + ingest::batch_prefix_bytes,
                                frame.end());
    const auto admitted = admit_batch(std::move(body), EventRules{}, now, ingest::is_json_object);
    malformed += admitted ? 0 : 1;
    with_rejected_rows += admitted && !admitted->rejected.empty() ? 1 : 0;
  }
  EXPECT_GT(malformed, 10'000U);
  EXPECT_GT(with_rejected_rows, 200U);
}

TEST_F(MalformedTest, LinesAreOneEachAndMostAreRejected) {
  ingest::EventDecoder decoder;
  std::size_t rejected = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string line;
    malformed_.append_line(line);
    ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    ASSERT_EQ(line.back(), '\n');
    line.pop_back();
    rejected += decoder.decode(line, EventRules{}, now) ? 0 : 1;
  }
  EXPECT_GT(rejected, 8'000U);
  EXPECT_LT(rejected, 10'000U);
}

TEST_F(MalformedTest, TheSameSeedMakesTheSameBytes) {
  Malformed again(generator_, 7, 0);
  Malformed other(generator_, 7, 1);
  std::vector<std::byte> first;
  std::vector<std::byte> second;
  std::vector<std::byte> third;
  for (int i = 0; i < 1000; ++i) {
    malformed_.append_frame(first);
    again.append_frame(second);
    other.append_frame(third);
  }
  EXPECT_TRUE(first == second);
  EXPECT_FALSE(first == third);
}

}  // namespace
}  // namespace docket::load
