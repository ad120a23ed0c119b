// Whichever bit of a store's files is flipped: nothing crashes, no answer is wrong without naming
// what is missing, and verification finds the file.
//
// DOCKET_BITS: how many bits are tried; `all` for each one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "tests/durability/stored_bits.hpp"

namespace docket::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t bits_default = 4'000;
#else
constexpr std::uint64_t bits_default = 110'000;
#endif
constexpr std::uint64_t seed = 20'260'501;
constexpr std::uint64_t recover_every = 32;  // of the flips in hot files, manifests and the marker
constexpr std::uint64_t everything_every = 997;
constexpr std::size_t failures_max = 20;

struct Tried {
  std::uint64_t bits = 0;
  std::size_t failures = 0;
};

void try_bit(StoredBits& store, const std::string& path, std::uint64_t bit, Tried& tried) {
  ++tried.bits;
  const std::string wrong = store.try_flip(path, bit,
                                           {.recover = tried.bits % recover_every == 0,
                                            .everything = tried.bits % everything_every == 0});
  if (!wrong.empty()) {
    ++tried.failures;
    ADD_FAILURE() << path << ", byte " << bit / 8 << ", bit " << bit % 8 << ": " << wrong;
  }
}

TEST(EveryBit, AFlippedBitIsFoundAndMakesNoAnswerWrong) {
  StoredBits store(seed);
  std::uint64_t total = 0;
  for (const auto& [path, bytes] : store.files()) {
    total += bytes * 8;
  }
  ASSERT_GE(total, std::uint64_t{4} << 20);
  const char* const setting = std::getenv("DOCKET_BITS");  // NOLINT(concurrency-mt-unsafe)
  const std::string wanted = setting == nullptr ? std::to_string(bits_default) : setting;
  Tried tried;
  if (wanted == "all") {
    for (const auto& [path, bytes] : store.files()) {
      for (std::uint64_t bit = 0; bit < bytes * 8 && tried.failures < failures_max; ++bit) {
        try_bit(store, path, bit, tried);
      }
    }
  } else {
    std::mt19937_64 random(seed);
    const std::uint64_t count = std::stoull(wanted);
    while (tried.bits < count && tried.failures < failures_max) {
      std::uint64_t bit = random() % total;
      for (const auto& [path, bytes] : store.files()) {
        if (bit < bytes * 8) {
          try_bit(store, path, bit, tried);
          break;
        }
        bit -= bytes * 8;
      }
    }
  }
  RecordProperty("bits", std::to_string(total));
  RecordProperty("bits_tried", std::to_string(tried.bits));
  RecordProperty("bits_exempt", std::to_string(store.exempt_bits()));
}

}  // namespace
}  // namespace docket::testing
