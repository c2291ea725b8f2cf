// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/golden_compare.h"

#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/golden_labels.h"

namespace tern {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

Detection box(float x, float y, float size, float score, int class_id = 0) {
  return {x, y, x + size, y + size, score, class_id};
}

GoldenTolerance tolerance() {
  return {.min_cosine = 0.999,
          .max_relative = 0.01,
          .min_box_iou = 0.8,
          .max_score_difference = 0.1,
          .min_mask_agreement = 0.9,
          .max_missing = 0};
}

constexpr double kEdge = 0.25;

TEST(GoldenDistance, is_that_of_the_definition) {
  std::mt19937 random(1);
  for (const std::size_t count : {1U, 2U, 3U, 4U, 5U, 1001U}) {
    std::vector<float> a(count), b(count);
    double dot = 0, aa = 0, bb = 0, difference = 0, largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      a[i] = static_cast<float>(random() % 2000) / 100 - 10;
      b[i] = a[i] + static_cast<float>(random() % 100) / 100 + 0.01F;
      dot += double{a[i]} * b[i];
      aa += double{a[i]} * a[i];
      bb += double{b[i]} * b[i];
      difference = std::max(difference, std::fabs(double{a[i] - b[i]}));
      largest = std::max(largest, std::fabs(double{b[i]}));
    }
    const FloatDistance found = distance(a, b);
    EXPECT_NEAR(found.cosine, dot / std::sqrt(aa * bb), 1e-12);
    EXPECT_NEAR(found.absolute, difference, 1e-6);
    EXPECT_NEAR(found.relative, difference / largest, 1e-6);
  }
}

TEST(GoldenDistance, zeros_and_what_is_not_finite_have_an_answer) {
  const std::vector<float> zeros(5), ones(5, 1.0F);
  EXPECT_EQ(distance(zeros, zeros).cosine, 1);
  EXPECT_EQ(distance(zeros, zeros).relative, 0);
  EXPECT_EQ(distance(ones, zeros).cosine, 0);
  EXPECT_TRUE(std::isinf(distance(ones, zeros).relative));
  EXPECT_EQ(distance(zeros, ones).cosine, 0);
  EXPECT_EQ(distance(zeros, ones).relative, 1);
  EXPECT_EQ(distance({}, {}).cosine, 1);
  const std::vector<float> huge(5, std::numeric_limits<float>::max());
  EXPECT_NEAR(distance(huge, huge).cosine, 1, 1e-12);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (std::size_t at = 0; at < 5; ++at) {
      std::vector<float> broken = ones;
      broken[at] = bad;
      EXPECT_TRUE(std::isnan(distance(broken, ones).cosine));
      EXPECT_TRUE(std::isnan(distance(ones, broken).relative));
    }
  }
}

TEST(GoldenDistance, every_float_type_is_read) {
  const std::vector<std::pair<DType, std::uint64_t>> three{
      {DType::kF16, 0x4200}, {DType::kBF16, 0x4040}, {DType::kF32, 0x40400000}, {DType::kF64, 0x4008000000000000}};
  for (const auto& [dtype, bits] : three) {
    std::uint64_t memory = bits;
    std::vector<float> scratch;
    EXPECT_THAT(as_floats(TensorView(&memory, dtype, Shape{1}), scratch), ElementsAre(3)) << to_string(dtype);
    EXPECT_TRUE(is_finite(TensorView(&memory, dtype, Shape{1})));
  }
  std::uint16_t nan = 0x7E00;
  EXPECT_FALSE(is_finite(TensorView(&nan, DType::kF16, Shape{1})));
  std::int32_t whole = -1;  // NaN, were it a float
  EXPECT_TRUE(is_finite(TensorView(&whole, DType::kI32, Shape{1})));
}

TEST(GoldenBoxes, equal_lists_agree_in_any_order) {
  const std::vector<Detection> a{box(0, 0, 10, 0.9F), box(50, 50, 10, 0.8F, 1)}, b{a[1], a[0]};
  const BoxAgreement same = compare_boxes(b, a, kEdge, tolerance());
  EXPECT_EQ(same.reference, 2U);
  EXPECT_EQ(same.found, 2U);
  EXPECT_EQ(same.missing + same.extra, 0U);
  EXPECT_EQ(same.lowest_iou, 1);
  EXPECT_EQ(same.largest_score_difference, 0);
}

