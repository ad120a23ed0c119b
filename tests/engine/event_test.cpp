#include "engine/event.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace docket {
namespace {

constexpr Nanos received = 1'777'000'000'000'000'000;

EventView valid_event() {
  EventView event;
  event.ts = received;
  event.actor = {"user", "17", "Ann", "owner"};
  event.verb = "EDIT";
  event.target = {"Contact", "c-1", "Bob"};
  return event;
}

std::string refusal(const EventView& event, bool strings_are_utf8 = false) {
  const auto checked = check_event(event, {}, received, strings_are_utf8);
  if (checked) {
    return "accepted";
  }
  EXPECT_EQ(checked.error().code, ErrorCode::invalid_argument);
  return checked.error().message;
}

TEST(CheckEvent, AcceptsTheSmallestAndTheLargestEvent) {
  EventView smallest;
  smallest.ts = std::numeric_limits<Nanos>::min();
  smallest.actor = {"k", "i", "", ""};
  smallest.verb = "V";
  smallest.target = {"T", "", ""};
  EXPECT_EQ(refusal(smallest), "accepted");

  const std::string s64(64, 'V');
  const std::string s128(128, 's');
  const std::string s255(255, 's');
  const std::string payload(65536, ' ');
  const std::vector<TargetView> related(256, TargetView{s255, s255, s255});
  EventView largest;
  largest.ts = received + limits::future_ns_max;
  largest.actor = {s255, s255, s255, s255};
  largest.verb = s64;
  largest.target = related[0];
  largest.related = related;
  largest.affected = std::numeric_limits<std::uint64_t>::max();
  largest.reason = s255;
  largest.session = largest.request = s128;
  largest.payload = payload;
  EXPECT_EQ(refusal(largest), "accepted");
}

TEST(CheckEvent, RefusalNamesFieldAndRule) {
  const std::string s65(65, 'V');
  const std::string s129(129, 's');
  const std::string s256(256, 's');
  const std::string payload(65537, ' ');
  const std::string not_utf8 = "\xc3";
  std::vector<TargetView> related(4, TargetView{"List", "1", ""});
  const auto with = [](auto&& change) {
    EventView event = valid_event();
    change(event);
    return refusal(event);
  };
#define CHANGED(statement) with([&](EventView& e) { e.statement; })
  EXPECT_EQ(CHANGED(actor.kind = ""), "actor.kind: is required");
  EXPECT_EQ(CHANGED(actor.kind = s256), "actor.kind: must be 1 to 255 bytes");
  EXPECT_EQ(CHANGED(actor.kind = not_utf8), "actor.kind: is not valid UTF-8");
  EXPECT_EQ(CHANGED(actor.id = ""), "actor.id: is required");
  EXPECT_EQ(CHANGED(actor.id = s256), "actor.id: must be 1 to 255 bytes");
  EXPECT_EQ(CHANGED(actor.id = not_utf8), "actor.id: is not valid UTF-8");
  EXPECT_EQ(CHANGED(actor.name = s256), "actor.name: must be at most 255 bytes");
  EXPECT_EQ(CHANGED(actor.name = not_utf8), "actor.name: is not valid UTF-8");
  EXPECT_EQ(CHANGED(actor.role = s256), "actor.role: must be at most 255 bytes");
  EXPECT_EQ(CHANGED(actor.role = not_utf8), "actor.role: is not valid UTF-8");
  EXPECT_EQ(CHANGED(verb = ""), "verb: is required");
  EXPECT_EQ(CHANGED(verb = s65), "verb: must be 1 to 64 bytes");
  EXPECT_EQ(CHANGED(verb = not_utf8), "verb: is not valid UTF-8");
  EXPECT_EQ(CHANGED(verb = "EDIt"), "verb: must be upper-case");
  EXPECT_EQ(CHANGED(target.type = ""), "target.type: is required");
  EXPECT_EQ(CHANGED(target.type = s256), "target.type: must be 1 to 255 bytes");
  EXPECT_EQ(CHANGED(target.type = not_utf8), "target.type: is not valid UTF-8");
  EXPECT_EQ(CHANGED(target.id = s256), "target.id: must be at most 255 bytes");
  EXPECT_EQ(CHANGED(target.id = not_utf8), "target.id: is not valid UTF-8");
  EXPECT_EQ(CHANGED(target.name = s256), "target.name: must be at most 255 bytes");
  EXPECT_EQ(CHANGED(target.name = not_utf8), "target.name: is not valid UTF-8");
  EXPECT_EQ(CHANGED(reason = s256), "reason: must be at most 255 bytes");
  EXPECT_EQ(CHANGED(reason = not_utf8), "reason: is not valid UTF-8");
  EXPECT_EQ(CHANGED(session = s129), "session: must be at most 128 bytes");
  EXPECT_EQ(CHANGED(session = not_utf8), "session: is not valid UTF-8");
  EXPECT_EQ(CHANGED(request = s129), "request: must be at most 128 bytes");
  EXPECT_EQ(CHANGED(request = not_utf8), "request: is not valid UTF-8");
  EXPECT_EQ(CHANGED(payload = payload), "payload: is larger than 65536 bytes");
  EXPECT_EQ(CHANGED(payload = not_utf8), "payload: is not valid UTF-8");
  EXPECT_EQ(CHANGED(ts = received + limits::future_ns_max + 1),
            "ts: is more than 24 h in the future");

  EXPECT_EQ(CHANGED(related = related), "accepted");
  related[3].type = "";
  EXPECT_EQ(CHANGED(related = related), "related[3].type: is required");
  related[3].type = not_utf8;
  EXPECT_EQ(CHANGED(related = related), "related[3].type: is not valid UTF-8");
  related[3].type = "List";
  related[2].id = s256;
  EXPECT_EQ(CHANGED(related = related), "related[2].id: must be at most 255 bytes");
  related[2].id = "";
  related[0].name = s256;
  EXPECT_EQ(CHANGED(related = related), "related[0].name: must be at most 255 bytes");
  related.assign(257, {"List", "", ""});
  EXPECT_EQ(CHANGED(related = related), "related: has more than 256 entries");
#undef CHANGED
}

TEST(CheckEvent, PayloadLimitIsTheConfiguredOne) {
  EventView event = valid_event();
  const std::string payload(100, ' ');
  event.payload = payload;
  EXPECT_TRUE(check_event(event, {.payload_bytes_max = 100}, received, true));
  const auto checked = check_event(event, {.payload_bytes_max = 99}, received, true);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message, "payload: is larger than 99 bytes");
}

