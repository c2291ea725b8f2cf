// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// The arithmetic of the CUDA kernels against the reference, on the host: for every combination of rules, with random
// sizes, strides, alignments, crops and contents. Planes are exact heap blocks, so that AddressSanitizer sees each read
// outside the pixels.
#include "unit/preprocess/kernel_on_host.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "preprocess/cpu/reference.h"
#include "preprocess/cuda/image_params.h"
#include "tern/geometry.h"
#include "tern/status.h"
#include "unit/preprocess/crops.h"
#include "unit/preprocess/images.h"
#include "unit/preprocess/tolerance.h"

namespace tern::cuda {
namespace {

using ::testing::HasSubstr;

constexpr PixelFormat kFormats[] = {PixelFormat::kBgr,  PixelFormat::kRgb,  PixelFormat::kBgra,
                                    PixelFormat::kGray, PixelFormat::kNv12, PixelFormat::kI420};

class KernelOnHost : public testing::Test {
 protected:
  int side(int largest) { return std::uniform_int_distribution(1, largest)(random_); }

  /// `images` random images of different sizes in one call.
  void compare(const InputContract& contract, PixelFormat format, const std::vector<std::pair<int, int>>& sizes,
               int width, int height) {
    const std::int64_t channels = contract.channels();
    const auto count = static_cast<std::int64_t>(sizes.size());
    const Shape shape = contract.layout == TensorLayout::kNchw ? Shape{count, channels, height, width}
                                                               : Shape{count, height, width, channels};
    std::vector<std::uint8_t> memory(size_of(contract.dtype) * static_cast<std::size_t>(*shape.elements()), 255);
    OutputParams out;
    ASSERT_TRUE(make_output_params(contract, width, height, memory.data(), out).ok());
    std::vector<TestImage> images;
    std::vector<TestImage> masks;
    std::vector<Geometry> geometries(sizes.size());
    std::vector<ImageParams> params(sizes.size());
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto [w, h] = sizes[i];
      images.emplace_back(format, w, h, static_cast<std::ptrdiff_t>(random_() % 3) * 7);
      images.back().randomize(random_);
      images.back().view().matrix = YuvMatrix(random_() % 2);
      images.back().view().range = YuvRange(random_() % 2);
      masks.emplace_back(PixelFormat::kGray, w, h, static_cast<std::ptrdiff_t>(random_() % 5));
      randomize_mask(masks.back(), random_);
      const Status status =
          make_image_params(contract, images[i].view(), contract.mask_channel ? &masks[i].view() : nullptr,
                            std::nullopt, out, params[i], geometries[i]);
      ASSERT_TRUE(status.ok()) << status.to_string();
    }
    preprocess_on_host(params.data(), static_cast<int>(count), out);
    const TensorView view(memory.data(), contract.dtype, shape);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      ASSERT_EQ(
          difference(contract, geometries[i], images[i].view(), contract.mask_channel ? &masks[i].view() : nullptr,
                     view.rows(static_cast<std::int64_t>(i), 1)),
          "")
          << describe(contract, images[i].view(), geometries[i]) << ", image " << i;
    }
  }

  std::mt19937 random_{20261125};
};