TEST(GoldenBoxes, missing_extra_moved_and_relabelled_boxes_are_counted) {
  const std::vector<Detection> one{box(0, 0, 10, 0.9F)}, none;
  const BoxAgreement missing = compare_boxes(none, one, kEdge, tolerance());
  EXPECT_EQ(missing.missing, 1U);
  EXPECT_EQ(missing.reference, 1U);
  const BoxAgreement extra = compare_boxes(one, none, kEdge, tolerance());
  EXPECT_EQ(extra.extra, 1U);
  EXPECT_EQ(extra.found, 1U);
  const BoxAgreement moved = compare_boxes(std::vector{box(2, 0, 10, 0.9F)}, one, kEdge, tolerance());
  EXPECT_EQ(moved.missing, 1U);
  EXPECT_EQ(moved.extra, 0U);
  EXPECT_NEAR(moved.lowest_iou, 8.0 / 12, 1e-6);
  const BoxAgreement relabelled = compare_boxes(std::vector{box(0, 0, 10, 0.9F, 1)}, one, kEdge, tolerance());
  EXPECT_EQ(relabelled.missing, 1U);
  EXPECT_EQ(relabelled.extra, 1U);
  const BoxAgreement rescored = compare_boxes(std::vector{box(0, 0, 10, 0.7F)}, one, kEdge, tolerance());
  EXPECT_EQ(rescored.missing, 1U);
  EXPECT_NEAR(rescored.largest_score_difference, 0.2, 1e-6);
}

TEST(GoldenBoxes, one_found_box_is_the_counterpart_of_one_reference_box) {
  const std::vector<Detection> twice{box(0, 0, 10, 0.9F), box(0, 0, 10, 0.89F)}, once{box(0, 0, 10, 0.9F)};
  EXPECT_EQ(compare_boxes(once, twice, kEdge, tolerance()).missing, 1U);
  EXPECT_EQ(compare_boxes(twice, once, kEdge, tolerance()).extra, 1U);
}

TEST(GoldenBoxes, what_barely_passed_the_threshold_may_be_missing_on_either_side) {
  const std::vector<Detection> weak{box(0, 0, 10, 0.34F)}, sure{box(0, 0, 10, 0.36F)}, none;
  EXPECT_EQ(compare_boxes(none, weak, kEdge, tolerance()).missing, 0U);
  EXPECT_EQ(compare_boxes(weak, none, kEdge, tolerance()).extra, 0U);
  EXPECT_EQ(compare_boxes(none, sure, kEdge, tolerance()).missing, 1U);
  EXPECT_EQ(compare_boxes(sure, none, kEdge, tolerance()).extra, 1U);
}

TEST(GoldenBoxes, iou_is_that_of_edges) {
  EXPECT_EQ(box_iou(box(0, 0, 10, 1), box(0, 0, 10, 1)), 1);
  EXPECT_EQ(box_iou(box(0, 0, 10, 1), box(10, 0, 10, 1)), 0);
  EXPECT_NEAR(box_iou(box(0, 0, 10, 1), box(5, 5, 10, 1)), 25.0 / 175, 1e-9);
  EXPECT_EQ(box_iou(box(0, 0, 0, 1), box(0, 0, 0, 1)), 0);
  EXPECT_EQ(box_iou(box(5, 5, -3, 1), box(0, 0, 10, 1)), 0);
}

// Labels ---------------------------------------------------------------------------------------------------------------------

LabelScore boxes_score(const std::vector<Detection>& labels, const std::vector<Detection>& found) {
  GoldenFrame frame;
  frame.boxes = labels;
  LabelScore score;
  score.add(frame, {.boxes = found}, OutputKind::kYolo);
  return score;
}

/// `count` boxes in a row, far from each other, labelled (or found) as `class_id`.
std::vector<Detection> row_of(int count, int class_id, float y = 0) {
  std::vector<Detection> boxes;
  for (int i = 0; i < count; ++i)
    boxes.push_back(box(static_cast<float>(i) * 20, y, 10, 0.9F, class_id));
  return boxes;
}

