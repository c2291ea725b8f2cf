// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/image.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

using ::testing::HasSubstr;

constexpr std::array<std::uint8_t, 64> kPixels{};

TEST(ImageView, packed_fills_in_the_stride) {
  EXPECT_EQ(ImageView::packed(kPixels.data(), 5, 2, PixelFormat::kBgr).planes[0].stride, 15);
  EXPECT_EQ(ImageView::packed(kPixels.data(), 5, 2, PixelFormat::kBgra).planes[0].stride, 20);
  EXPECT_EQ(ImageView::packed(kPixels.data(), 5, 2, PixelFormat::kGray, 8).planes[0].stride, 8);
}

TEST(ImageView, validate_names_what_is_wrong) {
  ImageView good = ImageView::packed(kPixels.data(), 4, 4, PixelFormat::kRgb);
  EXPECT_TRUE(good.validate().ok());
  const auto message_of = [&](auto change) {
    ImageView bad = good;
    change(bad);
    const Status status = bad.validate();
    EXPECT_EQ(status.code(), StatusCode::kInputError);
    return status.message();
  };
  EXPECT_THAT(message_of([](ImageView& v) { v.width = 0; }), HasSubstr("0x4"));
  EXPECT_THAT(message_of([](ImageView& v) { v.height = -1; }), HasSubstr("4x-1"));
  EXPECT_THAT(message_of([](ImageView& v) { v.width = ImageView::kMaxSide + 1; }), HasSubstr("65536"));
  EXPECT_THAT(message_of([](ImageView& v) { v.planes[0].data = nullptr; }), HasSubstr("plane 0"));
  EXPECT_THAT(message_of([](ImageView& v) { v.planes[0].stride = 11; }), HasSubstr("12"));
  EXPECT_THAT(message_of([](ImageView& v) { v.format = PixelFormat::kI420; }), HasSubstr("plane 1"));
}

TEST(ImageView, odd_sizes_need_rounded_up_chroma_rows) {
  ImageView view = ImageView::packed(kPixels.data(), 5, 3, PixelFormat::kNv12, 5);
  view.planes[1] = {kPixels.data(), 5};
  EXPECT_FALSE(view.validate().ok()) << "3 pairs need 6 bytes";
  view.planes[1].stride = 6;
  EXPECT_TRUE(view.validate().ok());
}

TEST(PixelFormat, each_has_a_name_and_its_planes) {
  EXPECT_EQ(to_string(PixelFormat::kNv12), "nv12");
  EXPECT_EQ(plane_count(PixelFormat::kGray), 1);
  EXPECT_EQ(plane_count(PixelFormat::kNv12), 2);
  EXPECT_EQ(plane_count(PixelFormat::kI420), 3);
}

}  // namespace
}  // namespace tern
