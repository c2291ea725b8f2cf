// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "support.h"
#include "tern/postprocess.h"

namespace tern {
namespace {

/// Runs `compute` on each instruction set that this machine has and compares what it returns.
template <typename Compute>
void expect_equal_on_all_targets(Compute&& compute) {
  const std::int64_t targets = hwy::SupportedTargets();
  const auto expected = compute();
  int count = 0;
  for (std::int64_t rest = targets; rest != 0; rest &= rest - 1, ++count) {
    const std::int64_t target = rest & -rest;
    hwy::SetSupportedTargetsForTest(target);
    EXPECT_EQ(compute(), expected) << hwy::TargetName(target);
  }
  hwy::SetSupportedTargetsForTest(0);
  EXPECT_GE(count, 2) << "nothing was compared";
}

TEST(Targets, find_the_same_boxes) {
  test::Random random(10);
  OutputContract contract = test::output_contract(OutputKind::kYolo, 7);
  contract.score_threshold = 0.5F;
  std::vector<float> values = random.floats(4 * 1001, 0, 100);
  for (const float v : random.floats(7 * 1001, 0, 1))
    values.push_back(v);
  Postprocessor postprocessor = Postprocessor::create(contract).value();
  const Geometry geometry = test::geometry(ResizeRule::kLetterbox, 333, 111, 100, 100);
  expect_equal_on_all_targets([&] {
    std::vector<std::vector<Detection>> results(1);
    EXPECT_TRUE(postprocessor.detect(test::view(values, {1, 11, 1001}), {&geometry, 1}, results).ok());
    std::vector<float> flat;
    for (const Detection& d : results[0])
      flat.insert(flat.end(), {d.x1, d.y1, d.x2, d.y2, d.score, static_cast<float>(d.class_id)});
    EXPECT_GT(flat.size(), 600U);
    return flat;
  });
}

TEST(Targets, make_the_same_masks) {
  test::Random random(11);
  std::vector<float> values = random.floats(5 * 37 * 29, -3, 3);
  const Geometry geometry = test::geometry(ResizeRule::kStretch, 120, 90, 37, 29);
  for (const float threshold : {0.0F, 0.6F}) {
    OutputContract contract = test::output_contract(OutputKind::kSegmentation, 5);
    contract.score_threshold = threshold;
    Postprocessor postprocessor = Postprocessor::create(contract).value();
    expect_equal_on_all_targets([&] {
      std::vector<Segmentation> results(1);
      EXPECT_TRUE(postprocessor.segment(test::view(values, {1, 5, 29, 37}), {&geometry, 1}, results).ok());
      return results[0].classes;
    });
  }
}

}  // namespace
}  // namespace tern
