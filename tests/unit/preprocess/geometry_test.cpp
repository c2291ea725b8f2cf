// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/geometry.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/image.h"

namespace tern {
namespace {

InputContract contract_of(ResizeRule resize, PadSide side = PadSide::kCenter, Rounding rounding = Rounding::kRound) {
  InputContract contract;
  contract.resize = resize;
  contract.pad_side = side;
  contract.rounding = rounding;
  return contract;
}

/// What Python's round() does.
int python_round(double v) {
  return static_cast<int>(std::nearbyint(v));
}

struct Size {
  int width, height;
};

/// Sides that are small, common, or at the limits, so that ties and extreme ratios occur.
Size random_size(std::mt19937& random, int largest) {
  const auto side = [&] {
    switch (random() % 4) {
      case 0:
        return std::uniform_int_distribution(1, 9)(random);
      case 1:
        return std::min(largest, 16 * std::uniform_int_distribution(1, 250)(random));
      case 2:
        return std::uniform_int_distribution(largest - 9, largest)(random);
      default:
        return std::uniform_int_distribution(1, largest)(random);
    }
  };
  return {side(), side()};
}

TEST(Geometry, MatchesUltralyticsLetterbox) {
  std::mt19937 random(1);
  const InputContract contract = contract_of(ResizeRule::kLetterbox);
  for (int trial = 0; trial < 200000; ++trial) {
    const Size src = random_size(random, 8192);
    const Size dst = random_size(random, 2048);
    // ultralytics/data/augment.py, LetterBox.__call__ with scaleup and center, in Python's own arithmetic.
    const double r = std::min(static_cast<double>(dst.height) / src.height, static_cast<double>(dst.width) / src.width);
    const int new_width = python_round(src.width * r);
    const int new_height = python_round(src.height * r);
    const double dw = (dst.width - new_width) / 2.0;
    const double dh = (dst.height - new_height) / 2.0;
    if (new_width < 1 || new_height < 1) continue;  // OpenCV fails here; ours keeps one pixel

    const Geometry g = *Geometry::make(contract, src.width, src.height, dst.width, dst.height);
    ASSERT_EQ(g.inner_width, new_width) << src.width << "x" << src.height << " to " << dst.width << "x" << dst.height;
    ASSERT_EQ(g.inner_height, new_height) << src.width << "x" << src.height << " to " << dst.width << "x" << dst.height;
    ASSERT_EQ(g.inner_x, python_round(dw - 0.1));
    ASSERT_EQ(g.inner_y, python_round(dh - 0.1));
    ASSERT_EQ(g.dst_width - g.inner_x - g.inner_width, python_round(dw + 0.1));
    ASSERT_EQ(g.dst_height - g.inner_y - g.inner_height, python_round(dh + 0.1));
  }
}

TEST(Geometry, MapsEdgesAndComesBackUnderEveryRule) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 100000; ++trial) {
    const InputContract contract = contract_of(ResizeRule(random() % 3), PadSide(random() % 2), Rounding(random() % 3));
    const Size src = random_size(random, ImageView::kMaxSide);
    const Size dst = random_size(random, ImageView::kMaxSide);
    const Geometry g = *Geometry::make(contract, src.width, src.height, dst.width, dst.height);
    SCOPED_TRACE(testing::Message() << src.width << "x" << src.height << " to " << dst.width << "x" << dst.height
                                    << " rule " << int(contract.resize));

    // The inner rectangle lies in the input and is not empty.
    ASSERT_GE(g.inner_x, 0);
    ASSERT_GE(g.inner_y, 0);
    ASSERT_GE(g.inner_width, 1);
    ASSERT_GE(g.inner_height, 1);
    ASSERT_LE(g.inner_x + g.inner_width, g.dst_width);
    ASSERT_LE(g.inner_y + g.inner_height, g.dst_height);
    // Its edges show source positions inside the source: all of it, but for a crop.
    const double slack = 1e-9 * ImageView::kMaxSide;
    ASSERT_GE(g.to_source_x(g.inner_x), -slack);
    ASSERT_GE(g.to_source_y(g.inner_y), -slack);
    ASSERT_LE(g.to_source_x(g.inner_x + g.inner_width), g.src_width + slack);
    ASSERT_LE(g.to_source_y(g.inner_y + g.inner_height), g.src_height + slack);
    if (contract.resize != ResizeRule::kCenterCrop) {
      ASSERT_NEAR(g.to_source_x(g.inner_x), 0, slack);
      ASSERT_NEAR(g.to_source_y(g.inner_y + g.inner_height), g.src_height, slack);
    } else {
      ASSERT_LE(g.offset_x, 0);
      ASSERT_LE(g.offset_y, 0);
      ASSERT_EQ(g.inner_width, g.dst_width);
      ASSERT_EQ(g.inner_height, g.dst_height);
    }
    // The inverse is the inverse.
    const double x = std::uniform_real_distribution(0.0, double(src.width))(random);
    ASSERT_NEAR(g.to_source_x(x * g.scale_x + g.offset_x), x, slack);
    const double y = std::uniform_real_distribution(0.0, double(src.height))(random);
    ASSERT_NEAR(g.to_source_y(y * g.scale_y + g.offset_y), y, slack);
  }
}

