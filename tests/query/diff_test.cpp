#include "query/diff.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "query/render.hpp"

namespace docket::query {
namespace {

// One line a change: `path: before -> after`, with `-` where it was not there.
std::string changes(std::string_view payload) {
  std::string all;
  for (const FieldChange& change : payload_changes(payload)) {
    all += change.path + ": " + (change.before.empty() ? "-" : change.before) + " -> " +
           (change.after.empty() ? "-" : change.after) + '\n';
  }
  return all;
}

Match whole(std::string text) {
  Match match;
  match.text = std::move(text);
  return match;
}

Match prefix(std::string text) {
  Match match = whole(std::move(text));
  match.prefix = true;
  return match;
}

bool matches(Field field, const Match& match, std::string_view payload) {
  DiffReader reader;
  return diff_matches(field, match, reader.read(payload));
}

TEST(Diff, NumbersOfAnySizeAndHalvesOfSurrogatePairsAreShownAsSent) {
  const std::string_view listed =
      R"({"changes":[{"field":"x","old":"\ud83d","new":18446744073709551616}]})";
  EXPECT_EQ(changes(listed), "x: \"\\ud83d\" -> 18446744073709551616\n");
  EXPECT_TRUE(matches(Field::changed, whole("x"), listed));
  EXPECT_TRUE(matches(Field::new_value, whole("18446744073709551616"), listed));
  // Their texts are one and the same replacement; they differ all the same.
  EXPECT_EQ(
      changes(R"({"before":{"a":"\ud83d","b":"\udc00"},"after":{"a":"\ud83e","b":"\udc00"}})"),
      "a: \"\\ud83d\" -> \"\\ud83e\"\n");
}

TEST(Diff, ListedChangesAreTakenAsTheyStand) {
  EXPECT_EQ(changes(R"({"changes":[{"field":"hourly_limit","old":500,"new":5000},
                                   {"field":"a.b","old":null,"new":"x"},
                                   {"field":"added","new":[1, 2]},
                                   {"field":"removed","old":{"k":1}},
                                   {"field":"same","old":1,"new":1},
                                   {"field":7,"old":1},"odd",{"old":1}]})"),
            "hourly_limit: 500 -> 5000\n"
            "a.b: null -> \"x\"\n"
            "added: - -> [1, 2]\n"
            "removed: {\"k\":1} -> -\n"
            "same: 1 -> 1\n");
}

TEST(Diff, NestedObjectsAreDottedAndUnchangedFieldsLeftOut) {
  EXPECT_EQ(changes(R"({"before":{"name":"A","limits":{"hourly":500,"daily":9},"x":true},
                        "after":{"x":true,"limits":{"daily":9,"hourly":5000},"name":"B"}})"),
            "name: \"A\" -> \"B\"\n"
            "limits.hourly: 500 -> 5000\n");
}

TEST(Diff, ArraysAreComparedPlaceByPlace) {
  EXPECT_EQ(changes(R"({"before":{"tags":["a","b","c"],"m":[{"k":1},{"k":2}]},
                        "after":{"tags":["a","x"],"m":[{"k":1},{"k":3},{"k":4}]}})"),
            "tags[1]: \"b\" -> \"x\"\n"
            "tags[2]: \"c\" -> -\n"
            "m[1].k: 2 -> 3\n"
            "m[2].k: - -> 4\n");
}

TEST(Diff, AddedAndRemovedFieldsAreToldLeafByLeaf) {
  EXPECT_EQ(changes(R"({"before":{"gone":{"a":1,"b":{}},"kept":1},
                        "after":{"kept":1,"come":{"c":[],"d":["x"]}}})"),
            "gone.a: 1 -> -\n"
            "gone.b: {} -> -\n"
            "come.c: - -> []\n"
            "come.d[0]: - -> \"x\"\n");
}

