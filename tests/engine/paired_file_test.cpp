// What both kinds of such files rely on; manifest_test.cpp and log_list_test.cpp go through the
// rest.
#include "engine/paired_file.hpp"

#include <gtest/gtest.h>

#include "engine/bytes.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::SimDisk;

constexpr PairedFile kind{"DKTTEST1", "thing", 1 << 10};
const CopyPaths paths{"d/thing.a", "d/thing.b"};

struct Thing {
  std::uint64_t generation = 0;
  std::string text;
};

std::vector<std::byte> encode(const Thing& thing) {
  std::vector<std::byte> content;
  append_le(content, thing.generation);
  append_bytes(content, as_byte_span(thing.text));
  return encode_paired(kind, content);
}

Result<Thing> decode(std::span<const std::byte> bytes) {
  DOCKET_ASSIGN(const auto content, decode_paired(kind, bytes));
  return Thing{load_le<std::uint64_t>(content.data()), std::string(as_text(content.subspan(8)))};
}

// The text of what is loaded, or the error's name; "*" behind it: both copies say so.
std::string load(Disk& disk) {
  std::vector<std::string> damaged;
  const auto loaded = load_newest<Thing>(disk, kind, paths, decode, damaged);
  return loaded ? loaded->value.text + (loaded->is_in_both_copies ? "*" : "")
                : std::string(to_string(loaded.error().code));
}

TEST(PairedFile, NewestOfWhatIsThereCounts) {
  SimDisk disk;
  EXPECT_EQ(load(disk), "not_found");
  disk.plant(paths[1], encode({1, "old"}));
  EXPECT_EQ(load(disk), "old");
  disk.plant(paths[0], encode({2, "new"}));
  EXPECT_EQ(load(disk), "new");
  disk.plant(paths[1], encode({2, "new"}));
  EXPECT_EQ(load(disk), "new*");
  disk.flip_bit(paths[0], 350);
  EXPECT_EQ(load(disk), "new");
  disk.flip_bit(paths[1], 350);
  EXPECT_EQ(load(disk), "corrupt");
}

TEST(PairedFile, OneThatIsLargerThanItCanBeIsDamaged) {
  SimDisk disk;
  disk.plant(paths[0], encode({2, std::string(2000, 'x')}));
  disk.plant(paths[1], encode({1, "old"}));
  EXPECT_EQ(load(disk), "old");
}

TEST(PairedFile, MagicAndVersionAreLookedAt) {
  auto bytes = encode({1, "a"});
  EXPECT_TRUE(decode_paired(kind, bytes));
  EXPECT_FALSE(decode_paired({"DKTELSE1", "thing", 1 << 10}, bytes));
  EXPECT_FALSE(decode_paired(kind, std::span(bytes).first(39)));
}

TEST(PairedFile, OneCopyIsWholeWhereverReplacingIsCutShort) {
  for (std::uint64_t n = 1;; ++n) {
    SimDisk disk;
    ASSERT_TRUE(disk.make_directories("d"));
    ASSERT_TRUE(replace_copies(disk, paths, encode({1, "old"})));
    disk.inject({.at = n, .forever = true, .seed = n});
    const auto replaced = replace_copies(disk, paths, encode({2, "new"}));
    EXPECT_EQ(replaced.has_value(), !disk.fault_hit());
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const std::string found = load(*disk.after_power_loss(seed));
      EXPECT_TRUE(replaced ? found == "new*" : found.starts_with("new") || found.starts_with("old"))
          << found << " at call " << n;
    }
    if (!disk.fault_hit()) {
      break;
    }
  }
}

}  // namespace
}  // namespace docket
