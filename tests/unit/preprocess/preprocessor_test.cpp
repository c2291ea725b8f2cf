// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "preprocess/cpu/half.h"
#include "tern/preprocess.h"
#include "unit/preprocess/images.h"

namespace tern {
namespace {

using testing::HasSubstr;

/// Pixels as they are: no scale, no normalisation.
InputContract plain_contract() {
  InputContract contract;
  contract.resize = ResizeRule::kStretch;
  contract.scale = 1;
  return contract;
}

Tensor run_one(const InputContract& contract, const ImageView& image, int width, int height,
               const ImageView* region = nullptr) {
  const Shape shape = contract.layout == TensorLayout::kNchw ? Shape{1, contract.channels(), height, width}
                                                             : Shape{1, height, width, contract.channels()};
  Tensor out = *Tensor::create(contract.dtype, shape);
  Preprocessor preprocessor = *Preprocessor::create(contract);
  Geometry geometry;
  const std::span<const ImageView> regions =
      region != nullptr ? std::span<const ImageView>(region, 1) : std::span<const ImageView>();
  const Status status = preprocessor.run({&image, 1}, regions, out.view(), {&geometry, 1});
  EXPECT_TRUE(status.ok()) << status.to_string();
  return out;
}

TEST(Preprocessor, OrdersChannelsAndLayouts) {
  const std::array<std::uint8_t, 6> bgr{1, 2, 3, 4, 5, 6};
  const ImageView image = ImageView::packed(bgr.data(), 2, 1, PixelFormat::kBgr);
  InputContract contract = plain_contract();
  EXPECT_THAT(run_one(contract, image, 2, 1).as<float>(), testing::ElementsAre(3, 6, 2, 5, 1, 4));
  contract.color = ColorOrder::kBgr;
  EXPECT_THAT(run_one(contract, image, 2, 1).as<float>(), testing::ElementsAre(1, 4, 2, 5, 3, 6));
  contract.layout = TensorLayout::kNhwc;
  EXPECT_THAT(run_one(contract, image, 2, 1).as<float>(), testing::ElementsAre(1, 2, 3, 4, 5, 6));
  contract.dtype = DType::kU8;
  EXPECT_THAT(run_one(contract, image, 2, 1).as<std::uint8_t>(), testing::ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Preprocessor, NormalisesEachChannel) {
  const std::array<std::uint8_t, 3> rgb{10, 20, 255};
  const ImageView image = ImageView::packed(rgb.data(), 1, 1, PixelFormat::kRgb);
  InputContract contract = plain_contract();
  contract.scale = 1.0 / 255;
  contract.mean = {0.485, 0.456, 0.406, 0};
  contract.std = {0.229, 0.224, 0.225, 1};
  const Tensor out = run_one(contract, image, 1, 1);
  EXPECT_NEAR(out.as<float>()[0], (10 / 255.0 - 0.485) / 0.229, 1e-6);
  EXPECT_NEAR(out.as<float>()[1], (20 / 255.0 - 0.456) / 0.224, 1e-6);
  EXPECT_NEAR(out.as<float>()[2], (1 - 0.406) / 0.225, 1e-6);
}

TEST(Preprocessor, PadsWithTheValueBeforeNormalisation) {
  TestImage image(PixelFormat::kBgr, 4, 2);
  image.fill(200);
  InputContract contract;
  contract.layout = TensorLayout::kNhwc;
  const Tensor out = run_one(contract, image.view(), 4, 4);
  for (std::size_t i = 0; i < 48; ++i) {
    const bool inside = i >= 12 && i < 36;
    EXPECT_NEAR(out.as<float>()[i], (inside ? 200 : 114) / 255.0, 1e-6) << i;
  }
}

TEST(Preprocessor, KnowsHandComputedSamples) {
  const std::array<std::uint8_t, 4> gray{0, 100, 200, 40};
  const ImageView image = ImageView::packed(gray.data(), 4, 1, PixelFormat::kGray);
  InputContract contract = plain_contract();
  contract.color = ColorOrder::kGray;
  // Two output pixels, centres at the edges between source pixels 0|1 and 2|3.
  EXPECT_THAT(run_one(contract, image, 2, 1).as<float>(), testing::ElementsAre(50, 120));
  contract.interpolation = Interpolation::kNearest;
  EXPECT_THAT(run_one(contract, image, 2, 1).as<float>(), testing::ElementsAre(100, 40));
  contract.interpolation = Interpolation::kArea;
  EXPECT_THAT(run_one(contract, image, 1, 1).as<float>(), testing::ElementsAre(85));
  // Up-scaling: centres at 0.25 and 0.75 between pixels, the outer ones clamped.
  contract.interpolation = Interpolation::kBilinear;
  EXPECT_THAT(run_one(contract, image, 8, 1).as<float>(), testing::ElementsAre(0, 25, 75, 125, 175, 160, 80, 40));
  contract.interpolation = Interpolation::kArea;
  EXPECT_THAT(run_one(contract, image, 8, 1).as<float>(), testing::ElementsAre(0, 25, 75, 125, 175, 160, 80, 40));
}

TEST(Preprocessor, ConvertsYuvAsTheStandardsSay) {
  struct Case {
    YuvMatrix matrix;
    YuvRange range;
    std::array<std::uint8_t, 3> yuv;
    std::array<double, 3> rgb;
  };
  const std::array cases{
      Case{YuvMatrix::kBt601, YuvRange::kLimited, {16, 128, 128}, {0, 0, 0}},
      Case{YuvMatrix::kBt601, YuvRange::kLimited, {235, 128, 128}, {255, 255, 255}},
      Case{YuvMatrix::kBt709, YuvRange::kLimited, {255, 128, 128}, {255, 255, 255}},  // clamped
      Case{YuvMatrix::kBt601, YuvRange::kFull, {76, 85, 255}, {254, 0, 0}},           // JPEG's red
      Case{YuvMatrix::kBt709, YuvRange::kLimited, {63, 102, 240}, {255, 1, 0}},       // HDTV's red
      Case{YuvMatrix::kBt601, YuvRange::kLimited, {145, 54, 34}, {0, 255, 1}},        // SDTV's green
  };
  for (const Case& c : cases) {
    for (const PixelFormat format : {PixelFormat::kNv12, PixelFormat::kI420}) {
      TestImage image(format, 1, 1);
      image.view().matrix = c.matrix;
      image.view().range = c.range;
      image.plane(0)[0] = c.yuv[0];
      image.plane(1)[0] = c.yuv[1];
      (format == PixelFormat::kNv12 ? image.plane(1)[1] : image.plane(2)[0]) = c.yuv[2];
      const Tensor out = run_one(plain_contract(), image.view(), 1, 1);
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(out.as<float>()[i], c.rgb[i], 1.5) << "channel " << i << " of " << to_string(format);
    }
  }
}

TEST(Preprocessor, TurnsColoursIntoGrayAndBack) {
  const std::array<std::uint8_t, 3> bgr{10, 100, 200};
  InputContract contract = plain_contract();
  contract.color = ColorOrder::kGray;
  const Tensor gray = run_one(contract, ImageView::packed(bgr.data(), 1, 1, PixelFormat::kBgr), 1, 1);
  EXPECT_NEAR(gray.as<float>()[0], 0.114 * 10 + 0.587 * 100 + 0.299 * 200, 1e-4);
  const std::uint8_t seven = 7;
  const Tensor color = run_one(plain_contract(), ImageView::packed(&seven, 1, 1, PixelFormat::kGray), 1, 1);
  EXPECT_THAT(color.as<float>(), testing::ElementsAre(7, 7, 7));
}

TEST(Preprocessor, AddsTheMaskAsItIs) {
  TestImage image(PixelFormat::kBgr, 2, 1);
  const std::array<std::uint8_t, 2> mask{0, 3};
  const ImageView region = ImageView::packed(mask.data(), 2, 1, PixelFormat::kGray);
  InputContract contract;
  contract.mask_channel = true;
  contract.mean = {0.5, 0.5, 0.5, 0.5};
  const Tensor out = run_one(contract, image.view(), 2, 2, &region);
  const auto values = out.as<float>();
  // kLetterbox: the image is the first row, the second is padding.
  EXPECT_THAT(values.subspan(12), testing::ElementsAre(0, 1, 0, 0));
}

TEST(Preprocessor, RoundsAndClampsBytes) {
  const std::array<std::uint8_t, 5> gray{0, 1, 3, 200, 255};
  const ImageView image = ImageView::packed(gray.data(), 5, 1, PixelFormat::kGray);
  InputContract contract = plain_contract();
  contract.color = ColorOrder::kGray;
  contract.dtype = DType::kU8;
  contract.scale = 0.5;
  EXPECT_THAT(run_one(contract, image, 5, 1).as<std::uint8_t>(), testing::ElementsAre(0, 0, 2, 100, 128));
  contract.scale = 2;
  contract.mean = {4, 0, 0, 0};
  EXPECT_THAT(run_one(contract, image, 5, 1).as<std::uint8_t>(), testing::ElementsAre(0, 0, 2, 255, 255));
}

TEST(Preprocessor, WritesHalves) {
  const std::array<std::uint8_t, 2> gray{0, 255};
  const ImageView image = ImageView::packed(gray.data(), 2, 1, PixelFormat::kGray);
  InputContract contract = plain_contract();
  contract.color = ColorOrder::kGray;
  contract.dtype = DType::kF16;
  contract.scale = 1.0 / 3;
  EXPECT_THAT(run_one(contract, image, 2, 1).as<std::uint16_t>(), testing::ElementsAre(0, half_from_float(85)));
}

TEST(Preprocessor, TakesABatchOfDifferentImages) {
  TestImage first(PixelFormat::kBgr, 8, 6);
  TestImage second(PixelFormat::kNv12, 5, 9);
  first.fill(10);
  second.fill(128);
  second.view().range = YuvRange::kFull;
  const std::array images{first.view(), second.view()};
  InputContract contract = plain_contract();
  contract.resize = ResizeRule::kLetterbox;
  Preprocessor preprocessor = *Preprocessor::create(contract);
  const Tensor out = *Tensor::create(DType::kF32, {2, 3, 10, 10});
  std::array<Geometry, 2> geometry;
  ASSERT_TRUE(preprocessor.run(images, {}, out.view(), geometry).ok());
  EXPECT_EQ(geometry[0].inner_height, 8);
  EXPECT_EQ(geometry[1].inner_width, 6);
  EXPECT_EQ(out.as<float>()[55], 10);
  EXPECT_EQ(out.as<float>()[300 + 55], 128);
  EXPECT_EQ(out.as<float>()[300], 114);
}

TEST(Preprocessor, RefusesWhatItCannotTake) {
  TestImage good(PixelFormat::kBgr, 8, 8);
  TestImage bad(PixelFormat::kBgr, 8, 8);
  TestImage mask(PixelFormat::kGray, 8, 8);
  InputContract contract;
  Preprocessor preprocessor = *Preprocessor::create(contract);
  const Tensor out = *Tensor::create(DType::kF32, {2, 3, 10, 10});
  std::array<Geometry, 2> geometry;
  std::array images{good.view(), bad.view()};
  const auto refusal = [&](const TensorView& tensor, std::span<const ImageView> regions = {}) {
    const Status status = preprocessor.run(images, regions, tensor, geometry);
    EXPECT_EQ(status.code(), StatusCode::kInputError) << status.to_string();
    return status.to_string();
  };

  images[1].planes[0].stride = 5;
  EXPECT_THAT(refusal(out.view()), AllOf(HasSubstr("image 1"), HasSubstr("stride")));
  images[1] = bad.view();
  images[1].device = {DeviceKind::kCuda, 0};
  EXPECT_THAT(refusal(out.view()), AllOf(HasSubstr("image 1"), HasSubstr("cuda:0")));
  images[1] = bad.view();
  images[1].width = 0;
  EXPECT_THAT(refusal(out.view()), HasSubstr("image 1"));
  images[1] = bad.view();

  EXPECT_THAT(refusal(out.view().rows(0, 1)), HasSubstr("2 were given"));
  EXPECT_THAT(refusal(Tensor::create(DType::kF16, {2, 3, 10, 10})->view()), HasSubstr("f16"));
  EXPECT_THAT(refusal(Tensor::create(DType::kF32, {2, 10, 10, 3})->view()), HasSubstr("Nx3xHxW"));
  EXPECT_THAT(refusal(Tensor::create(DType::kF32, {2, 3, 100})->view()), HasSubstr("2x3x100"));
  EXPECT_THAT(refusal(Tensor::create(DType::kF32, {2, 3, 0, 10})->view()), HasSubstr("height is 0"));
  EXPECT_THAT(refusal(TensorView()), HasSubstr("no memory"));
  EXPECT_THAT(refusal(TensorView(out.view().data(), DType::kF32, {2, 3, 5, 5}, {300, 100, 10, 1}, {})),
              HasSubstr("contiguous"));
  EXPECT_THAT(refusal(TensorView(out.view().data(), DType::kF32, {2, 3, 10, 10}, {DeviceKind::kCuda, 1})),
              HasSubstr("cuda:1"));
  EXPECT_THAT(refusal(TensorView(static_cast<char*>(out.view().data()) + 1, DType::kF32, {2, 3, 9, 9})),
              HasSubstr("aligned"));
  const std::array one{mask.view()};
  EXPECT_THAT(refusal(out.view(), one), HasSubstr("takes none"));
  EXPECT_EQ(preprocessor.run({}, {}, out.view(), {}).code(), StatusCode::kInputError);
  EXPECT_THAT(preprocessor.run(images, {}, out.view(), {geometry.data(), 1}).to_string(), HasSubstr("1 geometries"));
}

TEST(Preprocessor, RefusesMasksThatDoNotFit) {
  TestImage image(PixelFormat::kBgr, 8, 8);
  TestImage mask(PixelFormat::kGray, 8, 7);
  TestImage color(PixelFormat::kRgb, 8, 8);
  InputContract contract;
  contract.mask_channel = true;
  Preprocessor preprocessor = *Preprocessor::create(contract);
  const Tensor out = *Tensor::create(DType::kF32, {1, 4, 10, 10});
  Geometry geometry;
  const auto refusal = [&](std::span<const ImageView> regions) {
    const Status status = preprocessor.run({&image.view(), 1}, regions, out.view(), {&geometry, 1});
    EXPECT_EQ(status.code(), StatusCode::kInputError);
    return status.to_string();
  };
  EXPECT_THAT(refusal({}), HasSubstr("0 masks for 1 images"));
  EXPECT_THAT(refusal({&mask.view(), 1}), AllOf(HasSubstr("region 0"), HasSubstr("8x7")));
  EXPECT_THAT(refusal({&color.view(), 1}), AllOf(HasSubstr("region 0"), HasSubstr("rgb")));
}

TEST(Preprocessor, HoldsFixedAndDynamicSizesApart) {
  TestImage image(PixelFormat::kGray, 8, 8);
  InputContract contract;
  contract.width = 10;
  contract.min_side = 4;
  contract.max_side = 16;
  Preprocessor preprocessor = *Preprocessor::create(contract);
  Geometry geometry;
  const auto code = [&](std::int64_t height, std::int64_t width) {
    const Tensor out = *Tensor::create(DType::kF32, {1, 3, height, width});
    return preprocessor.run({&image.view(), 1}, {}, out.view(), {&geometry, 1}).code();
  };
  EXPECT_EQ(code(10, 10), StatusCode::kOk);
  EXPECT_EQ(code(16, 10), StatusCode::kOk);
  EXPECT_EQ(code(10, 11), StatusCode::kInputError);
  EXPECT_EQ(code(17, 10), StatusCode::kInputError);
  EXPECT_EQ(code(3, 10), StatusCode::kInputError);
}

TEST(Preprocessor, RefusesContractsThatCannotBeMet) {
  const auto code = [](auto change) {
    InputContract contract;
    change(contract);
    return Preprocessor::create(contract).status().code();
  };
  EXPECT_EQ(code([](InputContract&) {}), StatusCode::kOk);
  EXPECT_EQ(code([](InputContract& c) { c.dtype = DType::kI8; }), StatusCode::kContractError);
  EXPECT_EQ(code([](InputContract& c) { c.pad_value = 256; }), StatusCode::kContractError);
  EXPECT_EQ(code([](InputContract& c) { c.width = -4; }), StatusCode::kContractError);
  EXPECT_EQ(code([](InputContract& c) { c.std[1] = 0; }), StatusCode::kContractError);
  EXPECT_EQ(code([](InputContract& c) { c.std[2] = NAN; }), StatusCode::kContractError);
  EXPECT_EQ(code([](InputContract& c) { c.mean[0] = INFINITY; }), StatusCode::kContractError);
  EXPECT_EQ(code([](InputContract& c) { c.scale = 1e300; }), StatusCode::kContractError);
  EXPECT_EQ(code([](InputContract& c) {
              c.scale = 300;  // 255 * 300 is more than a half can hold
              c.dtype = DType::kF16;
            }),
            StatusCode::kContractError);
}

}  // namespace
}  // namespace tern
