// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The parts of `tern quantize` and `tern calib` that need no model.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "comparison.h"
#include "media/video_samples.h"
#include "quantizer.h"

namespace tern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SpreadByChange, EvenChangeGivesEvenFrames) {
  const std::vector<double> even(12, 1);
  EXPECT_THAT(spread_by_change(even, 1), ElementsAre(0));
  EXPECT_THAT(spread_by_change(even, 3), ElementsAre(0, 4, 8));
  EXPECT_EQ(spread_by_change(even, 12).size(), 12U);
  EXPECT_EQ(spread_by_change(even, 100).size(), 12U);
  EXPECT_TRUE(spread_by_change({}, 3).empty());
  EXPECT_TRUE(spread_by_change(even, 0).empty());
}

TEST(SpreadByChange, ACutGetsAFrameAndAStillSceneFew) {
  std::vector<double> change(100, 0.0);
  change[60] = 50;  // a cut
  const auto two = spread_by_change(change, 2);
  EXPECT_THAT(two, ElementsAre(0, 60));
  std::vector<double> action(100, 0.0);
  for (std::size_t i = 80; i < 100; ++i)
    action[i] = 5;
  std::size_t late = 0;
  for (const std::int64_t i : spread_by_change(action, 10))
    late += i >= 80 ? 1 : 0;
  EXPECT_GE(late, 8U);
}

TEST(SpreadByChange, GivesAsManyDifferentFramesAsAskedFor) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> change(1 + random() % 40);
    for (double& c : change)
      c = random() % 3 == 0 ? static_cast<double>(random() % 100) : 0;
    const std::size_t count = 1 + random() % 50;
    const auto chosen = spread_by_change(change, count);
    ASSERT_EQ(chosen.size(), std::min(count, change.size()));
    EXPECT_EQ(chosen.front(), 0);
    for (std::size_t i = 1; i < chosen.size(); ++i)
      EXPECT_LT(chosen[i - 1], chosen[i]);
    EXPECT_LT(chosen.back(), static_cast<std::int64_t>(change.size()));
  }
}

TEST(VideoSamples, GivesTheSameFramesInAnyOrder) {
  auto samples = VideoSamples::choose(TERN_SOURCE_DIR "/data/flight-1080p.mp4", 4, Sampling::kEven);
  ASSERT_TRUE(samples.ok()) << samples.status().to_string();
  ASSERT_EQ(samples->indices().size(), 4U);
  const auto first_bytes = [&](std::size_t i) {
    const Frame frame = samples->read(i).value();
    const auto* row = frame.view.planes[0].data + 500 * frame.view.planes[0].stride;
    return std::vector<std::uint8_t>(row, row + 200);
  };
  std::vector<std::vector<std::uint8_t>> forward;
  for (std::size_t i = 0; i < 4; ++i)
    forward.push_back(first_bytes(i));
  for (const std::size_t i : {3U, 1U, 0U, 2U})
    EXPECT_EQ(first_bytes(i), forward[i]) << i;
  EXPECT_EQ(parse_sampling("often").status().code(), StatusCode::kConfigError);
}

TEST(Difference, OfBoxes) {
  const Detection a{0, 0, 10, 10, 0.9F, 0}, b{20, 20, 40, 40, 0.8F, 1};
  const std::vector<Detection> none, one{a}, both{a, b};
  EXPECT_EQ(difference_of(none, none), 0);
  EXPECT_EQ(difference_of(both, both), 0);
  EXPECT_EQ(difference_of(both, none), 1);
  EXPECT_NEAR(difference_of(both, one), 1 - 2.0 / 3, 1e-12);
  std::vector<Detection> moved{a}, renamed{a};
  moved[0].x1 = 6;
  renamed[0].class_id = 1;
  EXPECT_EQ(difference_of(one, moved), 1) << "IoU below a half";
  EXPECT_EQ(difference_of(one, renamed), 1);
  const std::vector<Detection> twice{a, a};
  EXPECT_NEAR(difference_of(one, twice), 1 - 2.0 / 3, 1e-12) << "a box is found once";
}

TEST(Difference, OfMasksAndClasses) {
  const Segmentation a{2, 2, {0, 0, 1, 1}}, b{2, 2, {0, 1, 1, 1}};
  EXPECT_EQ(difference_of(a, a), 0);
  EXPECT_NEAR(difference_of(a, b), 1 - (0.5 + 2.0 / 3) / 2, 1e-12);
  const Classification sure{{}, {1, 0}, 0}, half{{}, {0.5F, 0.5F}, 0}, other{{}, {0, 1}, 1};
  EXPECT_EQ(difference_of(sure, sure), 0);
  EXPECT_NEAR(difference_of(sure, half), 0.5, 1e-7);
  EXPECT_NEAR(difference_of(sure, other), 1, 1e-7);
}

TEST(Floor, IsADropOrAScore) {
  EXPECT_NEAR(Floor::parse("-0.5pt").value().of(0.9), 0.895, 1e-12);
  EXPECT_NEAR(Floor::parse("91.5%").value().of(0.2), 0.915, 1e-12);
  EXPECT_NEAR(Floor::parse("-0pt").value().of(0.2), 0.2, 1e-12);
  for (const char* text : {"", "0.5", "0.5pt", "-pt", "-0.5", "-101pt", "101%", "-1%", "x%", "nan%", "-1pt "})
    EXPECT_EQ(Floor::parse(text).status().code(), StatusCode::kConfigError) << text;
}

TEST(Report, NamesFromFilesAreText) {
  QuantizeReport report;
  report.model = "<script>alert(1)</script>";
  report.accuracy = {{"f32", 0.9, "AP 90%"}, {"a & \"b\"", 0.895, ""}};
  report.chosen = 1;
  report.metric = "AP";
  report.layers = {{"<node>", 31.5, 40, 30}};
  report.summary.plan.tensors = {"<t>"};
  report.summary.scales = {{"<t>", 0.01F}};
  TensorStatistics tensor{
      .min = 0, .max = 2, .values = 10, .bins = std::vector<std::uint64_t>(TensorStatistics::kBins, 0)};
  tensor.bins[0] = 10;
  report.statistics.tensors.emplace("<t>", tensor);
  report.comparison.emplace();
  report.comparison->worst.push_back(
      {"<img>", 0.5, cv::Mat(900, 1600, CV_8UC3, cv::Scalar(1, 2, 3)), cv::Mat(1, 1, CV_8UC3, cv::Scalar(1, 2, 3))});
  const std::string page = to_html(report).value();
  for (const char* raw : {"<script>", "<node>", "<t>", "<img>"})
    EXPECT_THAT(page, Not(HasSubstr(raw)));
  EXPECT_THAT(page, HasSubstr("-0.50 pt"));
  EXPECT_THAT(page, HasSubstr("data:image/jpeg;base64,/9j/")) << "a JPEG begins so";
  EXPECT_LT(page.size(), 200'000U) << "pictures are made small";
}

}  // namespace
}  // namespace tern
