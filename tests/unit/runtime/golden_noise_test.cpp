// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/golden_noise.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <span>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "preprocess/cpu/half.h"
#include "tern/golden.h"

namespace tern {
namespace {

using ::testing::HasSubstr;

std::string hash_of(const TensorView& view) {
  return to_hex(Sha256::of({static_cast<const std::byte*>(view.data()), view.bytes()}));
}

std::string hash_of(const std::vector<std::uint8_t>& bytes) {
  return to_hex(Sha256::of(std::as_bytes(std::span(bytes))));
}

Contract image_contract(int width, int height) {
  Contract contract;
  contract.input.tensor = "images";
  contract.input.width = width;
  contract.input.height = height;
  contract.output.tensor = "output0";
  contract.output.classes = 3;
  return contract;
}

TensorSpec spec(const std::string& name, DType dtype, const Shape& shape) {
  return {name, dtype, shape};
}

// These hashes are the promise that a seed gives the same frames on every platform and with every compiler.
TEST(GoldenNoise, bytes_are_the_same_everywhere) {
  NoiseSource scene(1), region(2);
  EXPECT_EQ(hash_of(NoiseImage::scene(scene, 67, 45).pixels),
            "91b85edfc2c58d827ebbc2099c7e18b3c06007bcfa7b0ac3017b53e1312682c0");
  EXPECT_EQ(hash_of(NoiseImage::region(region, 67, 45).pixels),
            "f0616159e1ffced46807fd1407ca0030eb775ac0b0d0d0be8ccc2bfd1c12bbe0");
  const auto frames =
      noise_frames({spec("x", DType::kF32, {2, 5}), spec("h", DType::kF16, {7}), spec("b", DType::kBF16, {7}),
                    spec("i", DType::kI64, {9}), spec("u", DType::kU8, {32})},
                   nullptr, 2, 42)
          .value();
  ASSERT_EQ(frames.size(), 2U);
  std::string all;
  for (const GoldenFrame& frame : frames) {
    for (const GoldenTensor& input : frame.inputs)
      all += hash_of(input.tensor.view());
  }
  EXPECT_EQ(to_hex(Sha256::of(std::as_bytes(std::span(all)))),
            "d635bcc4ac1423d24ad14d04ebcaef9976e3aab5ce2ff3ad47dc6b633b829ce0");
}

TEST(GoldenNoise, another_seed_gives_other_frames_and_each_frame_differs) {
  const std::vector<TensorSpec> inputs{spec("x", DType::kF32, {16})};
  std::set<std::string> hashes;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto frames = noise_frames(inputs, nullptr, 3, seed).value();
    for (const GoldenFrame& frame : frames)
      hashes.insert(hash_of(frame.inputs[0].tensor.view()));
  }
  EXPECT_EQ(hashes.size(), 9U);
}

TEST(GoldenNoise, a_frame_does_not_depend_on_how_many_there_are) {
  const std::vector<TensorSpec> inputs{spec("x", DType::kF32, {16})};
  const auto one = noise_frames(inputs, nullptr, 1, 7).value(), five = noise_frames(inputs, nullptr, 5, 7).value();
  EXPECT_EQ(hash_of(one[0].inputs[0].tensor.view()), hash_of(five[0].inputs[0].tensor.view()));
}

TEST(GoldenNoise, every_dtype_is_filled_within_its_range) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto dtype = static_cast<DType>(i);
    const auto frames = noise_frames({spec("x", dtype, {1000})}, nullptr, 1, 3).value();
    const TensorView view = frames[0].inputs[0].tensor.view();
    std::vector<double> values;
    for (std::size_t k = 0; k < 1000; ++k) {
      switch (dtype) {
        case DType::kF32:
          values.push_back(view.as<float>()[k]);
          break;
        case DType::kF64:
          values.push_back(view.as<double>()[k]);
          break;
        case DType::kF16:
          values.push_back(float_from_half(view.as<std::uint16_t>()[k]));
          break;
        case DType::kBF16:
          values.push_back(std::bit_cast<float>(std::uint32_t{view.as<std::uint16_t>()[k]} << 16));
          break;
        case DType::kI8:
          values.push_back(view.as<std::int8_t>()[k]);
          break;
        case DType::kU8:
        case DType::kBool:
          values.push_back(view.as<std::uint8_t>()[k]);
          break;
        case DType::kI16:
        case DType::kU16:
          values.push_back(view.as<std::int16_t>()[k]);
          break;
        case DType::kI32:
        case DType::kU32:
          values.push_back(view.as<std::int32_t>()[k]);
          break;
        case DType::kI64:
        case DType::kU64:
          values.push_back(static_cast<double>(view.as<std::int64_t>()[k]));
          break;
      }
    }
    const bool is_float = dtype <= DType::kF64;
    const double highest = is_float || dtype == DType::kBool ? 1 : dtype == DType::kU8 ? 255 : 7;
    const auto [low, high] = std::ranges::minmax(values);
    EXPECT_EQ(low, 0) << to_string(dtype);
    EXPECT_LE(high, highest) << to_string(dtype);
    EXPECT_GE(high, highest * 0.98) << to_string(dtype);
    EXPECT_GE(std::set(values.begin(), values.end()).size(), dtype == DType::kBool ? 2U : 8U) << to_string(dtype);
  }
}

