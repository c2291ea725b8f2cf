// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/json_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr StatusCode kCode = StatusCode::kConfigError;

/// The failure of reading key "k" of {"k": value}.
template <typename T, typename... Range>
Status refusal(const json& value, T out, Range... range) {
  const json document{{"k", value}};
  JsonObject object(document, kCode, "outer");
  const T before = out;
  object.require("k", out, range...);
  const Status status = object.finish();
  EXPECT_EQ(status.ok(), object.ok());
  if (!status.ok()) {
    EXPECT_EQ(status.code(), kCode);
    EXPECT_EQ(status.where(), "outer.k");
    EXPECT_EQ(out, before) << value;  // a failure leaves the target alone
  }
  return status;
}

TEST(JsonObject, reads_every_kind) {
  const json document{{"s", "text"}, {"b", true},       {"i", -5},        {"u", UINT64_MAX},
                      {"d", 1},      {"l", {"a", "b"}}, {"j", {{"x", 1}}}};
  JsonObject object(document, kCode);
  std::string s;
  bool b = false;
  int i = 0;
  std::uint64_t u = 0;
  double d = 0;
  std::vector<std::string> l;
  object.require("s", s);
  object.require("b", b);
  object.require("i", i, -5, 5);
  object.require("u", u);
  object.require("d", d, 0.5, 1.0);
  object.require("l", l);
  const json* j = object.require("j");
  ASSERT_TRUE(object.finish().ok()) << object.finish().to_string();
  EXPECT_EQ(s, "text");
  EXPECT_TRUE(b);
  EXPECT_EQ(i, -5);
  EXPECT_EQ(u, UINT64_MAX);
  EXPECT_EQ(d, 1.0);
  EXPECT_EQ(l, (std::vector<std::string>{"a", "b"}));
  ASSERT_NE(j, nullptr);
  EXPECT_EQ(*j, (json{{"x", 1}}));
}

TEST(JsonObject, refuses_every_other_type) {
  const json all = json::parse(R"(["text", true, -5, 7, 1.5, null, [], ["a"], {}])");
  int accepted = 0;
  for (const json& value : all) {
    const bool is_integer = value.is_number_integer();
    const auto count = [&](const Status& status, bool expected) {
      EXPECT_EQ(status.ok(), expected) << value << " " << status.to_string();
      accepted += status.ok() ? 1 : 0;
    };
    count(refusal(value, std::string("old")), value.is_string());
    count(refusal(value, false), value.is_boolean());
    count(refusal(value, 42, -100, 100), is_integer);
    count(refusal(value, std::uint64_t{42}), value.is_number_unsigned());
    count(refusal(value, 42.0, -100.0, 100.0), value.is_number());
    count(refusal(value, std::vector<std::string>{"old"}), value.is_array());
  }
  EXPECT_EQ(accepted, 1 + 1 + 2 + 1 + 3 + 2);
  EXPECT_THAT(refusal(json::array({"a", 1}), std::vector<std::string>{}).message(), HasSubstr("one item is number"));
}

TEST(JsonObject, ranges_include_their_ends) {
  EXPECT_TRUE(refusal(0, 7, 0, 10).ok());
  EXPECT_TRUE(refusal(10, 7, 0, 10).ok());
  EXPECT_THAT(refusal(-1, 7, 0, 10).message(), HasSubstr("is -1; it must be 0 to 10"));
  EXPECT_FALSE(refusal(11, 7, 0, 10).ok());
  EXPECT_TRUE(refusal(INT32_MAX, 7, INT32_MIN, INT32_MAX).ok());
  // What would wrap when cut to 32 or 64 bits.
  for (const json& value :
       {json(4294967296), json(-4294967296), json(UINT64_MAX), json(9223372036854775808U), json(INT64_MIN)})
    EXPECT_FALSE(refusal(value, 7, INT32_MIN, INT32_MAX).ok()) << value;

  EXPECT_TRUE(refusal(5U, std::uint64_t{7}, std::uint64_t{5}, std::uint64_t{6}).ok());
  EXPECT_FALSE(refusal(4U, std::uint64_t{7}, std::uint64_t{5}, std::uint64_t{6}).ok());
  EXPECT_FALSE(refusal(7U, std::uint64_t{8}, std::uint64_t{5}, std::uint64_t{6}).ok());
  EXPECT_THAT(refusal(-3, std::uint64_t{7}).message(), HasSubstr("-3"));

  EXPECT_TRUE(refusal(0.25, 7.0, 0.25, 0.5).ok());
  EXPECT_FALSE(refusal(0.5000001, 7.0, 0.25, 0.5).ok());
}

TEST(JsonObject, a_missing_key_is_named_or_left_alone) {
  const json document = json::object();
  JsonObject object(document, kCode, "a.b");
  int kept = 5;
  object.optional("maybe", kept, 0, 10);
  EXPECT_EQ(object.optional("other"), nullptr);
  EXPECT_TRUE(object.ok());
  EXPECT_EQ(object.require("needed"), nullptr);
  EXPECT_EQ(kept, 5);
  EXPECT_EQ(object.finish().to_string(), Status(kCode, "is missing").at("a.b.needed").to_string());
}

TEST(JsonObject, the_first_failure_is_kept_and_nothing_is_read_after_it) {
  const json document{{"a", 1}, {"b", "text"}, {"zzz", 0}};
  JsonObject object(document, kCode);
  std::string text = "old";
  object.require("a", text);
  object.require("b", text);
  object.fail("c", "later");
  object.fail_with(Status(StatusCode::kIoError, "latest"));
  EXPECT_EQ(text, "old");
  EXPECT_EQ(object.finish().where(), "a");
}

TEST(JsonObject, the_failure_of_an_inner_object_keeps_its_path) {
  const json document{{"golden", {{"frames", -1}}}};
  JsonObject outer(document, kCode);
  JsonObject inner(*outer.require("golden"), kCode, outer.path_of("golden"));
  int frames = 0;
  inner.require("frames", frames, 0, 9);
  outer.fail_with(inner.finish());
  EXPECT_EQ(outer.finish().where(), "golden.frames");
}

TEST(JsonObject, unknown_keys_are_refused_with_a_suggestion) {
  const json document{{"timeout", 1}, {"$schema", "x"}, {"time\nout_", 2}};
  JsonObject object(document, kCode);
  int value = 0;
  object.optional("timeout", value, 0, 9);
  const Status status = object.finish();
  EXPECT_EQ(status.code(), kCode);
  EXPECT_EQ(status.where(), "'time\\x0aout_'");  // quoted: a name of the file is not to be trusted
  EXPECT_THAT(status.hint(), HasSubstr("'timeout'"));
}

TEST(JsonObject, only_an_object_is_one) {
  for (const json& document : {json(1), json("x"), json::array(), json(nullptr)}) {
    JsonObject object(document, kCode, "here");
    EXPECT_EQ(object.optional("a"), nullptr);
    EXPECT_EQ(object.require("a"), nullptr);
    EXPECT_THAT(object.finish().message(), HasSubstr("must be a JSON object"));
    EXPECT_EQ(object.finish().where(), "here");
  }
}

}  // namespace
}  // namespace tern
