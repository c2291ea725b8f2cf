// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/cpu/nms.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support.h"
#include "tern/postprocess.h"

namespace tern {
namespace {

using Indices = std::vector<std::uint32_t>;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The definition, box against box.
Indices reference_nms(const std::vector<Detection>& boxes, float iou, bool class_aware) {
  Indices order(boxes.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, [&](auto a, auto b) { return boxes[a].score > boxes[b].score; });
  Indices kept;
  for (const std::uint32_t i : order) {
    const Detection& b = boxes[i];
    const bool is_suppressed = std::ranges::any_of(kept, [&](std::uint32_t k) {
      const Detection& a = boxes[k];
      if (class_aware && a.class_id != b.class_id) return false;
      const float w = std::max(0.0F, std::min(a.x2, b.x2) - std::max(a.x1, b.x1));
      const float h = std::max(0.0F, std::min(a.y2, b.y2) - std::max(a.y1, b.y1));
      const float shared = w * h;
      return shared / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - shared) > iou;
    });
    if (!is_suppressed) kept.push_back(i);
  }
  return kept;
}

std::vector<Detection> random_boxes(test::Random& random, int count) {
  std::vector<Detection> boxes(static_cast<std::size_t>(count));
  for (Detection& b : boxes) {
    const float x = random.uniform(-50, 200), y = random.uniform(-50, 200);
    b = {x,
         y,
         x + random.uniform(-2, 60),
         y + random.uniform(-2, 60),
         static_cast<float>(random.whole(0, 20)) / 20,
         random.whole(0, 3)};
  }
  return boxes;
}

TEST(Nms, keeps_what_torchvision_keeps) {
  std::ifstream file(TERN_SOURCE_DIR "/tests/data/nms.json");
  const auto cases = nlohmann::json::parse(file);
  ASSERT_GE(cases.size(), 11U);
  for (const auto& fixture : cases) {
    std::vector<Detection> boxes;
    for (const auto& row : fixture["boxes"]) {
      const auto v = row.get<std::vector<float>>();
      boxes.push_back({v[0] / 4, v[1] / 4, v[2] / 4, v[3] / 4, v[4] / 64, static_cast<int>(v[5])});
    }
    for (const auto& run : fixture["runs"]) {
      const auto iou = run["iou"].get<float>();
      SCOPED_TRACE(testing::Message() << fixture["name"] << " at IoU " << iou);
      EXPECT_EQ(nms(boxes, iou, false).value(), run["agnostic"].get<Indices>());
      EXPECT_EQ(nms(boxes, iou, true).value(), run["class_aware"].get<Indices>());
    }
  }
}

TEST(Nms, equals_its_definition_on_random_boxes) {
  test::Random random(1);
  for (int round = 0; round < 60; ++round) {
    const auto boxes = random_boxes(random, random.whole(0, 300));
    const float iou = random.uniform(0, 1);
    for (const bool class_aware : {false, true})
      EXPECT_EQ(nms(boxes, iou, class_aware).value(), reference_nms(boxes, iou, class_aware)) << "round " << round;
  }
}

TEST(Nms, kept_boxes_survive_a_second_run) {
  test::Random random(2);
  const auto boxes = random_boxes(random, 500);
  std::vector<Detection> kept;
  for (const std::uint32_t i : nms(boxes, 0.3F, true).value())
    kept.push_back(boxes[i]);
  Indices all(kept.size());
  std::iota(all.begin(), all.end(), 0U);
  EXPECT_LT(kept.size(), boxes.size());
  EXPECT_EQ(nms(kept, 0.3F, true).value(), all);
}

TEST(Nms, does_not_depend_on_the_order_of_distinct_scores) {
  test::Random random(3);
  auto boxes = random_boxes(random, 200);
  for (std::size_t i = 0; i < boxes.size(); ++i)
    boxes[i].score = static_cast<float>(i) / 200;
  const auto scores_of_kept = [](const std::vector<Detection>& from) {
    std::vector<float> scores;
    for (const std::uint32_t i : nms(from, 0.4F, false).value())
      scores.push_back(from[i].score);
    return scores;
  };
  const auto expected = scores_of_kept(boxes);
  std::ranges::reverse(boxes);
  EXPECT_EQ(scores_of_kept(boxes), expected);
  std::ranges::rotate(boxes, boxes.begin() + 77);
  EXPECT_EQ(scores_of_kept(boxes), expected);
}

TEST(Nms, max_keep_cuts_the_end_off) {
  test::Random random(4);
  const auto boxes = random_boxes(random, 2000);
  const Indices all = nms(boxes, 0.5F, false).value();
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{17}, all.size() + 1}) {
    const Indices cut = nms(boxes, 0.5F, false, limit).value();
    EXPECT_EQ(cut, Indices(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(limit, all.size()))));
  }
}

TEST(Nms, takes_thousands_of_equal_boxes) {
  std::vector<Detection> boxes(8400, Detection{1, 1, 9, 9, 0.5F, 0});
  EXPECT_THAT(nms(boxes, 0.5F, true).value(), ElementsAre(0U));
  for (std::size_t i = 0; i < boxes.size(); ++i)
    boxes[i].class_id = static_cast<int>(i);
  EXPECT_EQ(nms(boxes, 0.5F, true, 300).value().size(), 300U);
}

TEST(Nms, refuses_what_is_no_box) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const Detection good{0, 0, 1, 1, 0.5F, 0};
  for (float Detection::*member : {&Detection::x1, &Detection::y2, &Detection::score}) {
    for (const float value : {nan, infinity, -infinity}) {
      std::vector<Detection> boxes(3, good);
      boxes[2].*member = value;
      const Status status = nms(boxes, 0.5F, true).status();
      EXPECT_EQ(status.code(), StatusCode::kInputError);
      EXPECT_THAT(status.message(), HasSubstr("box 2"));
    }
  }
  for (const float iou : {-0.1F, 1.1F, nan})
    EXPECT_EQ(nms({}, iou, true).status().code(), StatusCode::kInputError);
  EXPECT_THAT(nms({}, 0.5F, true).value(), IsEmpty());
}

TEST(Nms, huge_finite_boxes_do_not_confuse_it) {
  const float big = std::numeric_limits<float>::max();
  const std::vector<Detection> boxes{{-big, -big, big, big, 0.9F, 0}, {0, 0, 1, 1, 0.8F, 0}, {0, 0, 1, 1, 0.7F, 0}};
  EXPECT_THAT(nms(boxes, 0.5F, false).value(), ElementsAre(0U, 1U));
}

TEST(ScoreOrder, sorts_any_scores_and_keeps_the_order_of_equals) {
  test::Random random(5);
  std::vector<float> scores = random.floats(5000, -1, 1);
  for (std::size_t i = 0; i < scores.size(); i += 3)
    scores[i] = i % 2 == 0 ? 0.0F : -0.0F;
  ScoreOrder order;
  order.clear(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i)
    order.push(scores[i], static_cast<std::uint32_t>(i));
  Indices expected(scores.size()), found;
  std::iota(expected.begin(), expected.end(), 0U);
  std::ranges::stable_sort(expected, [&](auto a, auto b) { return scores[a] > scores[b]; });
  order.for_each([&](std::uint32_t i) {
    found.push_back(i);
    return true;
  });
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace tern
