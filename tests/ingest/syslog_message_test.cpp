#include "ingest/syslog_message.hpp"

#include <gtest/gtest.h>

#include <string>

#include "engine/timestamp.hpp"

namespace docket::ingest {
namespace {

SyslogMessage parsed(std::string_view text) {
  SyslogMessage message;
  const auto result = parse_syslog(text, message);
  EXPECT_TRUE(result.has_value()) << text << ": " << (result ? "" : result.error().message);
  return message;
}

std::string error_of(std::string_view text) {
  SyslogMessage message;
  const auto result = parse_syslog(text, message);
  return result ? "" : result.error().message;
}

std::string value_of(std::string_view text) {
  std::string value;
  append_syslog_value(value, text);
  return value;
}

TEST(SyslogMessage, TheExamplesOfRfc5424AreTakenApart) {
  const SyslogMessage first = parsed(
      "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xEF\xBB\xBF'su root' "
      "failed "
      "for lonvick on /dev/pts/8");
  EXPECT_TRUE(first.is_rfc5424);
  EXPECT_EQ(first.facility, 4U);
  EXPECT_EQ(first.severity, 2U);
  EXPECT_EQ(first.time, parse_rfc3339("2003-10-11T22:14:15.003Z").value());
  EXPECT_EQ(first.hostname, "mymachine.example.com");
  EXPECT_EQ(first.app_name, "su");
  EXPECT_EQ(first.procid, "");
  EXPECT_EQ(first.msgid, "ID47");
  EXPECT_TRUE(first.elements.empty());
  EXPECT_EQ(first.text, "'su root' failed for lonvick on /dev/pts/8");

  const SyslogMessage second = parsed(
      "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 "
      "iut=\"3\" eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 "
      "class=\"high\"]");
  ASSERT_EQ(second.elements.size(), 2U);
  EXPECT_EQ(second.elements[0].count, 3U);
  EXPECT_EQ(second.params[1].name, "eventSource");
  EXPECT_EQ(second.params[1].value, "Application");
  const SyslogElement* priority = second.element("examplePriority@32473");
  ASSERT_NE(priority, nullptr);
  EXPECT_EQ(second.params[priority->first].value, "high");
  EXPECT_EQ(second.element("other"), nullptr);
  EXPECT_EQ(second.text, "");
}

TEST(SyslogMessage, NilStandsForAbsentEverywhere) {
  const SyslogMessage message = parsed("<0>1 - - - - - -");
  EXPECT_EQ(message.facility, 0U);
  EXPECT_FALSE(message.time.has_value());
  EXPECT_EQ(message.timestamp, "");
  EXPECT_EQ(message.hostname, "");
  EXPECT_EQ(message.app_name, "");
  EXPECT_EQ(message.msgid, "");
  EXPECT_EQ(message.text, "");
}

TEST(SyslogMessage, NineDigitsOfASecondAndOffsetsAreTimes) {
  EXPECT_EQ(parsed("<13>1 2026-05-01T14:22:03.123456789+02:00 - - - - -").time,
            parse_rfc3339("2026-05-01T12:22:03.123456789Z").value());
}

TEST(SyslogMessage, EscapesKeepAQuoteFromEndingAValue) {
  const SyslogMessage message = parsed(R"(<13>1 - - - - - [x a="\"\\\]" b="\n" c="["] [text])");
  ASSERT_EQ(message.params.size(), 3U);
  EXPECT_EQ(value_of(message.params[0].value), R"("\])");
  EXPECT_EQ(value_of(message.params[1].value), R"(\n)");
  EXPECT_EQ(value_of(message.params[2].value), "[");
  EXPECT_EQ(message.text, "[text]");
  EXPECT_EQ(value_of("\\"), "\\");
}

TEST(SyslogMessage, ABracketThatLacksItsBackslashIsTaken) {
  EXPECT_EQ(parsed("<13>1 - - - - - [x a=\"[1]\"] m").params[0].value, "[1]");
}

