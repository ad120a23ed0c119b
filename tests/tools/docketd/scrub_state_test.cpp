#include "tools/docketd/scrub_state.hpp"

#include <gtest/gtest.h>

namespace docket::server {
namespace {

ScrubState some_state() {
  ScrubState state;
  state.begun = 1'777'593'600'000'000'000;
  state.ended = 1'777'000'000'123'456'789;
  state.log = "activity";
  state.segment = 17;
  state.told = {{"data/logs/activity/17.seg", 4096}, {"data/a file", 0}};
  return state;
}

TEST(ScrubState, ComesBackAsItWas) {
  for (const ScrubState& state : {some_state(), ScrubState()}) {
    EXPECT_EQ(decode_scrub_state(encode_scrub_state(state)), state);
  }
}

TEST(ScrubState, AnyFlippedBitOrMissingByteMeansToBeginAnew) {
  const std::string text = encode_scrub_state(some_state());
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(decode_scrub_state(flipped), ScrubState()) << bit;
  }
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    EXPECT_EQ(decode_scrub_state(text.substr(0, bytes)), ScrubState()) << bytes;
  }
}

TEST(ScrubState, ARoundIsUnderWayFromItsBeginningToItsEnd) {
  ScrubState state;
  EXPECT_FALSE(state.is_under_way());
  state.begun = 5;
  EXPECT_TRUE(state.is_under_way());
  state.ended = 9;
  EXPECT_FALSE(state.is_under_way());
}

}  // namespace
}  // namespace docket::server