TEST(GoldenNoise, a_scene_has_smooth_parts_edges_and_texture) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    NoiseSource noise(seed);
    const NoiseImage image = NoiseImage::scene(noise, 320, 240);
    ASSERT_EQ(image.pixels.size(), 320U * 240U * 3U);
    int edges = 0, smooth = 0, flat = 0;
    for (int y = 0; y < 240; ++y) {
      for (int x = 1; x < 320; ++x) {
        const std::size_t at = (static_cast<std::size_t>(y) * 320 + static_cast<std::size_t>(x)) * 3;
        const int step = std::abs(image.pixels[at] - image.pixels[at - 3]);
        edges += step > 40 ? 1 : 0;
        smooth += step < 20 ? 1 : 0;
        flat += step == 0 ? 1 : 0;
      }
    }
    EXPECT_GT(edges, 240) << seed;
    EXPECT_GT(smooth, 320 * 240 / 2) << seed;
    EXPECT_LT(flat, 320 * 240 / 4) << seed << ": the grain is missing";
  }
}

TEST(GoldenNoise, scenes_and_regions_of_any_size_stay_within_their_pixels) {
  for (const auto& [width, height] :
       std::vector<std::pair<int, int>>{{1, 1}, {1, 200}, {200, 1}, {2, 3}, {7, 5}, {33, 64}}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {  // AddressSanitizer watches
      NoiseSource noise(seed);
      const NoiseImage scene = NoiseImage::scene(noise, width, height),
                       region = NoiseImage::region(noise, width, height);
      EXPECT_TRUE(scene.view().validate().ok());
      EXPECT_EQ(region.view().format, PixelFormat::kGray);
      const auto inside = std::ranges::count(region.pixels, 255), outside = std::ranges::count(region.pixels, 0);
      EXPECT_EQ(inside + outside, width * height);
      EXPECT_GE(inside * 16, width * height);
    }
  }
}

TEST(GoldenNoise, images_go_through_the_contracts_preprocessing) {
  Contract contract = image_contract(32, 24);
  contract.input.mean = {0.485, 0.456, 0.406, 0};
  contract.input.std = {0.229, 0.224, 0.225, 1};
  contract.input.mask_channel = true;
  const auto frames = noise_frames({spec("images", DType::kF32, {1, 4, 24, 32})}, &contract, 2, 5).value();
  const Tensor& tensor = frames[0].inputs[0].tensor;
  EXPECT_EQ(tensor.shape(), (Shape{1, 4, 24, 32}));
  const auto colors = tensor.as<float>().first(3 * 24 * 32), mask = tensor.as<float>().last(24 * 32);
  const auto [low, high] = std::ranges::minmax(colors);
  EXPECT_LT(low, -1.0F);  // normalised, not 0..1
  EXPECT_GT(high, 1.0F);
  EXPECT_EQ(std::ranges::count(mask, 0.0F) + std::ranges::count(mask, 1.0F), 24 * 32);
  EXPECT_GT(std::ranges::count(mask, 1.0F), 0);
  EXPECT_EQ(frames[0].width, 0) << "there was no image whose pixels a result could lie in";
  EXPECT_NE(hash_of(tensor.view()), hash_of(frames[1].inputs[0].tensor.view()));
}

