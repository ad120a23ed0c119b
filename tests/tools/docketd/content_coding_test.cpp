#include "tools/docketd/content_coding.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace docket::server {
namespace {

std::string unzipped(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  std::string input = text;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  std::string out;
  int done = Z_OK;
  while (done == Z_OK) {
    std::string part(10'000, ' ');
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = static_cast<uInt>(part.size());
    done = ::inflate(&stream, Z_NO_FLUSH);
    out += part.substr(0, part.size() - stream.avail_out);
  }
  EXPECT_EQ(done, Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  ::inflateEnd(&stream);
  return out;
}

TEST(ContentCoding, GzipIsTakenWhereTheFieldSaysSo) {
  for (const char* field : {"gzip", "GZIP", "deflate, gzip", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*",
                            "x-gzip", " gzip ; q=1 ", "gzip;q=0.001", "identity, *;q=0.5"}) {
    EXPECT_TRUE(accepts_gzip(field)) << field;
  }
  for (const char* field : {"", "identity", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzi",
                            "*, gzip;q=0", "gzip;q=0, *", ",,;", "gzipped"}) {
    EXPECT_FALSE(accepts_gzip(field)) << field;
  }
}

TEST(ContentCoding, WhatIsCompressedInPiecesIsTheWholeAgain) {
  std::mt19937 random(1);
  for (const std::size_t size : {0U, 1U, 1000U, 100'000U, 3'000'000U}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      text += static_cast<char>(i % 3 == 0 ? random() : 'a');
    }
    std::string out;
    Gzip gzip;
    for (std::size_t at = 0; at < size;) {
      const std::size_t part = random() % 70'000;
      gzip.add(std::string_view(text).substr(at, part), out);
      at += part;
    }
    gzip.finish(out);
    EXPECT_EQ(unzipped(out), text) << size;
  }
}

std::string zipped(std::string_view text) {
  std::string out;
  Gzip gzip;
  gzip.add(text, out);
  gzip.finish(out);
  return out;
}

constexpr std::size_t inflated_max = std::size_t{1} << 20;

TEST(ContentCoding, ABodyInflatesToWhatItSays) {
  for (const std::size_t size : {0U, 1U, 1000U, 100'000U}) {
    const std::string text(size, 'x');
    const std::string compressed = zipped(text);
    EXPECT_EQ(gzip_size(compressed), size);
    EXPECT_EQ(gunzip(compressed, inflated_max).value(), text);
  }
}

TEST(ContentCoding, WhatIsNoWholeStreamOfGzipIsRefused) {
  const std::string compressed = zipped("some text, some text, some text");
  for (std::size_t cut = 0; cut < compressed.size(); ++cut) {
    EXPECT_FALSE(gunzip(compressed.substr(0, cut), inflated_max)) << cut;
  }
  EXPECT_FALSE(gunzip(compressed + "x", inflated_max));
  EXPECT_FALSE(gunzip(compressed + compressed, inflated_max));
  EXPECT_FALSE(gunzip(std::string(100, '\xff').replace(96, 4, 4, '\0'), inflated_max));
  for (std::size_t i = 0; i < compressed.size(); ++i) {
    std::string damaged = compressed;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    const auto inflated = gunzip(damaged, inflated_max);
    EXPECT_TRUE(!inflated || *inflated == "some text, some text, some text") << i;
  }
  // One that says less than it holds is not inflated beyond that.
  std::string lying = zipped(std::string(100'000, 'x'));
  lying.replace(lying.size() - 4, 4, std::string("\x10\0\0\0", 4));
  EXPECT_EQ(gunzip(lying, inflated_max).error().code, ErrorCode::invalid_argument);
}

TEST(ContentCoding, OnlyWhatInflatesToMoreIsTooLarge) {
  const std::string large = zipped(std::string(inflated_max + 1, 'x'));
  const auto inflated = gunzip(large, inflated_max);
  ASSERT_TRUE(inflated);
  EXPECT_EQ(*inflated, std::nullopt);
  // These end as if they held 4 GiB.
  const std::string most(4, '\xff');
  EXPECT_FALSE(gunzip(large.substr(0, large.size() / 2) + most, inflated_max));
  std::string damaged = zipped("a few words");
  damaged.replace(damaged.size() - most.size(), most.size(), most);
  EXPECT_FALSE(gunzip(damaged, inflated_max));
  EXPECT_FALSE(gunzip(R"({"verb":"this is no gzip at all"})" + most, inflated_max));
}

TEST(ContentCoding, ATagIsNamedWeaklyOrByAnything) {
  const std::string tag = entity_tag("body");
  EXPECT_TRUE(names_tag(tag, tag));
  EXPECT_TRUE(names_tag("\"x\", " + tag, tag));
  EXPECT_TRUE(names_tag(tag.substr(2), tag));
  EXPECT_TRUE(names_tag("*", tag));
  EXPECT_FALSE(names_tag("", tag));
  EXPECT_FALSE(names_tag(entity_tag("other"), tag));
  EXPECT_FALSE(names_tag("\"x\"", tag));
}

TEST(ContentCoding, AnAnswerIsDressedForItsClient) {
  const std::string body(5000, 'x');
  api::Answer answer;
  answer.body = body;
  dress(answer, {});
  EXPECT_EQ(answer.body, body);
  EXPECT_EQ(answer.etag, entity_tag(body));
  EXPECT_TRUE(answer.content_encoding.empty());

  dress(answer, {true, "\"other\""});
  EXPECT_EQ(answer.content_encoding, "gzip");
  EXPECT_EQ(unzipped(answer.body), body);
  EXPECT_EQ(answer.etag, entity_tag(body)) << "of the body, not of its coding";

  api::Answer known;
  known.body = body;
  dress(known, {true, entity_tag(body)});
  EXPECT_EQ(known.status, 304U);
  EXPECT_TRUE(known.body.empty());
  EXPECT_TRUE(known.content_encoding.empty());

  api::Answer small;
  small.body = std::string(gzip_bytes_min - 1, 'x');
  dress(small, {true, ""});
  EXPECT_TRUE(small.content_encoding.empty());

  api::Answer refusal = api::problem(400, "k", "t", body);
  dress(refusal, {true, "*"});
  EXPECT_EQ(refusal.status, 400U);
  EXPECT_TRUE(refusal.etag.empty());
}

}  // namespace
}  // namespace docket::server
