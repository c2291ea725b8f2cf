// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tern/eval.h"

namespace tern {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

void expect_score(const std::optional<double>& found, const Json& expected) {
  ASSERT_EQ(found.has_value(), !expected.is_null());
  if (found.has_value()) {
    EXPECT_NEAR(*found, expected.get<double>(), 1e-12);
  }
}

TEST(DetectionScores, are_those_of_pycocotools) {
  std::ifstream file(TERN_SOURCE_DIR "/tests/data/coco.json");
  const Json cases = Json::parse(file);
  ASSERT_EQ(cases.size(), 5U);
  for (const Json& fixture : cases) {
    SCOPED_TRACE(fixture["name"].get<std::string>());
    const std::vector<std::string> names{"car", "truck", "bus", "boat", "plane", "never"};
    DetectionEvaluator evaluator(names, fixture["max_detections"].get<std::size_t>());
    for (int image = 0; image < fixture["images"].get<int>(); ++image) {
      std::vector<LabelledBox> truth;
      std::vector<Detection> found;
      for (const Json& row : fixture["truth"]) {
        if (row[0] == image) truth.push_back({row[2], row[3], row[4], row[5], row[1], row[6] == 1});
      }
      for (const Json& row : fixture["detections"]) {
        const auto v = row.get<std::vector<float>>();
        if (row[0] == image) found.push_back({v[2], v[3], v[2] + v[4], v[3] + v[5], v[6], row[1]});
      }
      ASSERT_TRUE(evaluator.add(truth, found).ok());
    }
    const DetectionScores scores = evaluator.scores();
    const Json& expected = fixture["expected"];
    expect_score(scores.ap, expected["ap"]);
    expect_score(scores.ap50, expected["ap50"]);
    expect_score(scores.ap75, expected["ap75"]);
    for (std::size_t c = 0; c < names.size(); ++c) {
      expect_score(scores.per_class[c].ap, expected["per_class"][c][0]);
      expect_score(scores.per_class[c].ap50, expected["per_class"][c][1]);
      expect_score(scores.per_class[c].ap75, expected["per_class"][c][2]);
    }
  }
}

TEST(DetectionScores, perfect_results_score_one_and_none_score_zero) {
  const std::vector<LabelledBox> truth{{10, 10, 20, 20, 0}, {50, 50, 9, 9, 1}};
  const std::vector<Detection> found{{10, 10, 30, 30, 0.9F, 0}, {50, 50, 59, 59, 0.8F, 1}};
  DetectionEvaluator perfect({"a", "b"}), blind({"a", "b"}), empty({"a", "b"});
  ASSERT_TRUE(perfect.add(truth, found).ok());
  ASSERT_TRUE(blind.add(truth, {}).ok());
  ASSERT_TRUE(empty.add({}, found).ok());
  EXPECT_NEAR(perfect.scores().ap.value(), 1, 1e-12);
  EXPECT_EQ(blind.scores().ap.value(), 0);
  EXPECT_FALSE(empty.scores().ap.has_value()) << "nothing to find is no score";
}

TEST(DetectionScores, overlap_exactly_at_a_threshold_is_correct_there) {
  // Shared 10x10 of 10x20: IoU 1/2.
  DetectionEvaluator evaluator({"a"});
  ASSERT_TRUE(
      evaluator.add(std::vector<LabelledBox>{{0, 0, 10, 20, 0}}, std::vector<Detection>{{0, 0, 10, 10, 0.5F, 0}}).ok());
  EXPECT_NEAR(evaluator.scores().ap50.value(), 1, 1e-12);
  EXPECT_NEAR(evaluator.scores().ap.value(), 0.1, 1e-12);
  EXPECT_EQ(evaluator.scores().ap75.value(), 0);
}

TEST(DetectionEvaluator, refuses_what_cannot_be_scored) {
  DetectionEvaluator evaluator({"a"});
  const auto code = [&](LabelledBox truth, Detection found) { return evaluator.add({&truth, 1}, {&found, 1}).code(); };
  const LabelledBox box{0, 0, 1, 1, 0};
  const Detection good{0, 0, 1, 1, 0.5F, 0};
  EXPECT_EQ(code({0, 0, 1, 1, 1}, good), StatusCode::kInputError);
  EXPECT_EQ(code({0, 0, -1, 1, 0}, good), StatusCode::kInputError);
  EXPECT_EQ(code(box, {0, 0, 1, 1, 0.5F, -1}), StatusCode::kInputError);
  EXPECT_EQ(code(box, {0, 0, 1, 1, NAN, 0}), StatusCode::kInputError);
  EXPECT_EQ(code(box, {0, 0, std::numeric_limits<float>::infinity(), 1, 0.5F, 0}), StatusCode::kInputError);
  EXPECT_EQ(evaluator.scores().images, 0U) << "refused images are not counted";
}

TEST(SegmentationScores, count_pixels_over_all_images) {
  SegmentationEvaluator evaluator({"a", "b", "c", "never"});
  //                              labels             results
  ASSERT_TRUE(evaluator.add(std::vector<std::uint8_t>{0, 0, 1, 1}, 2, 2, {2, 2, {0, 1, 1, 1}}).ok());
  ASSERT_TRUE(evaluator.add(std::vector<std::uint8_t>{0, 255, 1, 0}, 4, 1, {4, 1, {0, 0, 255, 2}}).ok());
  // a: 2 of 4 labelled, nothing else called a (the ignored pixel does not count); b: 2 shared of 4; c: called once.
  const SegmentationScores scores = evaluator.scores();
  EXPECT_EQ(scores.images, 2U);
  EXPECT_DOUBLE_EQ(scores.per_class[0].iou.value(), 2.0 / 4);
  EXPECT_DOUBLE_EQ(scores.per_class[1].iou.value(), 2.0 / 4);
  EXPECT_DOUBLE_EQ(scores.per_class[2].iou.value(), 0);
  EXPECT_FALSE(scores.per_class[3].iou.has_value());
  EXPECT_DOUBLE_EQ(scores.miou.value(), 1.0 / 3);
  EXPECT_FALSE(SegmentationEvaluator({"a"}).scores().miou.has_value());
}

TEST(SegmentationEvaluator, names_the_pixel_that_is_no_class) {
  SegmentationEvaluator evaluator({"a", "b"});
  const Status truth = evaluator.add(std::vector<std::uint8_t>{0, 1, 2, 0}, 2, 2, {2, 2, {0, 0, 0, 0}});
  EXPECT_EQ(truth.code(), StatusCode::kInputError);
  EXPECT_THAT(truth.message(), HasSubstr("pixel (0, 1) of the label mask is 2"));
  const Status result = evaluator.add(std::vector<std::uint8_t>{0, 1}, 2, 1, {2, 1, {0, 7}});
  EXPECT_THAT(result.message(), HasSubstr("pixel (1, 0) of the result is 7"));
  EXPECT_THAT(evaluator.add(std::vector<std::uint8_t>{0, 1}, 2, 1, {1, 2, {0, 0}}).message(), HasSubstr("1x2"));
  EXPECT_FALSE(evaluator.add(std::vector<std::uint8_t>{0}, 2, 1, {2, 1, {0, 0}}).ok());
  EXPECT_FALSE(evaluator.add({}, -1, -1, {-1, -1, {}}).ok());
  EXPECT_EQ(evaluator.scores().images, 0U);
}

TEST(ClassificationScores, are_the_share_of_correct_images) {
  ClassificationEvaluator evaluator({"clear", "obstructed", "never"});
  for (const auto& [truth, found] : {std::pair{0, 0}, {0, 1}, {1, 1}, {0, 0}})
    ASSERT_TRUE(evaluator.add(truth, found).ok());
  EXPECT_FALSE(evaluator.add(3, 0).ok());
  EXPECT_FALSE(evaluator.add(0, -1).ok());
  const ClassificationScores scores = evaluator.scores();
  EXPECT_DOUBLE_EQ(scores.top1.value(), 0.75);
  EXPECT_DOUBLE_EQ(scores.per_class[0].top1.value(), 2.0 / 3);
  EXPECT_FALSE(scores.per_class[2].top1.has_value());
}

TEST(Scores, as_json_have_the_documented_keys) {
  DetectionEvaluator boxes({"a", "b"});
  ASSERT_TRUE(boxes.add(std::vector<LabelledBox>{{0, 0, 4, 4, 0}}, std::vector<Detection>{{0, 0, 4, 4, 0.5F, 0}}).ok());
  const Json detection = Json::parse(boxes.scores().to_json());
  EXPECT_NEAR(detection["ap"].get<double>(), 1, 1e-12);
  EXPECT_EQ(detection["images"], 1);
  EXPECT_EQ(detection["per_class"]["a"]["objects"], 1);
  EXPECT_TRUE(detection["per_class"]["b"]["ap50"].is_null());
  SegmentationEvaluator masks({"a"});
  ASSERT_TRUE(masks.add(std::vector<std::uint8_t>{0}, 1, 1, {1, 1, {0}}).ok());
  EXPECT_EQ(Json::parse(masks.scores().to_json())["miou"], 1.0);
  ClassificationEvaluator classes({"\xFF"});
  ASSERT_TRUE(classes.add(0, 0).ok());
  EXPECT_EQ(Json::parse(classes.scores().to_json())["top1"], 1.0) << "names that are no UTF-8 do no harm";
}

}  // namespace
}  // namespace tern
