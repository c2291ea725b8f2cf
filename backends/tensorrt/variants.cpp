// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "variants.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace tern::trt_backend {
namespace {

float half_to_float(std::uint16_t half) noexcept {
  const float sign = (half & 0x8000U) != 0 ? -1.0F : 1.0F;
  const int exponent = (half >> 10U) & 0x1F, mantissa = half & 0x3FF;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

template <typename T>
T load(const std::vector<std::byte>& bytes, std::size_t index) noexcept {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

float element(const std::vector<std::byte>& bytes, std::size_t index, DType dtype) noexcept {
  if (dtype == DType::kF32) return load<float>(bytes, index);
  const auto bits = load<std::uint16_t>(bytes, index);
  return dtype == DType::kF16 ? half_to_float(bits) : std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

}  // namespace

Variant& Variants::at(const std::vector<std::uint64_t>& key) {
  auto found = std::ranges::find(variants_, key, &Variant::key);
  if (found == variants_.end()) {
    if (variants_.size() == kMost) {
      const auto oldest = std::ranges::min_element(variants_, {}, &Variant::last_use);
      if (oldest->graph) ++lost_graphs_;
      variants_.erase(oldest);
    }
    variants_.emplace_back().key = key;
    found = variants_.end() - 1;
  }
  found->last_use = ++uses_;
  return *found;
}

void Variants::drop_graphs() noexcept {
  for (Variant& variant : variants_) {
    variant.graph.reset();
    variant.context.reset();
    variant.is_warm = false;
  }
}

bool runs_agree(const std::vector<std::byte>& a, const std::vector<std::byte>& b, DType dtype, double tolerance) {
  if (a == b) return true;
  const bool is_float = dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
  if (!is_float || a.size() != b.size()) return false;
  const std::size_t count = a.size() / size_of(dtype);
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double value = std::fabs(element(a, i, dtype));
    if (std::isfinite(value)) largest = std::max(largest, value);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const double x = element(a, i, dtype), y = element(b, i, dtype);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    if (!(std::fabs(x - y) <= tolerance * largest)) return false;
  }
  return true;
}

}  // namespace tern::trt_backend
