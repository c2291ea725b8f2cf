// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocation_counter.h"
#include "tern/preprocess.h"
#include "unit/preprocess/images.h"

namespace tern {
namespace {

TEST(Allocation, NoneOnceAllSizesWereMet) {
  std::vector<TestImage> images;
  images.emplace_back(PixelFormat::kBgr, 320, 180);
  images.emplace_back(PixelFormat::kNv12, 321, 183);
  images.emplace_back(PixelFormat::kGray, 64, 640);
  images.emplace_back(PixelFormat::kBgra, 1, 1);
  images.emplace_back(PixelFormat::kI420, 33, 35);
  for (const Interpolation rule : {Interpolation::kBilinear, Interpolation::kNearest, Interpolation::kArea}) {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kU8}) {
      InputContract contract;
      contract.interpolation = rule;
      contract.dtype = dtype;
      contract.layout = TensorLayout::kNhwc;
      Preprocessor preprocessor = *Preprocessor::create(contract);
      const std::array outputs{*Tensor::create(dtype, {1, 96, 96, 3}), *Tensor::create(dtype, {1, 128, 64, 3})};
      const auto all = [&] {
        for (const TestImage& image : images) {
          for (const Tensor& out : outputs) {
            Geometry geometry;
            ASSERT_TRUE(preprocessor.run({&image.view(), 1}, {}, out.view(), {&geometry, 1}).ok());
          }
        }
      };
      EXPECT_GT(test::count_allocations(all).other, 0U);  // the counter counts
      EXPECT_EQ(test::count_allocations(all).other, 0U);
      EXPECT_EQ(test::count_allocations(all).other, 0U);
    }
  }
}

TEST(Allocation, ManySizesInTurnReuseTheOldestMemory) {
  Preprocessor preprocessor = *Preprocessor::create(InputContract{});
  const Tensor out = *Tensor::create(DType::kF32, {1, 3, 64, 64});
  TestImage image(PixelFormat::kBgr, 100, 100);
  const auto run = [&](int width) {
    ImageView view = image.view();
    view.width = width;
    Geometry geometry;
    ASSERT_TRUE(preprocessor.run({&view, 1}, {}, out.view(), {&geometry, 1}).ok());
  };
  run(100);  // the widest tables are those of the squarest image
  for (int width = 20; width <= 100; ++width)
    run(width);
  const std::size_t count = test::count_allocations([&] {
                              for (int width = 84; width >= 20; --width)
                                run(width);
                            }).other;
  EXPECT_LE(count, 16U * 12U);  // a slot may grow, none is made anew
}

}  // namespace
}  // namespace tern
