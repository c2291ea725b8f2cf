// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// The fused implementation against the reference, for every combination of rules, on every instruction set this machine
// has, with random sizes, strides and contents.
#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include "tern/preprocess.h"
#include "unit/preprocess/images.h"
#include "unit/preprocess/tolerance.h"

namespace tern {
namespace {

/// The instruction sets of this machine; back to the best one at the end.
class EachTarget {
 public:
  EachTarget() : targets_(hwy::SupportedAndGeneratedTargets()) {}
  EachTarget(const EachTarget&) = delete;
  EachTarget& operator=(const EachTarget&) = delete;
  ~EachTarget() { use(0); }

  [[nodiscard]] const std::vector<std::int64_t>& targets() const noexcept { return targets_; }
  static void use(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }

 private:
  std::vector<std::int64_t> targets_;
};

class Differential : public testing::Test {
 protected:
  /// Runs one random image through `contract` and compares; every instruction set in turn.
  void compare(const InputContract& contract, PixelFormat format, int width, int height, int dst_width,
               int dst_height) {
    TestImage image(format, width, height, static_cast<std::ptrdiff_t>(random_() % 3) * 7);
    TestImage mask(PixelFormat::kGray, width, height, static_cast<std::ptrdiff_t>(random_() % 5));
    image.randomize(random_);
    for (int i = 0; i < width * height / 2; ++i)
      mask.plane(0)[random_() % (static_cast<unsigned>(width) * static_cast<unsigned>(height))] = 1;
    image.view().matrix = YuvMatrix(random_() % 2);
    image.view().range = YuvRange(random_() % 2);

    const std::int64_t channels = contract.channels();
    const Shape shape = contract.layout == TensorLayout::kNchw ? Shape{1, channels, dst_height, dst_width}
                                                               : Shape{1, dst_height, dst_width, channels};
    // An exact heap block, so that AddressSanitizer sees writes past it, full of NaN or 255.
    std::vector<std::uint8_t> memory(size_of(contract.dtype) * static_cast<std::size_t>(*shape.elements()));
    Tensor out = *Tensor::create(contract.dtype, shape);
    Preprocessor preprocessor = *Preprocessor::create(contract);
    Geometry geometry;
    const std::span<const ImageView> regions =
        contract.mask_channel ? std::span<const ImageView>(&mask.view(), 1) : std::span<const ImageView>();
    for (const std::int64_t target : each_.targets()) {
      EachTarget::use(target);
      std::fill(memory.begin(), memory.end(), std::uint8_t{255});
      const Status status = preprocessor.run({&image.view(), 1}, regions,
                                             TensorView(memory.data(), contract.dtype, shape), {&geometry, 1});
      ASSERT_TRUE(status.ok()) << status.to_string();
      std::copy(memory.begin(), memory.end(), static_cast<std::uint8_t*>(out.view().data()));
      ASSERT_EQ(
          difference(contract, geometry, image.view(), contract.mask_channel ? &mask.view() : nullptr, out.view()), "")
          << describe(contract, image.view(), geometry) << " on " << hwy::TargetName(target);
    }
  }

  int side(int largest) { return std::uniform_int_distribution(1, largest)(random_); }

  std::mt19937 random_{20261121};
  EachTarget each_;
};

TEST_F(Differential, EveryCombinationOfRules) {
  constexpr PixelFormat kFormats[] = {PixelFormat::kBgr,  PixelFormat::kRgb,  PixelFormat::kBgra,
                                      PixelFormat::kGray, PixelFormat::kNv12, PixelFormat::kI420};
  for (const PixelFormat format : kFormats) {
    for (int rules = 0; rules < kRuleCombinations; ++rules) {
      const InputContract contract = contract_of_rules(rules, random_);
      const int width = side(40);
      const int height = side(40);
      const bool none = contract.resize == ResizeRule::kNone;
      compare(contract, format, width, height, none ? width : side(50), none ? height : side(50));
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(Differential, ExtremeSizes) {
  struct Sizes {
    int width, height, dst_width, dst_height;
  };
  constexpr Sizes kSizes[] = {{1, 1, 33, 17},     {1, 1, 1, 1},     {2, 1, 70, 3},    {1, 2, 3, 70},
                              {3, 3, 64, 64},     {5000, 1, 7, 3},  {1, 5000, 3, 7},  {65536, 2, 3, 2},
                              {2, 65536, 2, 3},   {65536, 1, 1, 1}, {1, 65536, 1, 1}, {300, 200, 1, 1},
                              {1, 65536, 100, 9}, {999, 9, 333, 3}};
  constexpr PixelFormat kFormats[] = {PixelFormat::kBgr, PixelFormat::kBgra, PixelFormat::kGray, PixelFormat::kNv12,
                                      PixelFormat::kI420};
  for (const Sizes& s : kSizes) {
    for (const PixelFormat format : kFormats) {
      for (int rules = 0; rules < 9; ++rules) {
        InputContract contract;
        contract.resize = ResizeRule(rules % 3);
        contract.interpolation = Interpolation(rules / 3);
        compare(contract, format, s.width, s.height, s.dst_width, s.dst_height);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_F(Differential, ConstantImagesStayConstant) {
  for (const Interpolation rule : {Interpolation::kNearest, Interpolation::kBilinear}) {
    for (int value = 0; value < 256; value += 5) {
      TestImage image(PixelFormat::kBgr, side(90), side(90));
      image.fill(static_cast<std::uint8_t>(value));
      InputContract contract;
      contract.resize = ResizeRule::kStretch;
      contract.scale = 1;
      contract.interpolation = rule;
      const Tensor out = *Tensor::create(DType::kF32, {1, 3, side(60), side(60)});
      Preprocessor preprocessor = *Preprocessor::create(contract);
      Geometry geometry;
      for (const std::int64_t target : each_.targets()) {
        EachTarget::use(target);
        ASSERT_TRUE(preprocessor.run({&image.view(), 1}, {}, out.view(), {&geometry, 1}).ok());
        for (const float v : out.as<float>())
          ASSERT_EQ(v, static_cast<float>(value));
      }
    }
  }
}

}  // namespace
}  // namespace tern
