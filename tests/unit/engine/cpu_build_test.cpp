// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What CPU backends share when they build: ranges of shapes, and the nodes that a message is about.
#include "tern/dev/cpu_build.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern::dev {
namespace {

using ::testing::HasSubstr;

Model tiny(const std::string& name) {
  return Model::from_file(std::string(TERN_SOURCE_DIR "/tests/data/") + name + ".onnx").value();
}

TEST(ShapeRange, prints_and_parses_back) {
  std::minstd_rand random(7);
  for (int i = 0; i < 500; ++i) {
    std::vector<std::int64_t> min, max;
    for (std::size_t d = random() % 9; d > 0; --d) {
      min.push_back(static_cast<std::int64_t>(random() % 5));
      const auto kind = random() % 3;
      max.push_back(kind == 0   ? min.back()
                    : kind == 1 ? Shape::kDynamic
                                : min.back() + 1 + static_cast<std::int64_t>(random() % 9));
    }
    const ShapeRange range{Shape::from(min).value(), Shape::from(max).value()};
    const auto back = ShapeRange::parse(range.to_string());
    ASSERT_TRUE(back.ok()) << range.to_string();
    EXPECT_EQ(*back, range) << range.to_string();
  }
}

TEST(ShapeRange, refuses_what_it_would_not_print) {
  for (const char* text : {"",
                           "x",
                           "1x",
                           "x1",
                           "1..",
                           "..1",
                           "1..1",
                           "2..1",
                           "1...3",
                           "-1",
                           "+1",
                           "1..-2",
                           "01",
                           "1 x2",
                           "1x?",
                           "?",
                           "scalarx1",
                           "1x1x1x1x1x1x1x1x1",
                           "9999999999999999999",
                           "1..4 "}) {
    const auto range = ShapeRange::parse(text);
    ASSERT_FALSE(range.ok()) << text;
    EXPECT_EQ(range.status().code(), StatusCode::kEngineGateError);
  }
}

TEST(ShapeRange, holds_the_shapes_between_its_ends) {
  const ShapeRange range{{1, 3, 32}, {4, 3, Shape::kDynamic}};
  EXPECT_EQ(range.to_string(), "1..4x3x32..?");
  EXPECT_EQ(range.spec(), (Shape{Shape::kDynamic, 3, Shape::kDynamic}));
  EXPECT_TRUE(range.holds({4, 3, 100000}));
  for (const Shape& shape : {Shape{5, 3, 32}, Shape{0, 3, 32}, Shape{1, 2, 32}, Shape{1, 3, 31}, Shape{1, 3}})
    EXPECT_FALSE(range.holds(shape)) << shape.to_string();
}

TEST(ShapeRanges, come_from_the_profile_or_the_largest_batch) {
  const Model model = tiny("affine");  // batch x 4
  const auto only = [&](const BuildConfig& config) {
    return shape_ranges(model, config, "it").value().at(0).to_string();
  };
  EXPECT_EQ(only({}), "1x4");
  EXPECT_EQ(only({.max_batch = 8}), "1..8x4");
  EXPECT_EQ(only({.profiles = {{"x", {2, 4}, {3, 4}, {5, 4}}}, .max_batch = 8}), "2..5x4");
  const Status twice =
      shape_ranges(model, {.profiles = {{"x", {1, 4}, {1, 4}, {1, 4}}, {"x", {2, 4}, {2, 4}, {2, 4}}}}, "Abacus")
          .status();
  EXPECT_EQ(twice.code(), StatusCode::kConfigError);
  EXPECT_THAT(twice.to_string(), HasSubstr("Abacus"));
}

TEST(BlamedNodes, are_those_whose_operator_is_named_as_a_word) {
  const Model model = tiny("unknown_op");  // Relu "known", com.example::Frobnicate "mystery"
  EXPECT_EQ(blamed_nodes(model, "Fatal error: com.example:Frobnicate(-1) is not a registered function/op"),
            "com.example::Frobnicate (node 'mystery')");
  EXPECT_EQ(blamed_nodes(model, "no rule for com.example.Frobnicate, Other"),
            "com.example::Frobnicate (node 'mystery')");
  EXPECT_EQ(blamed_nodes(model, "LeakyRelu and Relu6 and Frobnicated are fine"), "");
}

TEST(CheckWhatRuns, refuses_every_other_precision_with_a_cure) {
  EXPECT_TRUE(check_what_runs(Precision::kAuto, Precision::kI8, "it").ok());
  EXPECT_TRUE(check_what_runs(Precision::kF32, Precision::kF32, "it").ok());
  for (const auto& [asked, runs] :
       {std::pair(Precision::kF32, Precision::kI8), std::pair(Precision::kI8, Precision::kF32),
        std::pair(Precision::kBF16, Precision::kF32)}) {
    const Status status = check_what_runs(asked, runs, "Abacus");
    EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
    EXPECT_THAT(status.message(), HasSubstr("Abacus"));
    EXPECT_FALSE(status.hint().empty());
  }
}

}  // namespace
}  // namespace tern::dev
