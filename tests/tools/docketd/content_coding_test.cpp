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