std::vector<Detection> operator+(std::vector<Detection> a, const std::vector<Detection>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(GoldenLabelScore, half_of_the_boxes_must_be_found_with_their_class) {
  const auto row = [](const LabelScore& score) { return score.rows().at(0); };
  EXPECT_EQ(row(boxes_score(row_of(4, 1), row_of(4, 1))).found, 1);
  EXPECT_TRUE(row(boxes_score(row_of(4, 1), row_of(2, 1))).ok);
  EXPECT_FALSE(row(boxes_score(row_of(4, 1), row_of(1, 1))).ok);
  EXPECT_EQ(row(boxes_score(row_of(4, 1), row_of(4, 2))).found, 0);
  EXPECT_EQ(row(boxes_score(row_of(4, 1), {})).found, 0);
  EXPECT_THAT(boxes_score({}, row_of(4, 1)).rows(), IsEmpty());
}

TEST(GoldenLabelScore, a_box_of_the_right_class_is_preferred_to_one_that_overlaps_more) {
  Detection shifted = box(1, 0, 10, 0.9F, 1);
  EXPECT_EQ(boxes_score({box(0, 0, 10, 0, 1)}, {box(0, 0, 10, 0.9F, 2), shifted}).rows()[0].found, 1);
}

TEST(GoldenLabelScore, swapped_classes_are_a_cycle) {
  const auto labels = row_of(20, 0) + row_of(3, 1, 100) + row_of(3, 2, 200);
  EXPECT_THAT(boxes_score(labels, labels).swapped_classes(), IsEmpty());
  const auto swapped = row_of(20, 0) + row_of(3, 2, 100) + row_of(3, 1, 200);
  EXPECT_TRUE(boxes_score(labels, swapped).rows()[0].ok) << "most boxes are of class 0";
  EXPECT_THAT(boxes_score(labels, swapped).swapped_classes(), ElementsAre(Pair(1, 2), Pair(2, 1)));
  const auto turned = row_of(20, 1) + row_of(3, 2, 100) + row_of(3, 0, 200);
  EXPECT_THAT(boxes_score(labels, turned).swapped_classes(), ElementsAre(Pair(0, 1), Pair(1, 2), Pair(2, 0)));
}

TEST(GoldenLabelScore, a_weak_class_is_not_a_swapped_one) {
  const auto labels = row_of(20, 0) + row_of(5, 1, 100);
  // All of class 1 taken for 0, but 0 for itself.
  EXPECT_THAT(boxes_score(labels, row_of(20, 0) + row_of(5, 0, 100)).swapped_classes(), IsEmpty());
  // A path into a swap that it is no part of.
  const auto more = labels + row_of(5, 2, 200);
  EXPECT_THAT(boxes_score(more, row_of(20, 1) + row_of(5, 0, 100) + row_of(5, 0, 200)).swapped_classes(),
              ElementsAre(Pair(0, 1), Pair(1, 0)));
  // Too few to tell.
  const auto few = row_of(20, 0) + row_of(2, 1, 100) + row_of(2, 2, 200);
  EXPECT_THAT(boxes_score(few, row_of(20, 0) + row_of(2, 2, 100) + row_of(2, 1, 200)).swapped_classes(), IsEmpty());
}

TEST(GoldenLabelScore, pixels_without_a_label_do_not_count_and_background_is_no_class) {
  GoldenFrame frame;
  frame.mask = std::vector<std::uint8_t>(1000, 0);
  std::fill_n(frame.mask->begin(), 600, Segmentation::kBackground);
  DecodedFrame decoded;
  decoded.mask.classes.assign(1000, 0);
  std::fill_n(decoded.mask.classes.begin() + 600, 100, Segmentation::kBackground);
  LabelScore score;
  score.add(frame, decoded, OutputKind::kSegmentation);
  EXPECT_DOUBLE_EQ(score.rows().at(0).found, 0.75);
  EXPECT_THAT(score.swapped_classes(), IsEmpty());
}

TEST(GoldenLabelScore, labels_of_another_kind_are_skipped) {
  GoldenFrame frame;
  frame.boxes = row_of(1, 0);
  frame.mask = std::vector<std::uint8_t>(1);
  LabelScore score;
  score.add(frame, {}, OutputKind::kClassification);
  EXPECT_THAT(score.rows(), IsEmpty());
  frame.class_id = 3;
  score.add(frame, {}, OutputKind::kClassification);
  EXPECT_EQ(score.rows().at(0).found, 0);
}

}  // namespace
}  // namespace tern