TEST_F(KernelOnHost, EveryCombinationOfRules) {
  for (const PixelFormat format : kFormats) {
    for (int rules = 0; rules < kRuleCombinations; ++rules) {
      const InputContract contract = contract_of_rules(rules, random_);
      const int width = side(50);
      const int height = side(50);
      std::vector<std::pair<int, int>> sizes{{width, height}, {width, height}};
      if (contract.resize != ResizeRule::kNone) sizes = {{side(60), side(40)}, {side(40), side(60)}};
      compare(contract, format, sizes, width, height);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(KernelOnHost, ExtremeSizes) {
  struct Sizes {
    int width, height, dst_width, dst_height;
  };
  constexpr Sizes kSizes[] = {{1, 1, 33, 17},     {1, 1, 1, 1},     {2, 1, 70, 3},    {1, 2, 3, 70},
                              {3, 3, 64, 64},     {5000, 1, 7, 3},  {1, 5000, 3, 7},  {65536, 2, 3, 2},
                              {2, 65536, 2, 3},   {65536, 1, 1, 1}, {1, 65536, 1, 1}, {300, 200, 1, 1},
                              {1, 65536, 100, 9}, {999, 9, 333, 3}, {900, 40, 100, 5}};
  for (const Sizes& s : kSizes) {
    for (const PixelFormat format : kFormats) {
      for (int rules = 0; rules < 9; ++rules) {
        InputContract contract;
        contract.resize = ResizeRule(rules % 3);
        contract.interpolation = Interpolation(rules / 3);
        compare(contract, format, {{s.width, s.height}}, s.dst_width, s.dst_height);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_F(KernelOnHost, SumsOfManyBrightPixelsKeepTheirPrecision) {
  // The largest sums there are, of values that floats cannot hold exactly.
  InputContract contract;
  contract.interpolation = Interpolation::kArea;
  contract.resize = ResizeRule::kStretch;
  contract.scale = 1;
  for (const auto& [width, height] : {std::pair{65536, 3}, std::pair{3, 65536}, std::pair{40000, 257}}) {
    TestImage image(PixelFormat::kBgr, width, height);
    image.fill(255);
    for (int i = 0; i < width; i += 3)
      image.plane(0)[i] = 254;
    std::vector<float> memory(3 * 7 * 7);
    OutputParams out;
    ImageParams params;
    Geometry geometry;
    ASSERT_TRUE(make_output_params(contract, 7, 7, memory.data(), out).ok());
    ASSERT_TRUE(make_image_params(contract, image.view(), nullptr, std::nullopt, out, params, geometry).ok());
    preprocess_on_host(&params, 1, out);
    EXPECT_EQ(
        difference(contract, geometry, image.view(), nullptr, TensorView(memory.data(), DType::kF32, {1, 3, 7, 7})),
        "");
  }
}

TEST_F(KernelOnHost, ConstantImagesStayConstant) {
  for (const PixelFormat format : {PixelFormat::kBgr, PixelFormat::kBgra, PixelFormat::kGray}) {
    for (int value = 0; value < 256; value += 5) {
      TestImage image(format, side(90), side(90));
      image.fill(static_cast<std::uint8_t>(value));
      InputContract contract;
      contract.resize = ResizeRule::kStretch;
      contract.scale = 1;
      const int width = side(60);
      const int height = side(60);
      std::vector<float> memory(static_cast<std::size_t>(3 * width * height));
      OutputParams out;
      ImageParams params;
      Geometry geometry;
      ASSERT_TRUE(make_output_params(contract, width, height, memory.data(), out).ok());
      ASSERT_TRUE(make_image_params(contract, image.view(), nullptr, std::nullopt, out, params, geometry).ok());
      preprocess_on_host(&params, 1, out);
      EXPECT_THAT(memory, testing::Each(static_cast<float>(value)));
    }
  }
}

TEST_F(KernelOnHost, CropsAreImagesOfTheirOwn) {
  for (const PixelFormat format : kFormats) {
    for (int round = 0; round < 150; ++round) {
      TestImage image(format, side(90), side(70), static_cast<std::ptrdiff_t>(random_() % 3) * 5);
      image.randomize(random_);
      image.view().matrix = YuvMatrix(random_() % 2);
      image.view().range = YuvRange(random_() % 2);
      const Crop crop = random_crop(image.view(), random_);
      InputContract contract;
      contract.resize = ResizeRule(random_() % 3);
      contract.interpolation = Interpolation(random_() % 3);
      const int width = side(40);
      const int height = side(40);
      std::vector<float> memory(static_cast<std::size_t>(3 * width * height), -1);
      OutputParams out;
      ImageParams params;
      Geometry geometry;
      ASSERT_TRUE(make_output_params(contract, width, height, memory.data(), out).ok());
      ASSERT_TRUE(make_image_params(contract, image.view(), nullptr, crop, out, params, geometry).ok());
      preprocess_on_host(&params, 1, out);
      const TensorView view(memory.data(), DType::kF32, {1, 3, height, width});
      ASSERT_EQ(crop_difference(contract, geometry, image.view(), crop, view), "")
          << describe(contract, image.view(), geometry) << ", crop at " << crop.x << ", " << crop.y;
    }
  }
}

TEST_F(KernelOnHost, ByteReadsAndWordReadsAgree) {
  // Rows of every alignment; a pixel far from the ends may be read either way.
  TestImage image(PixelFormat::kNv12, 61, 9, 1);
  image.randomize(random_);
  for (int y = 0; y < 9; ++y) {
    const ImageView::Plane& plane = image.view().planes[0];
    const std::uint8_t* row = plane.data + y * plane.stride;
    for (int x = 3; x + 12 <= 61; ++x)
      ASSERT_TRUE(same_words(row, x, 61)) << "row " << y << ", column " << x;
  }
}

TEST(ImageParams, refuse_what_does_not_fit) {
  InputContract contract;
  contract.width = contract.height = 64;
  OutputParams out;
  EXPECT_THAT(make_output_params(contract, 65, 64, nullptr, out).message(), HasSubstr("65"));
  InputContract wrong = contract;
  wrong.std[1] = 0;
  EXPECT_EQ(make_output_params(wrong, 64, 64, nullptr, out).code(), StatusCode::kContractError);
  ASSERT_TRUE(make_output_params(contract, 64, 64, nullptr, out).ok());

  const std::vector<std::uint8_t> pixels(std::size_t{3} * 20 * 10);
  const ImageView image = ImageView::packed(pixels.data(), 20, 10, PixelFormat::kBgr);
  const ImageView mask = ImageView::packed(pixels.data(), 20, 10, PixelFormat::kGray);
  ImageParams params;
  Geometry geometry;
  const auto refused = [&](const InputContract& c, const ImageView& view, const ImageView* m,
                           const std::optional<Crop>& crop) {
    const Status status = make_image_params(c, view, m, crop, out, params, geometry);
    EXPECT_EQ(status.code(), StatusCode::kInputError);
    return status.message();
  };
  EXPECT_THAT(refused(contract, ImageView{}, nullptr, {}), HasSubstr("0x0"));
  EXPECT_THAT(refused(contract, image, &mask, {}), HasSubstr("takes none"));
  for (const Crop& crop : {Crop{0, 0, 21, 10}, Crop{-1, 0, 5, 5}, Crop{0, 9, 5, 2}, Crop{3, 3, 0, 1},
                           Crop{2147483647, 0, 2, 1}, Crop{19, 0, 2147483647, 1}}) {
    EXPECT_THAT(refused(contract, image, nullptr, crop), HasSubstr("is not inside the image of 20x10"));
  }
  contract.mask_channel = true;
  EXPECT_THAT(refused(contract, image, nullptr, {}), HasSubstr("region mask"));
  EXPECT_TRUE(make_image_params(contract, image, &mask, Crop{19, 9, 1, 1}, out, params, geometry).ok());
  EXPECT_EQ(params.mask.data, pixels.data() + 9 * 20 + 19);
}

}  // namespace
}  // namespace tern::cuda