TEST(GoldenNoise, every_layout_dtype_and_resize_rule_is_fed) {
  for (const ResizeRule rule :
       {ResizeRule::kStretch, ResizeRule::kLetterbox, ResizeRule::kCenterCrop, ResizeRule::kNone}) {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kU8}) {
      Contract contract = image_contract(16, 8);
      contract.input.resize = rule;
      contract.input.dtype = dtype;
      contract.input.scale = dtype == DType::kU8 ? 1 : 1.0 / 255;
      contract.input.layout = TensorLayout::kNhwc;
      contract.input.color = ColorOrder::kGray;
      const auto frames = noise_frames({spec("images", dtype, {Shape::kDynamic, 8, 16, 1})}, &contract, 1, 5);
      ASSERT_TRUE(frames.ok()) << frames.status().to_string();
      EXPECT_EQ((*frames)[0].inputs[0].tensor.shape(), (Shape{1, 8, 16, 1}));
    }
  }
}

TEST(GoldenNoise, open_dimensions_are_one_image_of_the_contracts_size) {
  const std::int64_t open = Shape::kDynamic;
  const auto shape_for = [](const Shape& shape, const Contract* contract) {
    const auto frames = noise_frames({spec("images", DType::kF32, shape)}, contract, 1, 5);
    EXPECT_TRUE(frames.ok()) << frames.status().to_string();
    return (*frames)[0].inputs[0].tensor.shape();
  };
  const Contract fixed = image_contract(32, 24);
  EXPECT_EQ(shape_for({open, 3, open, open}, &fixed), (Shape{1, 3, 24, 32}));
  EXPECT_EQ(shape_for({4, 3, 24, 32}, &fixed), (Shape{1, 3, 24, 32})) << "a fixed batch is made of equal rows later";
  Contract any = image_contract(0, 0);
  any.input.max_side = 64;
  EXPECT_EQ(shape_for({1, 3, open, open}, &any), (Shape{1, 3, 64, 64}));
  EXPECT_EQ(shape_for({1, 3, 40, open}, &any), (Shape{1, 3, 40, 64})) << "the engine's sides count";
  EXPECT_EQ(shape_for({open, 3, open}, nullptr), (Shape{1, 3, 1}));
  EXPECT_EQ(shape_for({8}, nullptr), (Shape{8})) << "no contract says that this is a batch";
}

TEST(GoldenNoise, inputs_beside_the_image_are_one_row_too) {
  const Contract contract = image_contract(8, 8);
  const auto frames = noise_frames({spec("ids", DType::kI32, {4, 2}), spec("images", DType::kF32, {4, 3, 8, 8}),
                                    spec("k", DType::kF32, {3})},
                                   &contract, 1, 5)
                          .value();
  EXPECT_EQ(frames[0].inputs[0].tensor.shape(), (Shape{1, 2}));
  EXPECT_EQ(frames[0].inputs[1].tensor.shape(), (Shape{1, 3, 8, 8}));
  EXPECT_EQ(frames[0].inputs[2].tensor.shape(), (Shape{3}));
}

TEST(GoldenNoise, inputs_that_the_contract_does_not_describe_are_refused) {
  const Contract contract = image_contract(32, 24);
  const auto refusal = [&](const TensorSpec& input) {
    const auto frames = noise_frames({input}, &contract, 1, 5);
    EXPECT_EQ(frames.status().code(), StatusCode::kContractError);
    return frames.status().to_string();
  };
  EXPECT_THAT(refusal(spec("other", DType::kF32, {1, 3, 24, 32})), HasSubstr("no input 'images'"));
  EXPECT_THAT(refusal(spec("images", DType::kF16, {1, 3, 24, 32})),
              HasSubstr("is f16 of 1x3x24x32; the contract needs f32"));
  EXPECT_THAT(refusal(spec("images", DType::kF32, {1, 4, 24, 32})), HasSubstr("needs f32 of 1x3x24x32"));
  EXPECT_THAT(refusal(spec("images", DType::kF32, {3, 24, 32})), HasSubstr("contract needs"));
  EXPECT_THAT(refusal(spec("images", DType::kF32, {1, 3, 0, 0})), HasSubstr("takes no image"));
  EXPECT_THAT(refusal(spec("images", DType::kF32, {1, 3, 65536, 65536})), HasSubstr("takes no image"));
  for (const int count : {0, -1, GoldenSet::kMaxFrames + 1})
    EXPECT_EQ(noise_frames({spec("x", DType::kF32, {1})}, nullptr, count, 0).status().code(), StatusCode::kConfigError);
}

