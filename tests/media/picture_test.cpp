// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/picture.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "draw.h"
#include "media/image_file.h"

namespace tern {
namespace {

cv::Vec3b ink(int class_id) {
  const cv::Scalar color = class_color(class_id);
  return {static_cast<uchar>(color[0]), static_cast<uchar>(color[1]), static_cast<uchar>(color[2])};
}

// A black frame with a box, a mask whose left half is class 1, a crop, and a class for all of it.
class Picture : public testing::Test {
 protected:
  Picture() {
    result_.frame.view = view_of(pixels_);
    result_.models.resize(4);
    for (ModelResult& model : result_.models)
      model.is_done = true;
    result_.models[0].detections = {{400, 200, 600, 360, 0.9F, 0}};
    Segmentation& mask = result_.models[1].segmentation;
    mask.width = 640;
    mask.height = 480;
    mask.classes.resize(std::size_t{640} * 480, Segmentation::kBackground);
    for (std::size_t y = 0; y < 480; ++y)
      std::fill_n(mask.classes.begin() + static_cast<std::ptrdiff_t>(y * 640), 320, std::uint8_t{1});
    CropResult crop;
    crop.x = 380;
    crop.y = 180;
    crop.width = 240;
    crop.height = 200;
    crop.classification = {{0, 0, 1}, {0.1F, 0.1F, 0.8F}, 2};
    result_.models[2].crops = {crop, crop};
    result_.models[2].crop_count = 1;
    result_.models[3].classification = {{1, 0, 0, 2}, {0.2F, 0, 0, 0.8F}, 3};
  }

  cv::Mat draw(int max_width = 0) {
    cv::Mat bgr;
    const Status status = draw_result(result_, models_, max_width, converter_, bgr);
    EXPECT_TRUE(status.ok()) << status.to_string();
    return bgr;
  }

  cv::Mat pixels_{480, 640, CV_8UC3, cv::Scalar::all(0)};
  std::vector<PipelineModelInfo> models_{{"detect", Task::kDetect, {"car"}},
                                         {"segment", Task::kSegment, {"ground", "road"}},
                                         {"blocked", Task::kClassify, {"no", "yes", "perhaps"}},
                                         {"weather", Task::kClassify, {"sun", "rain", "snow", "fog"}}};
  FrameResult result_;
  BgrConverter converter_;
};

TEST_F(Picture, ShowsWhatEachModelFound) {
  const cv::Mat bgr = draw();
  ASSERT_EQ(bgr.size(), pixels_.size());
  EXPECT_EQ(bgr.at<cv::Vec3b>(280, 400), ink(0)) << "the box";
  EXPECT_EQ(bgr.at<cv::Vec3b>(280, 380), ink(2)) << "the crop";
  EXPECT_EQ(bgr.at<cv::Vec3b>(240, 200)[0], ink(1)[0] / 2) << "half of the mask's colour over black";
  EXPECT_EQ(bgr.at<cv::Vec3b>(280, 500), cv::Vec3b(0, 0, 0)) << "no class";
  EXPECT_EQ(bgr.at<cv::Vec3b>(479, 0), ink(3)) << "the frame's class";
  EXPECT_EQ(cv::norm(pixels_, cv::NORM_INF), 0) << "the frame stays as it was";
}

TEST_F(Picture, ShowsTheSameSmaller) {
  const cv::Mat bgr = draw(320);
  ASSERT_EQ(bgr.size(), cv::Size(320, 240));
  EXPECT_EQ(bgr.at<cv::Vec3b>(140, 200), ink(0));
  EXPECT_EQ(bgr.at<cv::Vec3b>(140, 190), ink(2));
  EXPECT_EQ(bgr.at<cv::Vec3b>(120, 100)[0], ink(1)[0] / 2);
  EXPECT_EQ(draw(640).size(), cv::Size(640, 480));
  EXPECT_EQ(draw(10000).size(), cv::Size(640, 480));
}

TEST_F(Picture, DrawsNothingOfModelsThatAreNotDone) {
  for (ModelResult& model : result_.models)
    model.is_done = false;
  EXPECT_EQ(cv::norm(draw(), cv::NORM_INF), 0);
  result_.models.clear();
  EXPECT_EQ(cv::norm(draw(), cv::NORM_INF), 0);
}

// A model whose masks are not of the frame's size (Contract::return_to_input_size).
TEST_F(Picture, FitsAMaskOfAnotherSize) {
  result_.models[1].segmentation.width = 2;
  result_.models[1].segmentation.height = 1;
  result_.models[1].segmentation.classes = {1, Segmentation::kBackground};
  const cv::Mat bgr = draw();
  EXPECT_EQ(bgr.at<cv::Vec3b>(240, 200)[0], ink(1)[0] / 2);
  EXPECT_EQ(bgr.at<cv::Vec3b>(280, 500), cv::Vec3b(0, 0, 0));
}

TEST_F(Picture, ScalesEveryPixelFormat) {
  result_.models.clear();
  const std::vector<std::uint8_t> planes(std::size_t{64} * 48 * 4, 128);
  for (const PixelFormat format : {PixelFormat::kBgr, PixelFormat::kRgb, PixelFormat::kBgra, PixelFormat::kGray,
                                   PixelFormat::kNv12, PixelFormat::kI420}) {
    ImageView& view = result_.frame.view;
    view = ImageView::packed(planes.data(), 64, 48, format);
    for (std::size_t i = 0; i < static_cast<std::size_t>(plane_count(format)); ++i)
      view.planes[i] = {planes.data(), view.plane_row_bytes(static_cast<int>(i))};
    for (const int width : {0, 33}) {
      const cv::Mat bgr = draw(width);
      EXPECT_EQ(bgr.size(), width == 0 ? cv::Size(64, 48) : cv::Size(33, 25)) << to_string(format);
      EXPECT_NEAR(cv::mean(bgr)[1], 130, 4) << to_string(format);
    }
  }
}

TEST_F(Picture, RefusesPixelsOnAGpu) {
  result_.frame.view.device = {DeviceKind::kCuda, 0};
  cv::Mat bgr;
  EXPECT_EQ(draw_result(result_, models_, 0, converter_, bgr).code(), StatusCode::kInputError);
}

}  // namespace
}  // namespace tern
