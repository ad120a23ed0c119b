#include "query/stored_view.hpp"

#include <gtest/gtest.h>

#include "query/render.hpp"

namespace docket::query {
namespace {

Event full_event() {
  Event event;
  event.log = "campaign";
  event.seq = Seq(17);
  event.received = 1'777'000'000'000'000'001;
  event.node = "node-1";
  event.ts = 1'777'000'000'000'000'000;
  event.actor = {"admin", "7", "Ana Lima", "Owner"};
  event.verb = "EDIT";
  event.target = {"List", "5", "Newsletter"};
  event.related = {{"Contact", "1", "a@example.org"}, {"Contact", "2", ""}};
  event.affected = 2;
  event.ip = parse_ip("10.0.0.1");
  event.outcome = Outcome::denied;
  event.reason = "rate_limited";
  event.session = "s1";
  event.request = "r1";
  event.payload = R"({"a": 1})";
  return event;
}

TEST(StoredView, AnEventComesBackWholeFromItsView) {
  const Event event = full_event();
  Event copy;
  copy.related.resize(5);  // what stood there before goes
  copy.session = "another";
  copy_event(ViewedEvent(event).view(), copy);
  EXPECT_EQ(copy, event);
  copy_event(ViewedEvent(Event()).view(), copy);
  EXPECT_EQ(copy, Event());
}

TEST(StoredView, RenderersWriteTheSameOfBoth) {
  const Event event = full_event();
  const ViewedEvent viewed(event);
  const auto both = [&](auto append) {
    std::string of_event, of_view;
    append(of_event, event);
    append(of_view, viewed.view());
    EXPECT_FALSE(of_event.empty());
    EXPECT_EQ(of_view, of_event);
  };
  both([](std::string& out, const auto& e) { append_json(out, e); });
  both([](std::string& out, const auto& e) { append_csv(out, e, false); });
  both([](std::string& out, const auto& e) { append_syslog(out, e); });
  both([](std::string& out, const auto& e) { append_cef(out, e); });
}

}  // namespace
}  // namespace docket::query
