// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "variants.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

namespace tern::trt_backend {
namespace {

TEST(Variants, the_same_key_is_the_same_variant) {
  Variants variants;
  variants.at({1, 2}).is_warm = true;
  EXPECT_TRUE(variants.at({1, 2}).is_warm);
  EXPECT_FALSE(variants.at({1, 3}).is_warm);
  EXPECT_FALSE(variants.at({1, 2, 0}).is_warm);
}

TEST(Variants, the_one_unused_for_longest_makes_room) {
  Variants variants;
  for (std::uint64_t i = 0; i < Variants::kMost; ++i)
    variants.at({i}).is_warm = true;
  EXPECT_TRUE(variants.at({0}).is_warm);  // now used last
  EXPECT_FALSE(variants.at({100}).is_warm);
  EXPECT_TRUE(variants.at({0}).is_warm);
  EXPECT_FALSE(variants.at({1}).is_warm) << "it was the oldest, and must have gone";
}

TEST(Variants, must_warm_up_again_when_memory_moved) {
  Variants variants;
  variants.at({1}).is_warm = true;
  variants.at({2}).eager_only = true;
  variants.drop_graphs();
  EXPECT_FALSE(variants.at({1}).is_warm);
  EXPECT_TRUE(variants.at({2}).eager_only);
}

template <typename T>
std::vector<std::byte> bytes(const std::vector<T>& values) {
  std::vector<std::byte> out(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

TEST(RunsAgree, equal_bits_of_any_type_do) {
  EXPECT_TRUE(runs_agree(bytes<float>({}), bytes<float>({}), DType::kF32, 0));
  EXPECT_TRUE(runs_agree(bytes<float>({NAN, 1}), bytes<float>({NAN, 1}), DType::kF32, 0));
  EXPECT_TRUE(runs_agree(bytes<std::int64_t>({7}), bytes<std::int64_t>({7}), DType::kI64, 0));
}

TEST(RunsAgree, whole_numbers_have_no_tolerance) {
  EXPECT_FALSE(runs_agree(bytes<std::int32_t>({1000}), bytes<std::int32_t>({1001}), DType::kI32, 0.5));
}

TEST(RunsAgree, floats_may_differ_by_a_part_of_the_largest) {
  const auto agree = [](std::vector<float> a, std::vector<float> b) {
    return runs_agree(bytes(a), bytes(b), DType::kF32, 1e-3);
  };
  EXPECT_TRUE(agree({100, 0.05F}, {100, 0.1F}));
  EXPECT_FALSE(agree({100, 0.05F}, {100, 0.2F}));
  EXPECT_FALSE(agree({0, 0}, {0, 1e-9F})) << "there is no largest to compare with";
  EXPECT_FALSE(agree({1, 2}, {1}));
}

TEST(RunsAgree, nan_and_infinity_agree_with_themselves_alone) {
  const float inf = std::numeric_limits<float>::infinity();
  const auto agree = [](std::vector<float> a, std::vector<float> b) {
    return runs_agree(bytes(a), bytes(b), DType::kF32, 1e-3);
  };
  EXPECT_TRUE(agree({NAN, inf, 1}, {-NAN, inf, 1.0001F}));
  EXPECT_FALSE(agree({NAN, 1}, {1, 1}));
  EXPECT_FALSE(agree({1, 1}, {NAN, 1}));
  EXPECT_FALSE(agree({inf, 1}, {1, 1}));
  EXPECT_FALSE(agree({inf, 1}, {-inf, 1}));
}

TEST(RunsAgree, half_and_bfloat16_are_compared_as_numbers) {
  // 0x3C00 and 0x3F80 are 1.0; one unit in the last place of f16 is 2^-10, of bf16 2^-7.
  EXPECT_TRUE(runs_agree(bytes<std::uint16_t>({0x3C00}), bytes<std::uint16_t>({0x3C01}), DType::kF16, 1e-3));
  EXPECT_FALSE(runs_agree(bytes<std::uint16_t>({0x3C00}), bytes<std::uint16_t>({0x3C02}), DType::kF16, 1e-3));
  EXPECT_TRUE(runs_agree(bytes<std::uint16_t>({0x3F80}), bytes<std::uint16_t>({0x3F81}), DType::kBF16, 1e-2));
  EXPECT_FALSE(runs_agree(bytes<std::uint16_t>({0x3F80}), bytes<std::uint16_t>({0x3F82}), DType::kBF16, 1e-2));
  EXPECT_TRUE(
      runs_agree(bytes<std::uint16_t>({0x7C00, 0x0001}), bytes<std::uint16_t>({0x7C00, 0x0001}), DType::kF16, 0));
  EXPECT_FALSE(runs_agree(bytes<std::uint16_t>({0x7C00}), bytes<std::uint16_t>({0x3C00}), DType::kF16, 1e-3));
}

}  // namespace
}  // namespace tern::trt_backend