TEST(CheckEvent, ProvenUtf8IsNotCheckedAgain) {
  EventView event = valid_event();
  event.reason = "\xff";
  EXPECT_EQ(refusal(event, true), "accepted");
  EXPECT_EQ(refusal(event, false), "reason: is not valid UTF-8");
}

TEST(CheckEvent, FutureIsJudgedWithoutOverflow) {
  EventView event = valid_event();
  constexpr Nanos least = std::numeric_limits<Nanos>::min();
  constexpr Nanos most = std::numeric_limits<Nanos>::max();
  event.ts = most;
  EXPECT_FALSE(check_event(event, {}, least, true));
  EXPECT_TRUE(check_event(event, {}, most - limits::future_ns_max, true));
  EXPECT_TRUE(check_event(event, {}, most, true));
  event.ts = least;
  EXPECT_TRUE(check_event(event, {}, most, true));
}

// Another algorithm: decode the code point first, judge it afterwards.
bool is_utf8_by_code_points(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t size = 0;
    std::uint32_t code = 0;
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if ((lead & 0xe0) == 0xc0) {
      size = 2;
      code = lead & 0x1f;
    } else if ((lead & 0xf0) == 0xe0) {
      size = 3;
      code = lead & 0x0f;
    } else if ((lead & 0xf8) == 0xf0) {
      size = 4;
      code = lead & 0x07;
    } else {
      return false;
    }
    if (text.size() - i < size) {
      return false;
    }
    for (std::size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) {
        return false;
      }
      code = code << 6 | (next & 0x3f);
    }
    const std::uint32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      return false;
    }
    i += size;
  }
  return true;
}

TEST(IsUtf8, AgreesWithTheDefinitionOnAllShortSequences) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      for (const unsigned c : {0x00U, 0x7fU, 0x80U, 0xbfU, 0xc0U}) {
        for (const unsigned d : {0x41U, 0x80U, 0xbfU, 0xffU}) {
          const char text[] = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                               static_cast<char>(d)};
          for (std::size_t size = 0; size <= 4; ++size) {
            const std::string_view view(text, size);
            ASSERT_EQ(is_utf8(view), is_utf8_by_code_points(view))
                << a << ' ' << b << ' ' << c << ' ' << d << " size " << size;
          }
        }
      }
    }
  }
}