TEST(Diff, AChangeOfTypeIsOneChange) {
  EXPECT_EQ(changes(R"({"before":{"a":{"b":1},"c":"1","d":[1],"e":null,"f":{}},
                        "after":{"a":5,"c":1,"d":{"0":1},"e":false,"f":[]}})"),
            "a: {\"b\":1} -> 5\n"
            "c: \"1\" -> 1\n"
            "d: [1] -> {\"0\":1}\n"
            "e: null -> false\n"
            "f: {} -> []\n");
}

TEST(Diff, ContainersThatEmptyOrFillAreTold) {
  EXPECT_EQ(changes(R"({"before":{"a":{"x":1},"b":[]},"after":{"a":{},"b":[7]}})"),
            "a.x: 1 -> -\nb[0]: - -> 7\n");
}

TEST(Diff, NullOnOneSideIsAThingCreatedOrDeleted) {
  EXPECT_EQ(changes(R"({"before":null,"after":{"name":"A"}})"), "name: - -> \"A\"\n");
  EXPECT_EQ(changes(R"({"before":{"name":"A"},"after":null})"), "name: \"A\" -> -\n");
  EXPECT_EQ(changes(R"({"before":null,"after":{}})"), "");
  EXPECT_EQ(changes(R"({"before":null,"after":null})"), "");
  EXPECT_EQ(changes(R"({"before":{},"after":{}})"), "");
}

TEST(Diff, NumbersKeepTheirTextAndStringsTheirMeaning) {
  EXPECT_EQ(changes(R"({"before":{"n":1.10,"big":12345678901234567890123,"s":"\u00e9"},
                        "after":{"n":1.1,"big":12345678901234567890124,"s":"é"}})"),
            "n: 1.10 -> 1.1\nbig: 12345678901234567890123 -> 12345678901234567890124\n");
}

TEST(Diff, OtherPayloadsHaveNone) {
  for (const std::string_view payload :
       {"", "{}", "[]", "not json", R"({"before":{"a":1}})", R"({"after":{"a":1}})",
        R"({"before":1,"after":2})", R"({"changes":{}})", R"({"changes":[]})",
        R"({"before":{"a":1},"after":{"a":2})"}) {
    EXPECT_EQ(changes(payload), "") << payload;
    EXPECT_TRUE(changed_fields(payload).empty()) << payload;
  }
}

TEST(Diff, OfAKeyGivenTwiceTheFirstCounts) {
  EXPECT_EQ(changes(R"({"before":{"a":1,"a":2},"after":{"a":3,"b":4,"b":5}})"),
            "a: 1 -> 3\nb: - -> 4\n");
}

TEST(Diff, WideObjectsAreNotQuadratic) {
  std::string payload = R"({"before":{)";
  for (const char* side : {"\":1", "\":2"}) {
    for (int i = 0; i < 40'000; ++i) {
      payload += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + side;
    }
    payload += side[2] == '1' ? "},\"after\":{" : "}}";
  }
  EXPECT_EQ(payload_changes(payload).size(), 40'000U);
}

TEST(Diff, ALongKeyAboveManyLeavesIsNotRepeatedForEach) {
  const std::string key(100'000, 'k');
  std::string payload = "{\"before\":{\"" + key + "\":{\"x\":[";
  std::string after = "},\"after\":{\"" + key + "\":{\"x\":[";
  for (int i = 0; i < 50'000; ++i) {
    payload += i == 0 ? "1" : ",1";
    after += i == 0 ? "2" : ",2";
  }
  payload += "]}" + after + "]}}}";
  const auto diff = payload_changes(payload);
  ASSERT_EQ(diff.size(), 1U);
  EXPECT_EQ(diff.front().path, key);
  EXPECT_TRUE(diff.front().before.starts_with("{\"x\":[1,"));
  EXPECT_EQ(
      changes("{\"before\":{\"" + key + "\":{\"x\":1}},\"after\":{\"" + key + "\":{\"x\":1}}}"),
      "");
  // Dots in a long key are no leading parts.
  const std::string dots(50'000, '.');
  EXPECT_LE(changed_fields("{\"before\":{\"" + dots + "\":1},\"after\":{}}").size(), 256U);
}

TEST(Diff, EntriesArePlainText) {
  DiffReader reader;
  EXPECT_EQ(reader.read(R"({"changes":[{"field":"f","old":"a\"b","new":[1,2]},{"field":"g"}]})"),
            (std::vector<DiffEntry>{{"f", "a\"b", "[1,2]", false},
                                    {"g", std::nullopt, std::nullopt, false}}));
  EXPECT_EQ(reader.read(R"({"before":{"a":{"b":null}},"after":{"a":{"b":""}}})"),
            (std::vector<DiffEntry>{{"a.b", "null", "", true}}));
  EXPECT_TRUE(reader.read("{}").empty());
}

