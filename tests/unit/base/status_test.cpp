// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/status.h"

#include <set>

#include <gtest/gtest.h>

#include "base/error.h"

namespace tern {
namespace {

TEST(Status, success_says_ok_and_has_no_parts) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kOk);
  EXPECT_EQ(status.to_string(), "Ok");
  EXPECT_TRUE(status.message().empty() && status.where().empty() && status.hint().empty() && status.cause().empty());
  EXPECT_TRUE(status.at("x").ok() && status.with_hint("x").ok() && status.with_cause("x").ok());
}

TEST(Status, a_failure_says_what_where_and_what_to_do) {
  const Status inner = make_error(StatusCode::kModelError, "bad {}", 7).at("node 'a'");
  const Status outer = inner.at("m.onnx").with_hint("export it again").with_cause("backend said no");
  EXPECT_EQ(outer.to_string(), "ModelError: m.onnx: node 'a': bad 7 (export it again)\n  cause: backend said no");
  EXPECT_EQ(inner.where(), "node 'a'") << "the original is unchanged";
  EXPECT_TRUE(inner.hint().empty());
}

TEST(Status, an_ok_code_is_success_whatever_the_message) {
  EXPECT_TRUE(Status(StatusCode::kOk, "all good").ok());
}

TEST(ErrorTable, has_one_row_for_each_code_in_order_with_unique_names_and_exit_codes) {
  std::set<std::string_view> names;
  std::set<int> exits;
  int index = 0;
  for (const ErrorClass& row : error_classes()) {
    EXPECT_EQ(static_cast<int>(row.code), index++);
    EXPECT_EQ(&error_class(row.code), &row);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(exits.insert(row.exit_code).second) << row.name;
    EXPECT_FALSE(row.summary.empty());
    EXPECT_FALSE(row.grpc.empty());
    EXPECT_GE(row.exit_code, 0);
    EXPECT_LT(row.exit_code, 126) << "126 and above belong to the shell";
  }
  EXPECT_EQ(index, static_cast<int>(StatusCode::kInternalError) + 1);
  EXPECT_EQ(error_class(StatusCode::kOk).exit_code, 0);
}

TEST(Result, carries_a_value_or_a_status) {
  const Result<int> good = 3;
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, 3);
  EXPECT_TRUE(good.status().ok());
  const Result<int> bad = Status(StatusCode::kTimeout, "late");
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), StatusCode::kTimeout);
}

TEST(Result, value_throws_the_status) {
  Result<int> bad = make_error(StatusCode::kInputError, "no");
  try {
    (void)bad.value();
    FAIL() << "value() of a failure must throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.status().code(), StatusCode::kInputError);
    EXPECT_STREQ(error.what(), "InputError: no");
  }
}

TEST(Result, macros_pass_failures_on_and_move_values) {
  const auto half = [](int x) -> Result<std::unique_ptr<int>> {
    if (x % 2 != 0) return make_error(StatusCode::kInputError, "{} is odd", x);
    return std::make_unique<int>(x / 2);
  };
  const auto quarter = [&](int x) -> Result<int> {
    TERN_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, half(x));
    TERN_ASSIGN_OR_RETURN(const std::unique_ptr<int> second, half(*first));
    return *second;
  };
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).status().message(), "3 is odd");
}

}  // namespace
}  // namespace tern
