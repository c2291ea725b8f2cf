// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cassert>

#include "base/error.h"
#include "tern/tensor.h"

namespace tern {

Shape::Shape(std::initializer_list<std::int64_t> dims) noexcept : rank_(dims.size()) {
  assert(dims.size() <= kMaxRank);
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

Result<Shape> Shape::from(std::span<const std::int64_t> dims) {
  if (dims.size() > kMaxRank) {
    return make_error(StatusCode::kInputError, "{} dimensions; at most {} are supported", dims.size(), kMaxRank);
  }
  Shape shape;
  shape.rank_ = dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < kDynamic) return make_error(StatusCode::kInputError, "dimension {} is {}", i, dims[i]);
    shape.dims_[i] = dims[i];
  }
  return shape;
}

bool Shape::is_static() const noexcept {
  return std::ranges::all_of(dims(), [](std::int64_t d) { return d >= 0; });
}

Result<std::int64_t> Shape::elements() const {
  // Strides are products too, so the dimensions beside a zero must not overflow either.
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t d : dims()) {
    if (d < 0)
      return make_error(StatusCode::kInputError, "shape {} has no size until its dynamic dimensions are known",
                        to_string());
    empty = empty || d == 0;
    if (d > 0 && __builtin_mul_overflow(product, d, &product)) {
      return make_error(StatusCode::kInputError, "shape {} has more elements than fit 63 bits", to_string());
    }
  }
  return empty ? 0 : product;
}

bool Shape::accepts(const Shape& other) const noexcept {
  if (rank_ != other.rank_) return false;
  for (std::size_t i = 0; i < rank_; ++i) {
    if (dims_[i] != kDynamic && dims_[i] != other.dims_[i]) return false;
  }
  return true;
}

std::string Shape::to_string() const {
  if (rank_ == 0) return "scalar";
  std::string text;
  for (std::size_t i = 0; i < rank_; ++i) {
    if (i > 0) text += 'x';
    text += dims_[i] == kDynamic ? "?" : std::to_string(dims_[i]);
  }
  return text;
}

bool Shape::operator==(const Shape& other) const noexcept {
  return std::ranges::equal(dims(), other.dims());
}

std::string Device::to_string() const {
  return kind == DeviceKind::kCpu ? "cpu" : "cuda:" + std::to_string(index);
}

}  // namespace tern
