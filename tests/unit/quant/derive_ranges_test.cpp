// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Ranges that follow from others: what TensorRT's own quantisation wants beyond the tensors that carry Q/DQ pairs.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graphs.h"

namespace tern {
namespace {

using namespace test;
using ::testing::FloatEq;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// As YOLOv8 splits its blocks: x -> stem -> SiLU -> halves; [whole halves, sum] -> Concat -> mix -> head -> y.
/// sum = right + SiLU(branch(right)).
OnnxBuilder split_block() {
  OnnxBuilder b;
  b.input("x", {1, 3, 8, 8});
  conv(b, "x", "s", 3, 4, "stem");
  b.node("Sigmoid", {"s"}, {"s.gate"}).node("Mul", {"s", "s.gate"}, {"whole"});
  b.node("Split", {"whole"}, {"left", "right"}).attribute("axis", std::int64_t{1});
  conv(b, "right", "t", 2, 2, "branch");
  b.node("Sigmoid", {"t"}, {"t.gate"}).node("Mul", {"t.gate", "t"}, {"act"}).node("Add", {"right", "act"}, {"sum"});
  b.node("Concat", {"left", "right", "sum"}, {"all"}).attribute("axis", std::int64_t{1});
  conv(b, "all", "m", 6, 4, "mix", 1);
  b.node("Relu", {"m"}, {"r"});
  conv(b, "r", "y", 4, 2, "head", 1);
  b.node("Relu", {"y"}, {"z"}).output("z", {1, 2, 8, 8});
  return b;
}

float silu(float x) {
  return x / (1 + std::exp(-x));
}

TensorRanges derived(const OnnxBuilder& b, const TensorRanges& ranges) {
  return derive_ranges(read(b), ranges).value();
}

TEST(DeriveRanges, FollowActivationsSplitsAndSumsUpToTheConcatenationThatHoldsThem) {
  const TensorRanges all = derived(split_block(), {{"x", 1}, {"s", 8}, {"right", 7}, {"t", 2}, {"all", 7.5F}});
  EXPECT_THAT(all, UnorderedElementsAre(Pair("whole", FloatEq(silu(8))), Pair("left", FloatEq(7.5F)),
                                        Pair("act", FloatEq(silu(2))), Pair("sum", FloatEq(7.5F))));
}

TEST(DeriveRanges, WithoutAConcatenationsRangeASumIsAsWideAsBothSides) {
  const TensorRanges all = derived(split_block(), {{"s", 3}, {"t", 2}});
  EXPECT_FLOAT_EQ(all.at("right"), silu(3));
  EXPECT_FLOAT_EQ(all.at("sum"), silu(3) + silu(2));
  EXPECT_FLOAT_EQ(all.at("all"), silu(3) + silu(2)) << "the widest of its parts";
}

TEST(DeriveRanges, EveryValueThatANodeGivesLiesWithin) {
  for (const float range : {0.01F, 0.1F, 0.27F, 0.5F, 1.0F, 1.278F, 3.0F, 20.0F}) {
    const float bound = derived(split_block(), {{"s", range}}).at("whole");
    for (int i = -1000; i <= 1000; ++i)
      EXPECT_LE(std::fabs(silu(range * static_cast<float>(i) / 1000)), bound) << range;
  }
}

TEST(DeriveRanges, NothingFollowsFromNothingAndNoRangeIsReplaced) {
  EXPECT_THAT(derived(split_block(), {}), IsEmpty());
  EXPECT_THAT(derived(split_block(), {{"s", 8}, {"whole", 1}, {"left", 1}, {"right", 1}}), IsEmpty());
}

TEST(DeriveRanges, WhatNoQuantisedLayerReadsStaysWithoutARange) {
  const TensorRanges all = derived(split_block(), {{"m", 4}, {"y", 3}});
  EXPECT_THAT(all, IsEmpty()) << "the head and what it reads are float";
}

TEST(DeriveRanges, AModelThatCannotBeQuantisedIsRefused) {
  OnnxBuilder b;
  b.input("x", {1, 4}).node("Relu", {"x"}, {"y"}).output("y", {1, 4});
  EXPECT_EQ(derive_ranges(read(b), {{"x", 1}}).status().code(), StatusCode::kModelError);
}

}  // namespace
}  // namespace tern
