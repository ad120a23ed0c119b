#include "query/cursor.hpp"

#include <gtest/gtest.h>

namespace docket::query {
namespace {

Cursor some_cursor() {
  Cursor cursor;
  cursor.order = Order::oldest_first;
  cursor.query_hash = hash_query("verb:DELETE");
  cursor.ts = -5;
  cursor.seq = Seq(1'048'577);
  cursor.log = "activity";
  cursor.watermarks = {{"activity", Seq(2'000'000), {Seq(17), Seq(1'999'999)}},
                       {"campaign", Seq(0), {}}};
  return cursor;
}

TEST(Cursor, IsReadBackAsItWas) {
  const std::string text = encode_cursor(some_cursor());
  const auto cursor = decode_cursor(text);
  ASSERT_TRUE(cursor);
  EXPECT_EQ(*cursor, some_cursor());
}

TEST(Cursor, NeedsNoQuotingInAUrl) {
  const std::string text = encode_cursor(some_cursor());
  EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "-_"),
            std::string::npos);
}

TEST(Cursor, EveryChangedCharacterIsRefused) {
  const std::string text = encode_cursor(some_cursor());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    const auto cursor = decode_cursor(changed);
    ASSERT_FALSE(cursor) << at;
    EXPECT_EQ(cursor.error().code, ErrorCode::invalid_argument);
  }
}

TEST(Cursor, EveryCutAndForeignTextIsRefused) {
  const std::string text = encode_cursor(some_cursor());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(decode_cursor(text.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_cursor(text + "A"));
  EXPECT_FALSE(decode_cursor(" " + text));
  EXPECT_FALSE(decode_cursor("page 2, please"));
  EXPECT_FALSE(decode_cursor(std::string(1'000'000, 'A')));
}

TEST(Cursor, HoldsAsManyLogsAsThereCanBe) {
  Cursor cursor = some_cursor();
  cursor.watermarks.clear();
  for (std::uint64_t i = 0; i < limits::logs_max; ++i) {
    cursor.watermarks.push_back({std::string(limits::log_name_bytes_max, 'x'), Seq(i), {}});
  }
  const auto decoded = decode_cursor(encode_cursor(cursor));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, cursor);
}

}  // namespace
}  // namespace docket::query
