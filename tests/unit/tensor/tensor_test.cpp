// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/tensor.h"

#include <array>
#include <cstdint>
#include <dlpack/dlpack.h>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

namespace tern {
namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

TEST(DType, names_and_sizes_round_trip) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(parse_dtype(to_string(dtype)).value(), dtype);
    EXPECT_GT(size_of(dtype), 0U);
  }
  EXPECT_FALSE(parse_dtype("float").ok());
}

TEST(Shape, counts_prints_and_compares) {
  const Shape shape{1, 3, 640, 640};
  EXPECT_EQ(shape.elements().value(), 1228800);
  EXPECT_EQ(shape.to_string(), "1x3x640x640");
  EXPECT_EQ(Shape().to_string(), "scalar");
  EXPECT_EQ(Shape().elements().value(), 1);
  EXPECT_EQ((Shape{Shape::kDynamic, 3}).to_string(), "?x3");
  EXPECT_NE(shape, (Shape{1, 3, 640}));
  EXPECT_EQ((Shape{0, 5}).elements().value(), 0);
}

TEST(Shape, refuses_overflow_negative_and_too_many_dimensions) {
  EXPECT_FALSE((Shape{kHuge, 2}).elements().ok());
  EXPECT_FALSE((Shape{Shape::kDynamic}).elements().ok());
  const std::array<std::int64_t, 9> nine{};
  EXPECT_FALSE(Shape::from(nine).ok());
  const std::array<std::int64_t, 1> negative{-2};
  EXPECT_FALSE(Shape::from(negative).ok());
}

TEST(Shape, dynamic_dimensions_accept_any_size_and_static_ones_their_own) {
  const Shape open{Shape::kDynamic, 3};
  EXPECT_TRUE(open.accepts({7, 3}));
  EXPECT_FALSE(open.accepts({7, 4}));
  EXPECT_FALSE(open.accepts({7, 3, 1}));
}

TEST(Tensor, is_aligned_and_moves) {
  Tensor a = Tensor::create(DType::kF32, {2, 3}).value();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.view().data()) % 64, 0U);
  EXPECT_EQ(a.bytes(), 24U);
  const void* memory = a.view().data();
  Tensor b = std::move(a);
  EXPECT_EQ(b.view().data(), memory);
  EXPECT_TRUE(a.view().empty());  // NOLINT(bugprone-use-after-move): moved-from tensors are empty by contract
  b = Tensor();
  EXPECT_TRUE(b.view().empty());
}

TEST(Tensor, refuses_what_cannot_be_allocated) {
  EXPECT_EQ(Tensor::create(DType::kF32, {Shape::kDynamic}).status().code(), StatusCode::kInputError);
  EXPECT_EQ(Tensor::create(DType::kF64, {kHuge / 2}).status().code(), StatusCode::kInputError);
  EXPECT_TRUE(Tensor::create(DType::kF32, {0, 5}).ok());
}

TEST(Tensor, copies_strided_views_in_order) {
  std::array<int, 12> numbers{};
  std::iota(numbers.begin(), numbers.end(), 0);
  const TensorView transposed(numbers.data(), DType::kI32, {4, 3}, {1, 4}, {});  // of a 3x4 matrix
  EXPECT_FALSE(transposed.is_contiguous());
  const Tensor copy = Tensor::copy_of(transposed).value();
  EXPECT_TRUE(copy.view().is_contiguous());
  EXPECT_EQ(copy.as<int>()[1], 4);
  EXPECT_EQ(copy.as<int>()[3], 1);
  EXPECT_EQ(copy.as<int>()[11], 11);
}

TEST(TensorView, rows_are_parts_of_the_same_memory) {
  const Tensor tensor = Tensor::create(DType::kF32, {4, 2}).value();
  const TensorView rows = tensor.view().rows(1, 2);
  EXPECT_EQ(rows.shape(), (Shape{2, 2}));
  EXPECT_EQ(rows.as<float>().data(), tensor.as<float>().data() + 2);
  EXPECT_TRUE(rows.is_contiguous());
}

TEST(Dlpack, round_trips_every_dtype_without_a_copy) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto dtype = static_cast<DType>(i);
    Tensor tensor = Tensor::create(dtype, {2, 5}).value();
    void* memory = tensor.view().data();
    DLManagedTensor* managed = std::move(tensor).to_dlpack().value();
    EXPECT_EQ(managed->dl_tensor.data, memory);
    const Tensor back = Tensor::from_dlpack(managed).value();  // ASan sees a leak or a double free
    EXPECT_EQ(back.view().data(), memory);
    EXPECT_EQ(back.dtype(), dtype);
    EXPECT_EQ(back.shape(), (Shape{2, 5}));
  }
}

TEST(Dlpack, refuses_what_it_cannot_carry_and_leaves_it_to_the_caller) {
  Tensor tensor = Tensor::create(DType::kF32, {2, 2}).value();
  DLManagedTensor* managed = std::move(tensor).to_dlpack().value();
  DLTensor& dl = managed->dl_tensor;
  const DLTensor good = dl;
  const auto refused = [&] {
    EXPECT_EQ(Tensor::from_dlpack(managed).status().code(), StatusCode::kInputError);
    dl = good;
  };
  dl.dtype.lanes = 4;
  refused();
  dl.dtype.bits = 4;
  refused();
  dl.ndim = 9;
  refused();
  dl.ndim = -1;
  refused();
  dl.device.device_type = kDLVulkan;
  refused();
  dl.data = nullptr;
  refused();
  EXPECT_FALSE(std::move(Tensor()).to_dlpack().ok());
  managed->deleter(managed);
}

}  // namespace
}  // namespace tern