TEST(Geometry, RoundsTheFreeSideAsTold) {
  // 101 x 33 into 50 x 50: the free side is 33 * 50 / 101 = 16.34.
  EXPECT_EQ(Geometry::make(contract_of(ResizeRule::kLetterbox), 101, 33, 50, 50)->inner_height, 16);
  EXPECT_EQ(Geometry::make(contract_of(ResizeRule::kLetterbox, PadSide::kCenter, Rounding::kFloor), 101, 33, 50, 50)
                ->inner_height,
            16);
  EXPECT_EQ(Geometry::make(contract_of(ResizeRule::kLetterbox, PadSide::kCenter, Rounding::kCeil), 101, 33, 50, 50)
                ->inner_height,
            17);
  // Ties go to even: 5 / 2 and 7 / 2.
  EXPECT_EQ(Geometry::make(contract_of(ResizeRule::kLetterbox), 10, 5, 5, 5)->inner_height, 2);
  EXPECT_EQ(Geometry::make(contract_of(ResizeRule::kLetterbox), 10, 7, 5, 5)->inner_height, 4);
}

TEST(Geometry, FloorAndCeilingKeepExactQuotients) {
  // Whole quotients, which a ratio in floating point may miss by one.
  for (int n = 1; n < 3000; ++n) {
    for (const Rounding rounding : {Rounding::kFloor, Rounding::kCeil}) {
      const InputContract contract = contract_of(ResizeRule::kLetterbox, PadSide::kCenter, rounding);
      const Geometry g = *Geometry::make(contract, 3 * n, n, 333, 333);
      ASSERT_EQ(g.inner_width, 333);
      ASSERT_EQ(g.inner_height, 111) << n;
    }
  }
}

TEST(Geometry, PadsWhereTold) {
  const Geometry center = *Geometry::make(contract_of(ResizeRule::kLetterbox), 100, 50, 100, 81);
  EXPECT_EQ(center.inner_y, 15);  // 31 rows are left over: 15 above, 16 below
  EXPECT_EQ(center.offset_y, 15);
  const Geometry corner = *Geometry::make(contract_of(ResizeRule::kLetterbox, PadSide::kBottomRight), 100, 50, 100, 81);
  EXPECT_EQ(corner.inner_y, 0);
  EXPECT_EQ(corner.offset_y, 0);
}

TEST(Geometry, CropsTheMiddle) {
  const Geometry g = *Geometry::make(contract_of(ResizeRule::kCenterCrop), 201, 100, 50, 50);
  EXPECT_EQ(g.offset_y, 0);
  EXPECT_EQ(g.offset_x, -25);  // 201 * 0.5 = 100.5 -> 100 columns, 50 too many
  EXPECT_DOUBLE_EQ(g.scale_x, 100.0 / 201);
}

TEST(Geometry, KeepsAPixelOfExtremeImages) {
  const InputContract contract = contract_of(ResizeRule::kLetterbox);
  const Geometry tall = *Geometry::make(contract, 1, 65536, 640, 640);
  EXPECT_EQ(tall.inner_width, 1);
  EXPECT_EQ(tall.inner_height, 640);
  const Geometry wide = *Geometry::make(contract, 20000, 10, 640, 640);
  EXPECT_EQ(wide.inner_width, 640);
  EXPECT_EQ(wide.inner_height, 1);
  const Geometry one = *Geometry::make(contract, 1, 1, 640, 480);
  EXPECT_EQ(one.inner_width, 480);
  EXPECT_EQ(one.inner_height, 480);
  const Geometry point = *Geometry::make(contract, 65536, 65536, 1, 1);
  EXPECT_EQ(point.inner_width, 1);
  EXPECT_EQ(point.inner_height, 1);
  // A crop whose uncut size (2^32 rows) would overflow 32-bit arithmetic.
  const Geometry crop = *Geometry::make(contract_of(ResizeRule::kCenterCrop), 1, 65536, 65536, 65536);
  EXPECT_EQ(crop.scale_y, 65536);
  EXPECT_EQ(crop.offset_y, -2147450880.0);
}

TEST(Geometry, RefusesImpossibleSizes) {
  const InputContract contract = contract_of(ResizeRule::kLetterbox);
  for (const Size size : {Size{0, 10}, Size{10, 0}, Size{-1, 10}, Size{65537, 10}, Size{10, 1 << 30}}) {
    EXPECT_EQ(Geometry::make(contract, size.width, size.height, 640, 640).status().code(), StatusCode::kInputError);
    EXPECT_EQ(Geometry::make(contract, 640, 640, size.width, size.height).status().code(), StatusCode::kInputError);
  }
}

TEST(Geometry, NoneTakesTheInputsSizeOnly) {
  const InputContract contract = contract_of(ResizeRule::kNone);
  EXPECT_TRUE(Geometry::make(contract, 64, 32, 64, 32).ok());
  const Status status = Geometry::make(contract, 64, 33, 64, 32).status();
  EXPECT_EQ(status.code(), StatusCode::kInputError);
  EXPECT_THAT(status.message(), testing::HasSubstr("64x33"));
  EXPECT_THAT(status.hint(), testing::HasSubstr("letterbox"));
}

}  // namespace
}  // namespace tern