TEST(IsUtf8, AgreesWithTheDefinitionAtEveryAlignment) {
  std::mt19937_64 random(3629);
  const char* const pieces[] = {"a",
                                "plain text",
                                "é",
                                "Ж",
                                "€",
                                "語",
                                "😀",
                                "\xed\x9f\xbf",
                                "\xf4\x8f\xbf\xbf",
                                "\xc0\x80",
                                "\xed\xa0\x80",
                                "\xf4\x90\x80\x80",
                                "\x80",
                                "\xe2\x82"};
  int valid = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (std::uint64_t n = random() % 8; n > 0; --n) {
      // Broken pieces seldom, so that both answers are frequent.
      text += pieces[random() % (random() % 4 == 0 ? std::size(pieces) : 9)];
    }
    const bool expected = is_utf8_by_code_points(text);
    ASSERT_EQ(is_utf8(text), expected) << ::testing::PrintToString(text);
    valid += expected ? 1 : 0;
  }
  EXPECT_GT(valid, 20'000);
  EXPECT_LT(valid, 180'000);
}

TEST(UpperVerb, ChangesAsciiLettersOnly) {
  std::string scratch;
  EXPECT_EQ(upper_verb("sign_in", scratch), "SIGN_IN");
  EXPECT_EQ(upper_verb("Édit-é9", scratch), "ÉDIT-é9");
  EXPECT_EQ(upper_verb("", scratch), "");
}

TEST(UpperVerb, ReturnsTheInputItselfWhereNothingChanges) {
  std::string scratch = "untouched";
  const std::string_view verb = "DELETE_9é";
  EXPECT_EQ(upper_verb(verb, scratch).data(), verb.data());
  EXPECT_EQ(scratch, "untouched");
}

TEST(IsLogName, KeepsToItsPattern) {
  for (const std::string name : {"activity", "a", "a-b_9", "docket"}) {
    EXPECT_TRUE(is_log_name(name)) << name;
  }
  EXPECT_TRUE(is_log_name(std::string(32, 'a')));
  EXPECT_FALSE(is_log_name(std::string(33, 'a')));
  for (const std::string name : {"", "9a", "-a", "_a", "A", "aB", "a.b", "a/b", "..", "é", "a "}) {
    EXPECT_FALSE(is_log_name(name)) << name;
  }
}

TEST(Outcome, NamesAreReadBackInAnyCase) {
  for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::denied}) {
    EXPECT_EQ(parse_outcome(to_string(outcome)), outcome);
  }
  EXPECT_EQ(parse_outcome("DENIED"), Outcome::denied);
  EXPECT_EQ(parse_outcome("Failure"), Outcome::failure);
  for (const char* text : {"", "succes", "success ", "ok"}) {
    EXPECT_EQ(parse_outcome(text), std::nullopt) << text;
  }
}

TEST(ViewOf, ShowsEveryField) {
  Event event;
  event.ts = 5;
  event.actor = {"user", "17", "Ann", "owner"};
  event.verb = "EDIT";
  event.target = {"Contact", "c-1", "Bob"};
  event.related = {{"List", "1", "L"}, {"Drip", "2", ""}};
  event.affected = 3;
  event.ip = parse_ip("10.0.0.1");
  event.outcome = Outcome::denied;
  event.reason = "r";
  event.session = "s";
  event.request = "q";
  event.payload = "{}";
  std::vector<TargetView> scratch(7);
  const EventView view = view_of(event, scratch);
  EXPECT_EQ(view.ts, 5);
  EXPECT_EQ(view.actor.kind, "user");
  EXPECT_EQ(view.actor.id, "17");
  EXPECT_EQ(view.actor.name, "Ann");
  EXPECT_EQ(view.actor.role, "owner");
  EXPECT_EQ(view.verb, "EDIT");
  EXPECT_EQ(view.target, (TargetView{"Contact", "c-1", "Bob"}));
  ASSERT_EQ(view.related.size(), 2U);
  EXPECT_EQ(view.related[0], (TargetView{"List", "1", "L"}));
  EXPECT_EQ(view.related[1], (TargetView{"Drip", "2", ""}));
  EXPECT_EQ(view.affected, 3U);
  EXPECT_EQ(view.ip, event.ip);
  EXPECT_EQ(view.outcome, Outcome::denied);
  EXPECT_EQ(view.reason, "r");
  EXPECT_EQ(view.session, "s");
  EXPECT_EQ(view.request, "q");
  EXPECT_EQ(view.payload, "{}");
}

// Every comparison of these tests rests on it.
TEST(Event, AnyFieldThatDiffersMakesAnotherEvent) {
  const std::vector<std::function<void(Event&)>> changes = {
      [](Event& e) { e.log = "x"; },
      [](Event& e) { e.seq += 1; },
      [](Event& e) { ++e.received; },
      [](Event& e) { e.node = "x"; },
      [](Event& e) { ++e.ts; },
      [](Event& e) { e.actor.kind = "x"; },
      [](Event& e) { e.actor.id = "x"; },
      [](Event& e) { e.actor.name = "x"; },
      [](Event& e) { e.actor.role = "x"; },
      [](Event& e) { e.verb = "x"; },
      [](Event& e) { e.target.type = "x"; },
      [](Event& e) { e.target.id = "x"; },
      [](Event& e) { e.target.name = "x"; },
      [](Event& e) { e.related.push_back({"List", "1", ""}); },
      [](Event& e) { ++e.affected; },
      [](Event& e) { e.ip = IpAddress{}; },
      [](Event& e) { e.outcome = Outcome::failure; },
      [](Event& e) { e.reason = "x"; },
      [](Event& e) { e.session = "x"; },
      [](Event& e) { e.request = "x"; },
      [](Event& e) { e.payload = "x"; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Event event;
    changes[i](event);
    EXPECT_FALSE(event == Event()) << i;
    Event same;
    changes[i](same);
    EXPECT_TRUE(event == same) << i;
  }
  EXPECT_FALSE((TargetView{"a", "b", "c"}) == (TargetView{"x", "b", "c"}));
  EXPECT_FALSE((TargetView{"a", "b", "c"}) == (TargetView{"a", "x", "c"}));
  EXPECT_FALSE((TargetView{"a", "b", "c"}) == (TargetView{"a", "b", "x"}));
}

}  // namespace
}  // namespace docket
