// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support.h"
#include "support/allocation_counter.h"
#include "tern/postprocess.h"

namespace tern {
namespace {

/// Allocations of calls on new contents, after one call on the first.
template <typename Call>
std::size_t allocations_after_warm_up(Call&& call) {
  call(0);
  return test::count_allocations([&] {
           for (int i = 1; i < 5; ++i)
             call(i);
         })
      .other;
}

TEST(Allocation, the_counter_counts) {
  EXPECT_GT(allocations_after_warm_up([](int) {
              std::vector<int> v(100);
              EXPECT_EQ(v.back(), 0);
            }),
            0U);
}

TEST(Allocation, none_for_boxes_even_when_more_are_found_than_ever_before) {
  test::Random random(12);
  OutputContract contract = test::output_contract(OutputKind::kYolo, 5);
  std::vector<std::vector<float>> frames;
  for (int i = 0; i < 5; ++i) {
    frames.push_back(random.floats(4 * 8400, 0, 600));
    for (const float v : random.floats(5 * 8400, 0, 0.2F + 0.1F * static_cast<float>(i)))
      frames.back().push_back(v);
  }
  Postprocessor postprocessor = Postprocessor::create(contract).value();
  const Geometry geometry = test::same_size(640, 640);
  std::vector<std::vector<Detection>> results(1);
  EXPECT_EQ(allocations_after_warm_up([&](int i) {
              auto& values = frames[static_cast<std::size_t>(i)];
              EXPECT_TRUE(postprocessor.detect(test::view(values, {1, 9, 8400}), {&geometry, 1}, results).ok());
              EXPECT_EQ(results[0].empty(), i == 0);
            }),
            0U);
}

TEST(Allocation, none_for_masks) {
  test::Random random(13);
  Postprocessor postprocessor = Postprocessor::create(test::output_contract(OutputKind::kSegmentation, 3)).value();
  std::vector<Segmentation> results(1);
  const Geometry geometry = test::geometry(ResizeRule::kLetterbox, 200, 120, 64, 64);
  std::vector<float> values(3 * 64 * 64);
  EXPECT_EQ(allocations_after_warm_up([&](int i) {
              for (std::size_t k = 0; k < values.size(); ++k)
                values[k] = static_cast<float>((k * static_cast<std::size_t>(7 + i)) % 13);
              EXPECT_TRUE(postprocessor.segment(test::view(values, {1, 3, 64, 64}), {&geometry, 1}, results).ok());
            }),
            0U);
}

TEST(Allocation, none_for_classes) {
  Postprocessor postprocessor = Postprocessor::create(test::output_contract(OutputKind::kClassification, 10)).value();
  std::vector<Classification> results(1);
  std::vector<float> values(10, 1.0F);
  EXPECT_EQ(allocations_after_warm_up([&](int) {
              EXPECT_TRUE(postprocessor.classify(test::view(values, {1, 10}), results).ok());
            }),
            0U);
}

}  // namespace
}  // namespace tern
