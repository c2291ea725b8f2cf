// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The small parsers: metadata literals, strict JSON, text for messages.
#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/literal.h"
#include "model/strict_json.h"
#include "model/text.h"

namespace tern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(Literal, PythonAndJsonMeanTheSame) {
  const std::pair<const char*, const char*> cases[] = {
      {"{0: 'person', 1: 'bicycle'}", R"({"0": "person", "1": "bicycle"})"},
      {"{'a': True, 'b': False, 'c': None}", R"({"a": true, "b": false, "c": null})"},
      {"(1, 2.5, -3e2, +4, .5,)", "[1, 2.5, -300.0, 4, 0.5]"},
      {"[[], {}, ()]", "[[], {}, []]"},
      {R"("it's")", R"("it's")"},
      {R"('a "b"')", R"("a \"b\"")"},
      {R"('\x41\u00e9\U0001F600\n\\\'')", R"("Aé\ud83d\ude00\n\\'")"},
      {R"("\ud83d\ude00\/")", R"("😀/")"},
      {" \n[ 1 ,\t2 ]\r\n", "[1, 2]"},
      {"[640, 640]", "[640, 640]"},
      {"-9223372036854775808", "-9223372036854775808"},
  };
  for (const auto& [literal, expected] : cases) {
    const auto value = parse_literal(literal);
    ASSERT_TRUE(value.ok()) << value.status().to_string();
    EXPECT_EQ(value.value(), json::parse(expected)) << literal;
  }
}

TEST(Literal, AnythingElseIsRefused) {
  const std::string too_deep = std::string(10, '[') + std::string(10, ']');
  const std::string cases[] = {"",
                               " ",
                               "{",
                               "}",
                               "[1",
                               "[1 2]",
                               "[,]",
                               "{1}",
                               "{1:}",
                               "{1 2}",
                               "{1.5:0}",
                               "{[]: 0}",
                               "{'a':1,'a':2}",
                               "{0:1,'0':2}",
                               "'a",
                               "'a\\",
                               "'\\q'",
                               "'\\x4'",
                               "'\\xzz'",
                               "'\\u12'",
                               R"('\ud800')",
                               R"('\udc00')",
                               R"('\ud800\u0041')",
                               "'\\U00110000'",
                               "'a\nb'",
                               "'\xff'",
                               "1 2",
                               "1e999",
                               "inf",
                               "nan",
                               "-",
                               "--1",
                               "True1",
                               "import os",
                               "a()",
                               "b'x'",
                               "'a' 'b'",
                               "1+2",
                               too_deep,
                               std::string("'\0'", 3)};
  for (const std::string& text : cases) {
    const auto value = parse_literal(text);
    EXPECT_EQ(value.status().code(), StatusCode::kContractError) << text;
  }
  EXPECT_FALSE(parse_literal("'" + std::string(1 << 20, 'a') + "'").ok());
  EXPECT_FALSE(parse_literal(std::string(1 << 20, '[')).ok());
}

TEST(Literal, EveryPrefixIsRefused) {
  const std::string text = R"({0: 'a', 1: "b\u00e9", 2: [1.5, (True, None)]})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_literal(text.substr(0, size)).ok()) << text.substr(0, size);
  }
  EXPECT_TRUE(parse_literal(text).ok());
}

TEST(StrictJson, RefusesWhatLibrariesLetPass) {
  const auto why = [](std::string_view text) {
    return parse_strict_json(text, StatusCode::kConfigError).status().to_string();
  };
  EXPECT_THAT(why(R"({"a": {"b": 1, "c": {}, "b": 2}})"), HasSubstr("'b' stands twice"));
  EXPECT_TRUE(
      parse_strict_json(R"({"a": {"b": 1}, "c": {"b": 2}, "d": [{"b": 1}, {"b": 1}]})", StatusCode::kConfigError).ok());
  EXPECT_THAT(why("{} x"), HasSubstr("line 1, column 4"));
  EXPECT_THAT(why("{\n\n  \"a\" 1}"), HasSubstr("line 3"));
  EXPECT_THAT(why(std::string(17, '[') + std::string(17, ']')), HasSubstr("nested more than 16"));
  EXPECT_TRUE(parse_strict_json(std::string(16, '[') + std::string(16, ']'), StatusCode::kConfigError).ok());
  EXPECT_THAT(why("1e999"), HasSubstr("ConfigError"));
}

TEST(Text, QuotesAreHarmlessAndShort) {
  EXPECT_EQ(in_quotes("plain"), "'plain'");
  EXPECT_EQ(in_quotes("größe"), "'größe'");
  EXPECT_EQ(in_quotes("a\x1b\n\x7f\xff\xc3"), "'a\\x1b\\x0a\\x7f\\xff\\xc3'");
  EXPECT_LT(in_quotes(std::string(1000, '\x01')).size(), 110U);
  EXPECT_TRUE(is_utf8(in_quotes(std::string(95, 'a') + "\xf0\x9f\x98\x80\xf0\x9f\x98\x80")));
}

TEST(Text, MisspellingsAreFound) {
  constexpr std::array<std::string_view, 3> kWords{"letterbox", "stretch", "none"};
  EXPECT_EQ(closest("leterbox", kWords), "letterbox");
  EXPECT_EQ(closest("nome", kWords), "none");
  EXPECT_EQ(closest("xyz", kWords), "");
  EXPECT_EQ(closest(std::string(10000, 'n'), kWords), "");
  EXPECT_EQ(suggest("strech", kWords), "did you mean 'stretch'?");
  EXPECT_EQ(suggest("q", kWords), "known: letterbox, stretch, none");
}

}  // namespace
}  // namespace tern