TEST(GoldenImages, carry_their_size_and_labels_along) {
  const Contract contract = image_contract(32, 24);
  const std::vector<TensorSpec> inputs{spec("images", DType::kF32, {Shape::kDynamic, 3, 24, 32})};
  NoiseSource noise(1);
  const NoiseImage pixels = NoiseImage::scene(noise, 10, 20);
  const GoldenImage image{.image = pixels.view(),
                          .boxes = std::vector<Detection>{{1, 2, 3, 4, 0, 2}},
                          .mask = std::vector<std::uint8_t>(200, Segmentation::kBackground),
                          .class_id = 1};
  const auto frames = image_frames(inputs, contract, {&image, 1}).value();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].width, 10);
  EXPECT_EQ(frames[0].height, 20);
  EXPECT_EQ(frames[0].boxes->at(0).class_id, 2);
  EXPECT_EQ(frames[0].mask->size(), 200U);
  EXPECT_EQ(frames[0].class_id, 1);
  EXPECT_EQ(frames[0].inputs[0].tensor.shape(), (Shape{1, 3, 24, 32}));
  EXPECT_FLOAT_EQ(frames[0].inputs[0].tensor.as<float>()[0], 114.0F / 255) << "letterbox padding";
}

TEST(GoldenImages, labels_and_images_that_cannot_be_right_are_refused) {
  const Contract contract = image_contract(32, 24);
  const std::vector<TensorSpec> inputs{spec("images", DType::kF32, {1, 3, 24, 32})};
  NoiseSource noise(1);
  const NoiseImage pixels = NoiseImage::scene(noise, 10, 20), region = NoiseImage::region(noise, 10, 20);
  const auto refusal = [&](GoldenImage image) {
    image.image = image.image.width == 0 ? pixels.view() : image.image;
    const std::vector<GoldenImage> images{GoldenImage{.image = pixels.view()}, image};
    const auto frames = image_frames(inputs, contract, images);
    EXPECT_EQ(frames.status().code(), StatusCode::kInputError);
    EXPECT_THAT(frames.status().where(), HasSubstr("golden image 1"));
    return frames.status().to_string();
  };
  EXPECT_THAT(refusal({.image = {}, .boxes = std::vector<Detection>{{1, 2, 3, 4, 0, 3}}}), HasSubstr("classes 0 to 2"));
  EXPECT_THAT(refusal({.image = {}, .boxes = std::vector<Detection>{{1, 2, 3, 4, 0, -1}}}), HasSubstr("class -1"));
  EXPECT_THAT(refusal({.image = {}, .mask = std::vector<std::uint8_t>(199)}), HasSubstr("199 pixels"));
  EXPECT_THAT(refusal({.image = {}, .mask = std::vector<std::uint8_t>(200, 3)}), HasSubstr("pixel of class 3"));
  EXPECT_THAT(refusal({.image = {}, .class_id = 3}), HasSubstr("class 3"));
  EXPECT_THAT(refusal({.image = {}, .region = region.view()}), HasSubstr("region"));
  ImageView broken = pixels.view();
  broken.planes[0].data = nullptr;
  EXPECT_FALSE(refusal({.image = broken}).empty());
  EXPECT_EQ(image_frames(inputs, contract, {}).status().code(), StatusCode::kConfigError);
  const GoldenImage image{.image = pixels.view()};
  const std::vector<TensorSpec> two{inputs[0], spec("k", DType::kF32, {1})};
  EXPECT_THAT(image_frames(two, contract, {&image, 1}).status().to_string(), HasSubstr("the engine has 2 inputs"));
}

}  // namespace
}  // namespace tern
