#include "engine/segment_survey.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "engine/limits.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

class SegmentSurveyTest : public ::testing::Test {
 protected:
  // Looks at all blocks of the file.
  void look_at(testing::HotFile& file) {
    static_cast<void>(disk_.make_directories("log"));
    hot_ = file.open(disk_, "log/1.hot", cache_);
    std::vector<IdMaps> maps;
    const auto blocks = hot_->blocks().value();
    for (std::uint32_t b = 0; b < blocks.size(); ++b) {
      maps.push_back(merge_.add(**hot_->dictionaries(b)).value());
    }
    merge_.sort();
    survey_.emplace(*hot_, SegmentSurvey::Sizes{merge_.actor_count(), merge_.target_count(),
                                                merge_.size(DictionaryField::ip)});
    for (std::uint32_t b = 0; b < blocks.size(); ++b) {
      merge_.finish(maps[b]);
      ASSERT_TRUE(survey_->look_at(b, maps[b]));
    }
  }

  testing::SimDisk disk_;
  SectionCache cache_{8 << 20};
  DictionaryMerge merge_;
  std::shared_ptr<const SegmentBase> hot_;
  std::optional<SegmentSurvey> survey_;
};

TEST_F(SegmentSurveyTest, CountsIdsOfAllBlocksRelatedTargetsAmongThem) {
  Event often = testing::plain_event(1);
  often.related = {{"List", "often", ""}};
  often.target = {"List", "own", ""};
  testing::HotFile file;
  file.add(std::vector<Event>(10, often));
  file.add(std::vector<Event>(10, often));
  file.add(testing::plain_events(3));
  look_at(file);
  const std::vector<std::uint32_t> targets = survey_->targets().ids();
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(merge_.target(targets[0]).first, "often");
  EXPECT_EQ(merge_.target(targets[1]).first, "own");
  const std::vector<std::uint32_t> actors = survey_->actors().ids();
  ASSERT_FALSE(actors.empty());
  EXPECT_EQ(merge_.actor(actors[0]).first, often.actor.id);
}

TEST_F(SegmentSurveyTest, LearnsTokensFromManyPayloadsAndNoneFromFew) {
  testing::RandomEvents random(1);
  testing::HotFile few;
  few.add(random.take(100));
  look_at(few);
  EXPECT_FALSE(survey_->payload_tokens());

  testing::HotFile many;
  for (int n = 0; n < 3; ++n) {
    many.add(random.take(limits::block_rows_max));
  }
  merge_ = DictionaryMerge();
  look_at(many);
  EXPECT_TRUE(survey_->payload_tokens());
}

TEST_F(SegmentSurveyTest, LearnsWholePayloadsFromSmallBlocks) {
  // Blocks whose share of a sample is less than a payload.
  const std::string tail = "the end of a payload that is long enough";
  testing::HotFile file;
  for (std::uint64_t n = 0; n < 2500; ++n) {
    Event event = testing::plain_event(n);
    event.payload = "{\"x\":\"" + std::string(300 + n % 50, static_cast<char>('a' + n % 26)) +
                    std::to_string(n * 7919) + tail + "\"}";
    file.add({event});
  }
  look_at(file);
  const auto tokens = survey_->payload_tokens();
  ASSERT_TRUE(tokens);
  EXPECT_TRUE(std::any_of(tokens->texts.begin(), tokens->texts.end(), [&](const auto& text) {
    return text.size() > 20 && text.find(tail.substr(10, 20)) != std::string::npos;
  }));
}

}  // namespace
}  // namespace docket
