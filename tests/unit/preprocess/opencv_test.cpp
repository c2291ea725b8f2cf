// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// The definition against OpenCV, which is what most models were trained and are deployed with.
#ifdef TERN_TEST_OPENCV
#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "tern/preprocess.h"
#include "unit/preprocess/images.h"

namespace tern {
namespace {

cv::Mat header_of(TestImage& image, int type) {
  return {image.view().height, image.view().width, type, image.plane(0),
          static_cast<std::size_t>(image.view().planes[0].stride)};
}

/// Unnormalised BGR pixels, stretched.
Tensor stretched(const ImageView& image, Interpolation interpolation, cv::Size size) {
  InputContract contract;
  contract.resize = ResizeRule::kStretch;
  contract.interpolation = interpolation;
  contract.color = ColorOrder::kBgr;
  contract.layout = TensorLayout::kNhwc;
  contract.scale = 1;
  Tensor out = *Tensor::create(DType::kF32, {1, size.height, size.width, 3});
  Preprocessor preprocessor = *Preprocessor::create(contract);
  Geometry geometry;
  const Status status = preprocessor.run({&image, 1}, {}, out.view(), {&geometry, 1});
  EXPECT_TRUE(status.ok()) << status.to_string();
  return out;
}

double largest_difference(const Tensor& out, const cv::Mat& expected) {
  double largest = 0;
  std::size_t i = 0;
  for (int y = 0; y < expected.rows; ++y) {
    for (int x = 0; x < 3 * expected.cols; ++x, ++i) {
      const double difference = static_cast<double>(out.as<float>()[i]) - expected.ptr<std::uint8_t>(y)[x];
      largest = std::max(largest, std::abs(difference));
    }
  }
  return largest;
}

class OpenCv : public testing::Test {
 protected:
  int side(int largest) { return std::uniform_int_distribution(1, largest)(random_); }

  std::mt19937 random_{7};
};

TEST_F(OpenCv, BilinearWithinOneLevel) {
  for (int trial = 0; trial < 300; ++trial) {
    TestImage image(PixelFormat::kBgr, side(200), side(200), 5);
    image.randomize(random_);
    const cv::Size size(side(150), side(150));
    cv::Mat expected;
    cv::resize(header_of(image, CV_8UC3), expected, size, 0, 0, cv::INTER_LINEAR);
    ASSERT_LE(largest_difference(stretched(image.view(), Interpolation::kBilinear, size), expected), 1.0)
        << image.view().width << "x" << image.view().height << " to " << size;
  }
}

TEST_F(OpenCv, AreaWithinOneLevelWhenBothSidesShrink) {
  for (int trial = 0; trial < 300; ++trial) {
    const cv::Size size(side(60), side(60));
    TestImage image(PixelFormat::kBgr, size.width + side(200), size.height + side(200));
    image.randomize(random_);
    cv::Mat expected;
    cv::resize(header_of(image, CV_8UC3), expected, size, 0, 0, cv::INTER_AREA);
    ASSERT_LE(largest_difference(stretched(image.view(), Interpolation::kArea, size), expected), 1.0)
        << image.view().width << "x" << image.view().height << " to " << size;
  }
}

TEST_F(OpenCv, NearestIsNearestExact) {
  for (int trial = 0; trial < 300; ++trial) {
    // Odd whole ratios, whose centres are those of pixels: between two pixels OpenCV's versions differ.
    const cv::Size size(side(40), side(40));
    TestImage image(PixelFormat::kBgr, size.width * (2 * side(3) - 1), size.height * (2 * side(3) - 1));
    image.randomize(random_);
    cv::Mat expected;
    cv::resize(header_of(image, CV_8UC3), expected, size, 0, 0, cv::INTER_NEAREST_EXACT);
    ASSERT_EQ(largest_difference(stretched(image.view(), Interpolation::kNearest, size), expected), 0)
        << image.view().width << "x" << image.view().height << " to " << size;
  }
}

TEST_F(OpenCv, LimitedBt601AsCvtColor) {
  // Colours inside the gamut: OpenCV clamps before it resizes, the definition after.
  TestImage image(PixelFormat::kNv12, 64, 48);
  image.randomize(random_);
  for (int i = 0; i < 64 * 48; ++i)
    image.plane(0)[i] = static_cast<std::uint8_t>(100 + image.plane(0)[i] % 50);
  for (int i = 0; i < 64 * 24; ++i)
    image.plane(1)[i] = static_cast<std::uint8_t>(108 + image.plane(1)[i] % 40);
  cv::Mat expected;
  cv::cvtColorTwoPlane(cv::Mat(48, 64, CV_8UC1, image.plane(0)), cv::Mat(24, 32, CV_8UC2, image.plane(1)), expected,
                       cv::COLOR_YUV2BGR_NV12);
  EXPECT_LE(largest_difference(stretched(image.view(), Interpolation::kNearest, {64, 48}), expected), 1.5);
  cv::Mat smaller;
  cv::resize(expected, smaller, {29, 31}, 0, 0, cv::INTER_LINEAR);
  EXPECT_LE(largest_difference(stretched(image.view(), Interpolation::kBilinear, {29, 31}), smaller), 2.5);
}

}  // namespace
}  // namespace tern
#endif
