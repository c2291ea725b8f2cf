// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/crops.h"

#include <limits>
#include <random>
#include <vector>

#include <gmock/gmock.h>

namespace tern {
namespace {

ImageView frame_of(PixelFormat format, int width, int height, std::vector<std::uint8_t>& memory) {
  ImageView view;
  view.format = format;
  view.width = width;
  view.height = height;
  std::vector<std::size_t> begins;
  std::size_t bytes = 0;
  for (int p = 0; p < plane_count(format); ++p) {
    view.planes[static_cast<std::size_t>(p)].stride = view.plane_row_bytes(p) + 3;
    begins.push_back(bytes);
    bytes += static_cast<std::size_t>((view.plane_row_bytes(p) + 3) * view.plane_rows(p));
  }
  memory.resize(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    memory[i] = static_cast<std::uint8_t>(i * 131 >> 3);
  for (std::size_t p = 0; p < begins.size(); ++p)
    view.planes[p].data = memory.data() + begins[p];
  return view;
}

/// Random boxes, some outside, empty, upside down or not numbers at all.
Detection random_box(std::mt19937& random, int width, int height) {
  std::uniform_real_distribution<float> anywhere(-0.3F, 1.3F);
  Detection box{anywhere(random) * static_cast<float>(width),
                anywhere(random) * static_cast<float>(height),
                anywhere(random) * static_cast<float>(width),
                anywhere(random) * static_cast<float>(height),
                0.5F,
                static_cast<int>(random() % 4)};
  if (random() % 20 == 0) box.x1 = std::numeric_limits<float>::quiet_NaN();
  if (random() % 20 == 0) box.x2 = box.x1;
  return box;
}

TEST(Crops, lie_within_the_frame_cover_their_box_and_show_the_same_pixels) {
  std::mt19937 random(7);
  for (const PixelFormat format : {PixelFormat::kBgr, PixelFormat::kRgb, PixelFormat::kBgra, PixelFormat::kGray,
                                   PixelFormat::kNv12, PixelFormat::kI420}) {
    for (int round = 0; round < 300; ++round) {
      const int width = 1 + static_cast<int>(random() % 90), height = 1 + static_cast<int>(random() % 70);
      std::vector<std::uint8_t> memory;
      const ImageView frame = frame_of(format, width, height, memory);
      std::vector<Detection> boxes(5);
      for (Detection& box : boxes)
        box = random_box(random, width, height);
      ModelResult result;
      const double margin = round % 3 * 0.4;
      plan_crops(boxes, {{true, false, true}, 3, margin}, frame, result);
      ASSERT_LE(result.crop_count, 3U);
      for (std::size_t i = 0; i < result.crop_count; ++i) {
        const CropResult& crop = result.crops[i];
        const Detection& box = boxes[static_cast<std::size_t>(crop.detection)];
        EXPECT_TRUE(box.class_id == 0 || box.class_id == 2);
        ASSERT_GE(crop.x, 0);
        ASSERT_GE(crop.y, 0);
        ASSERT_GT(crop.width, 0);
        ASSERT_GT(crop.height, 0);
        ASSERT_LE(crop.x + crop.width, width);
        ASSERT_LE(crop.y + crop.height, height);
        EXPECT_LE(static_cast<float>(crop.x), std::max(box.x1, 0.F));
        EXPECT_GE(static_cast<float>(crop.x + crop.width), std::min(box.x2, static_cast<float>(width)));
        const ImageView view = crop_view(frame, crop);
        ASSERT_TRUE(view.validate().ok());
        // Each sample of the view is where the frame has it, and the view ends inside the frame's memory.
        for (int p = 0; p < plane_count(format); ++p) {
          const auto index = static_cast<std::size_t>(p);
          const auto offset = view.planes[index].data - frame.planes[index].data;
          const std::ptrdiff_t last =
              offset + (view.plane_rows(p) - 1) * view.planes[index].stride + view.plane_row_bytes(p);
          ASSERT_LE(last, (frame.plane_rows(p) - 1) * frame.planes[index].stride + frame.plane_row_bytes(p));
          const int step = p > 0 ? 2 : 1;
          const std::ptrdiff_t bytes = frame.plane_row_bytes(p) / ((width + step - 1) / step);
          EXPECT_EQ(offset, crop.y / step * frame.planes[index].stride + crop.x / step * bytes);
          if (p > 0) EXPECT_EQ(crop.x % 2 + crop.y % 2, 0);
        }
      }
    }
  }
}

TEST(Crops, a_mask_is_what_the_segmenter_said_there) {
  Segmentation classes{.width = 7, .height = 5, .classes = std::vector<std::uint8_t>(35)};
  for (std::size_t i = 0; i < 35; ++i)
    classes.classes[i] = static_cast<std::uint8_t>(i % 3);
  classes.classes[2 * 7 + 3] = Segmentation::kBackground;
  const CropResult crop{.x = 2, .y = 1, .width = 3, .height = 3};
  std::vector<std::uint8_t> mask;
  crop_mask(classes, {false, true}, crop, mask);
  ASSERT_EQ(mask.size(), 9U);
  for (std::size_t y = 0; y < 3; ++y) {
    for (std::size_t x = 0; x < 3; ++x) {
      const std::uint8_t id = classes.classes[(y + 1) * 7 + x + 2];
      EXPECT_EQ(mask[y * 3 + x], id == 1 ? 255 : 0);
    }
  }
  crop_mask(classes, {}, crop, mask);
  EXPECT_EQ(mask[1 * 3 + 1], 0) << "the background is inside no region";
  EXPECT_EQ(std::ranges::count(mask, 255), 8);
}

}  // namespace
}  // namespace tern