TEST(Diff, NamesAreFieldsAndTheLeadingPartsOfPaths) {
  EXPECT_EQ(changed_fields(R"({"before":{"limits":{"per":{"hour":1,"day":1}},"tags":["a"]},
                               "after":{"limits":{"per":{"hour":2,"day":2}},"tags":["b"]}})"),
            (std::vector<std::string>{"limits", "limits.per", "limits.per.hour", "limits.per.day",
                                      "tags", "tags[0]"}));
  EXPECT_EQ(changed_fields(R"({"changes":[{"field":"a.b","old":1},{"field":"a.b","new":2}]})"),
            (std::vector<std::string>{"a.b"}));
}

TEST(Diff, ChangedMatchesExactlyTheNames) {
  const std::string_view payload =
      R"({"before":{"limits":{"hourly":1}},"after":{"limits":{"hourly":2}}})";
  for (const std::string& name : changed_fields(payload)) {
    EXPECT_TRUE(matches(Field::changed, whole(name), payload)) << name;
  }
  EXPECT_TRUE(matches(Field::changed, prefix("limits.h"), payload));
  EXPECT_TRUE(matches(Field::changed, prefix(""), payload));
  EXPECT_FALSE(matches(Field::changed, whole("hourly"), payload));
  EXPECT_FALSE(matches(Field::changed, whole("Limits"), payload));
  EXPECT_FALSE(matches(Field::changed, whole("limits.hour"), payload));
  EXPECT_FALSE(matches(Field::changed, whole("lim"), payload));
  EXPECT_FALSE(matches(Field::changed, prefix(""), R"({"note":"limits"})"));
}

TEST(Diff, OldAndNewMatchWholeValuesOrPrefixes) {
  const std::string_view payload = R"({"changes":[{"field":"n","old":500,"new":5000},)"
                                   R"({"field":"s","old":"Smith, J","new":null}]})";
  EXPECT_TRUE(matches(Field::old_value, whole("500"), payload));
  EXPECT_FALSE(matches(Field::old_value, whole("50"), payload));
  EXPECT_TRUE(matches(Field::old_value, prefix("50"), payload));
  EXPECT_FALSE(matches(Field::old_value, whole("5000"), payload));
  EXPECT_TRUE(matches(Field::new_value, whole("5000"), payload));
  EXPECT_TRUE(matches(Field::old_value, whole("Smith, J"), payload));
  EXPECT_FALSE(matches(Field::old_value, whole("\"Smith, J\""), payload));
  EXPECT_TRUE(matches(Field::new_value, whole("null"), payload));
  // A value that is not there is not the empty one.
  EXPECT_FALSE(matches(Field::old_value, whole(""), R"({"changes":[{"field":"a","new":""}]})"));
  EXPECT_TRUE(matches(Field::new_value, whole(""), R"({"changes":[{"field":"a","new":""}]})"));
  EXPECT_FALSE(matches(Field::old_value, prefix(""), R"({"changes":[{"field":"a","new":1}]})"));
}

}  // namespace
}  // namespace docket::query
