// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "draw.h"

#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

namespace tern {
namespace {

const std::vector<cv::Size> kSizes{{1, 1}, {2, 3}, {1, 5000}, {20000, 10}, {64, 64}, {640, 480}, {4000, 3000}};

TEST(Draw, SurvivesEverySizeAndBox) {
  const std::vector<std::string> names{"car", "a very long class name that fits nowhere", "", "\xC3\xA9\x80"};
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const cv::Size size : kSizes) {
    const auto w = static_cast<float>(size.width), h = static_cast<float>(size.height);
    const std::vector<Detection> detections{{0, 0, w, h, 1, 0},        {-10, -10, w + 10, h + 10, 0.5F, 1},
                                            {w, h, w, h, 0.1F, 2},     {w / 2, h / 2, w / 2 + 0.1F, h / 2, 0.9F, 3},
                                            {-kInf, 0, kInf, h, 1, 0}, {0, 0, 1e30F, 1e30F, 1, 1 << 30},
                                            {5, 5, 2, 2, 1, -1}};
    cv::Mat picture(size, CV_8UC3, cv::Scalar(40, 80, 120));
    draw_detections(picture, detections, names);
    EXPECT_EQ(picture.size(), size);
    EXPECT_GT(cv::norm(picture, cv::Mat(size, CV_8UC3, cv::Scalar(40, 80, 120)), cv::NORM_INF), 0) << size;
  }
}

TEST(Draw, NoDetectionsChangeNothing) {
  cv::Mat picture(20, 30, CV_8UC3, cv::Scalar(1, 2, 3));
  const cv::Mat before = picture.clone();
  draw_detections(picture, {}, {});
  EXPECT_EQ(cv::norm(picture, before, cv::NORM_INF), 0);
}

TEST(Draw, BoxEdgesLieOnTheBox) {
  cv::Mat picture(480, 640, CV_8UC3, cv::Scalar::all(0));
  const std::vector<Detection> detections{{100, 200, 300, 400, 0.9F, 0}};
  draw_detections(picture, detections, {});
  const cv::Scalar color = class_color(0);
  const cv::Vec3b expected(static_cast<uchar>(color[0]), static_cast<uchar>(color[1]), static_cast<uchar>(color[2]));
  EXPECT_EQ(picture.at<cv::Vec3b>(300, 100), expected);
  EXPECT_EQ(picture.at<cv::Vec3b>(400, 200), expected);
  EXPECT_EQ(picture.at<cv::Vec3b>(300, 200), cv::Vec3b(0, 0, 0));
}

TEST(Draw, ClassColorsDiffer) {
  std::set<std::tuple<int, int, int>> seen;
  for (int id = 0; id < 80; ++id) {
    const cv::Scalar color = class_color(id);
    for (int c = 0; c < 3; ++c) {
      EXPECT_GE(color[c], 0);
      EXPECT_LE(color[c], 255);
    }
    EXPECT_TRUE(seen.emplace(color[0], color[1], color[2]).second) << id;
  }
}

TEST(Draw, SegmentationSurvivesEverySizeAndLeavesBackground) {
  const std::vector<std::string> names{"ground", "road"};
  for (const cv::Size size : kSizes) {
    Segmentation segmentation{size.width, size.height, {}};
    segmentation.classes.assign(static_cast<std::size_t>(size.area()), Segmentation::kBackground);
    cv::Mat picture(size, CV_8UC3, cv::Scalar(40, 80, 120));
    const cv::Mat before = picture.clone();
    draw_segmentation(picture, segmentation, names);
    EXPECT_EQ(cv::norm(picture, before, cv::NORM_INF), 0) << size;
    segmentation.classes.back() = 200;  // a class without a name
    segmentation.classes.front() = 1;
    draw_segmentation(picture, segmentation, names);
    EXPECT_GT(cv::norm(picture, before, cv::NORM_INF), 0) << size;
  }
}

TEST(Draw, ClassificationSurvivesEverySize) {
  const std::vector<std::string> names{"clear", "obstructed"};
  for (const cv::Size size : kSizes) {
    cv::Mat picture(size, CV_8UC3, cv::Scalar(40, 80, 120));
    const cv::Mat region(size, CV_8UC1, cv::Scalar(255));
    draw_classification(picture, {{1, 2}, {0.25F, 0.75F}, 1}, names, &region);
    draw_classification(picture, {{}, {}, 7}, {}, nullptr);
    EXPECT_EQ(picture.size(), size);
  }
}

}  // namespace
}  // namespace tern
