// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/half.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(Half, ComesBackFromEveryValue) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const float value = float_from_half(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float_from_half(half_from_float(value))));
      continue;
    }
    ASSERT_EQ(half_from_float(value), bits);
  }
}

TEST(Half, RoundsToNearestEven) {
  for (unsigned bits = 0; bits < 0x7BFF; ++bits) {
    const double low = float_from_half(static_cast<std::uint16_t>(bits));
    const double high = float_from_half(static_cast<std::uint16_t>(bits + 1));
    const auto middle = static_cast<float>((low + high) / 2);  // exact: one more bit than a half has
    const unsigned even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(half_from_float(middle), even);
    ASSERT_EQ(half_from_float(std::nextafter(middle, 0.0F)), bits);
    ASSERT_EQ(half_from_float(std::nextafter(middle, INFINITY)), bits + 1);
    ASSERT_EQ(half_from_float(-middle), even | 0x8000U);
  }
}

TEST(Half, LeavesItsRange) {
  EXPECT_EQ(half_from_float(65504.0F), 0x7BFF);
  EXPECT_EQ(half_from_float(65519.996F), 0x7BFF);
  EXPECT_EQ(half_from_float(65520.0F), 0x7C00);
  EXPECT_EQ(half_from_float(std::numeric_limits<float>::max()), 0x7C00);
  EXPECT_EQ(half_from_float(-INFINITY), 0xFC00);
  EXPECT_EQ(half_from_float(1e-30F), 0);
  EXPECT_EQ(half_from_float(-0.0F), 0x8000);
}

}  // namespace
}  // namespace tern
