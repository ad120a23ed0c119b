#include "tools/docket/event_walk.hpp"

#include <gtest/gtest.h>

#include "query/parser.hpp"
#include "tests/tools/api/store_fixture.hpp"

namespace docket::cli {
namespace {

// The API of a store in this process.
class ServiceSource final : public Source {
 public:
  explicit ServiceSource(const api::Service& service) : service_(service) {}

  [[nodiscard]] Result<std::string> get(const std::string& path,
                                        const api::Parameters& parameters) override {
    ++asked;
    api::Answer answer = service_.get(api::find_route("GET", path), parameters, nullptr);
    if (answer.status != 200) {
      return fail(ErrorCode::not_found, answer.body);
    }
    return std::move(answer.body);
  }
  [[nodiscard]] Result<api::ExportSummary> export_events(
      const api::Parameters&, const std::function<bool(std::string_view)>&) override {
    return fail(ErrorCode::not_found, "not here");
  }
  [[nodiscard]] Result<void> follow(const api::Parameters&, const Follower&) override {
    return fail(ErrorCode::not_found, "not here");
  }

  int asked = 0;

 private:
  const api::Service& service_;
};

class EventWalk : public api::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    std::vector<Event> events;
    for (int i = 0; i < 2500; ++i) {
      events.push_back(event(i));
    }
    add("activity", events);
    source_ = std::make_unique<ServiceSource>(*service_);
  }

  // The seqs that a walk gives.
  std::vector<std::uint64_t> walk(std::uint64_t wanted, bool& more, std::size_t stop_after = 1e6) {
    api::Parameters parameters;
    parameters.set("oldest", "1");
    std::vector<std::uint64_t> seqs;
    const auto walked = walk_events(*source_, parameters, wanted, [&](const Event& each) {
      seqs.push_back(each.seq.value);
      return seqs.size() < stop_after;
    });
    EXPECT_TRUE(walked);
    more = walked && walked->more;
    return seqs;
  }

  std::unique_ptr<ServiceSource> source_;
};

TEST_F(EventWalk, GivesEachEventOnceOverAllPages) {
  bool more = true;
  const auto seqs = walk(UINT64_MAX, more);
  ASSERT_EQ(seqs.size(), 2500U);
  EXPECT_FALSE(more);
  for (std::size_t i = 0; i < seqs.size(); ++i) {
    ASSERT_EQ(seqs[i], i + 1);
  }
}

TEST_F(EventWalk, SaysWhetherThereWasMoreThanWanted) {
  bool more = false;
  EXPECT_EQ(walk(2499, more).size(), 2499U);
  EXPECT_TRUE(more);
  EXPECT_EQ(walk(2500, more).size(), 2500U);
  EXPECT_FALSE(more);
  EXPECT_EQ(walk(1000, more).size(), 1000U);
  EXPECT_TRUE(more);
  EXPECT_EQ(walk(0, more).size(), 0U);
  EXPECT_TRUE(more);
}

TEST_F(EventWalk, AsksForNoMoreThanIsTaken) {
  bool more = false;
  EXPECT_EQ(walk(UINT64_MAX, more, 3).size(), 3U);
  EXPECT_EQ(source_->asked, 1);
}

TEST_F(EventWalk, AConditionTakesAnyValueAsItIs) {
  for (const std::string value : {"17", "user:17", "a\"b\\c", "x*", "a b", "-(", "ü,ö"}) {
    const auto parsed = query::parse(condition("actor", value), {});
    ASSERT_TRUE(parsed) << value;
    ASSERT_EQ(parsed->where->matches.size(), 1U);
    EXPECT_EQ(parsed->where->matches[0].text, value);
    EXPECT_FALSE(parsed->where->matches[0].prefix);
  }
}

TEST_F(EventWalk, AnEventIsFoundByItsName) {
  const auto found = event_json(*source_, "activity:17");
  ASSERT_TRUE(found);
  EXPECT_NE(found->find("\"seq\":17"), std::string::npos);
  for (const char* name : {"", "activity", "activity:", ":1"}) {
    EXPECT_EQ(event_json(*source_, name).error().code, ErrorCode::invalid_argument) << name;
  }
}

}  // namespace
}  // namespace docket::cli