TEST(SyslogMessage, WhatBreaksTheGrammarIsNamed) {
  EXPECT_EQ(error_of(""), "pri: expected <0> to <191>");
  EXPECT_EQ(error_of("hello"), "pri: expected <0> to <191>");
  EXPECT_EQ(error_of("<192>1 - - - - - -"), "pri: expected <0> to <191>");
  EXPECT_EQ(error_of("<>1 - - - - - -"), "pri: expected <0> to <191>");
  EXPECT_EQ(error_of("<-1>x"), "pri: expected <0> to <191>");
  EXPECT_EQ(error_of("<0000013>x"), "pri: expected <0> to <191>");
  EXPECT_NE(error_of("<13>1 yesterday - - - - -").find("timestamp: "), std::string::npos);
  EXPECT_EQ(error_of("<13>1 -"), "hostname: is missing");
  EXPECT_EQ(error_of("<13>1 - h\xC3\xA4"), "hostname: must be 1 to 255 bytes of printable ASCII");
  EXPECT_EQ(error_of("<13>1 - -  - - -"), "app-name: must be 1 to 48 bytes of printable ASCII");
  EXPECT_EQ(error_of("<13>1 - - - - -"), "structured data: is missing");
  EXPECT_EQ(error_of("<13>1 - - - - - x"), "structured data: expected - or [");
  EXPECT_EQ(error_of("<13>1 - - - - - [x"),
            "structured data: expected a blank or ] behind a parameter");
  EXPECT_EQ(error_of("<13>1 - - - - - [x a]"),
            "structured data: expected =\" behind a parameter's name");
  EXPECT_EQ(error_of("<13>1 - - - - - [x a=\"1]"), "structured data: a value has no end");
  EXPECT_EQ(error_of("<13>1 - - - - - [x][x]"), "structured data: an element is there twice");
  EXPECT_EQ(error_of("<13>1 - - - - - [x]m"),
            "structured data: expected a blank or the end behind it");
  EXPECT_EQ(error_of("<13>1 - - - - - [ a=\"1\"]"), "structured data: expected an element's name");
}

TEST(SyslogMessage, ParametersAndElementsAreBounded) {
  std::string params;
  std::string elements;
  for (std::size_t i = 0; i < syslog_params_max; ++i) {
    params += " a=\"1\"";
    elements += "[e" + std::to_string(i) + "]";
  }
  EXPECT_EQ(parsed("<13>1 - - - - - [x" + params + "]").params.size(), syslog_params_max);
  EXPECT_EQ(error_of("<13>1 - - - - - [x" + params + " a=\"1\"]"),
            "structured data: has more than 256 parameters");
  EXPECT_EQ(parsed("<13>1 - - - - - " + elements).elements.size(), syslog_params_max);
  EXPECT_EQ(error_of("<13>1 - - - - - " + elements + "[x]"),
            "structured data: has more than 256 elements");
}

TEST(SyslogMessage, OldMessagesAreTakenAsFarAsTheyGo) {
  SyslogMessage message = parsed("<34>Oct 11 22:14:15 mymachine su: 'su root' failed");
  EXPECT_FALSE(message.is_rfc5424);
  EXPECT_FALSE(message.time.has_value());
  EXPECT_EQ(message.timestamp, "Oct 11 22:14:15");
  EXPECT_EQ(message.hostname, "mymachine");
  EXPECT_EQ(message.app_name, "su");
  EXPECT_EQ(message.text, "'su root' failed");

  message = parsed("<13>Oct  1 22:14:15 sshd[4711]: Accepted publickey");
  EXPECT_EQ(message.timestamp, "Oct  1 22:14:15");
  EXPECT_EQ(message.hostname, "");
  EXPECT_EQ(message.app_name, "sshd");
  EXPECT_EQ(message.procid, "4711");
  EXPECT_EQ(message.text, "Accepted publickey");

  message = parsed("<13>2026-05-01T14:22:03+02:00 fe80::1 app[x]: text");
  EXPECT_EQ(message.time, parse_rfc3339("2026-05-01T12:22:03Z").value());
  EXPECT_EQ(message.hostname, "fe80::1");
  EXPECT_EQ(message.app_name, "app");
  EXPECT_EQ(message.procid, "x");

  message = parsed("<13>cron: done");
  EXPECT_EQ(message.app_name, "cron");
  EXPECT_EQ(message.text, "done");

  for (const char* text : {"", "free text", "2 - - - - - -", "1", "123: *Mar 1 18:46:11: %SYS-5-X",
                           "Oct 11 22:14:1x host", "Xyz 11 22:14:15 host x", "a[: b"}) {
    EXPECT_EQ(parsed("<13>" + std::string(text)).text, text);
  }
}

TEST(SyslogMessage, AMessageLeavesNothingForTheNext) {
  SyslogMessage message;
  ASSERT_TRUE(parse_syslog("<13>1 2026-05-01T14:22:03Z h a p m [x a=\"1\"] t", message));
  ASSERT_TRUE(parse_syslog("<14>x", message));
  EXPECT_TRUE(message.elements.empty() && message.params.empty() && message.hostname.empty());
  EXPECT_FALSE(message.time.has_value());
  EXPECT_FALSE(message.is_rfc5424);
}

}  // namespace
}  // namespace docket::ingest
