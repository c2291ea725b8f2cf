// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/tensor.h"

#include <cassert>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace tern {
namespace {

constexpr std::size_t kAlignment = 64;

void free_memory(void* memory) noexcept {
  std::free(memory);
}

Shape row_major(const Shape& shape) noexcept {
  Shape strides = shape;
  std::int64_t step = 1;
  for (std::size_t i = shape.rank(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

void copy_strided(const TensorView& from, std::size_t axis, const std::byte* source, std::byte*& target) {
  const std::size_t element = size_of(from.dtype());
  if (axis == from.shape().rank()) {
    std::memcpy(target, source, element);
    target += element;
    return;
  }
  for (std::int64_t i = 0; i < from.shape()[axis]; ++i) {
    copy_strided(from, axis + 1, source + i * from.strides()[axis] * static_cast<std::int64_t>(element), target);
  }
}

}  // namespace

TensorView::TensorView(void* data, DType dtype, const Shape& shape, Device device) noexcept
    : data_(data), shape_(shape), strides_(row_major(shape)), device_(device), dtype_(dtype) {
  assert(shape.is_static());
}

TensorView::TensorView(void* data, DType dtype, const Shape& shape, const Shape& strides, Device device) noexcept
    : data_(data), shape_(shape), strides_(strides), device_(device), dtype_(dtype) {
  assert(shape.is_static() && strides.rank() == shape.rank());
}

std::size_t TensorView::elements() const noexcept {
  std::size_t product = 1;
  for (const std::int64_t d : shape_.dims())
    product *= static_cast<std::size_t>(d);
  return data_ == nullptr ? 0 : product;
}

bool TensorView::is_contiguous() const noexcept {
  std::int64_t step = 1;
  for (std::size_t i = shape_.rank(); i-- > 0;) {
    if (shape_[i] != 1 && strides_[i] != step) return false;
    step *= shape_[i];
  }
  return true;
}

TensorView TensorView::rows(std::int64_t first, std::int64_t count) const noexcept {
  assert(shape_.rank() >= 1 && first >= 0 && first + count <= shape_[0]);
  TensorView part = *this;
  part.data_ = static_cast<std::byte*>(data_) + first * strides_[0] * static_cast<std::int64_t>(size_of(dtype_));
  part.shape_[0] = count;
  return part;
}

Result<Tensor> Tensor::create(DType dtype, const Shape& shape) {
  TERN_ASSIGN_OR_RETURN(const std::int64_t elements, shape.elements());
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::size_t>(elements), size_of(dtype), &bytes) ||
      bytes > SIZE_MAX - kAlignment) {
    return make_error(StatusCode::kInputError, "a tensor of shape {} does not fit the address space",
                      shape.to_string());
  }
  const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, rounded == 0 ? kAlignment : rounded);
  if (memory == nullptr) {
    return make_error(StatusCode::kOutOfMemoryError, "no memory for a tensor of {} bytes ({})", bytes,
                      shape.to_string());
  }
  return Tensor(TensorView(memory, dtype, shape), memory, free_memory);
}

Result<Tensor> Tensor::copy_of(const TensorView& view) {
  assert(view.device().kind == DeviceKind::kCpu);
  TERN_ASSIGN_OR_RETURN(Tensor copy, create(view.dtype(), view.shape()));
  if (view.is_contiguous()) {
    if (view.bytes() > 0) std::memcpy(copy.view().data(), view.data(), view.bytes());
  } else {
    auto* target = static_cast<std::byte*>(copy.view().data());
    copy_strided(view, 0, static_cast<const std::byte*>(view.data()), target);
  }
  return copy;
}

Tensor::Tensor(Tensor&& other) noexcept
    : view_(std::exchange(other.view_, {})), owner_(std::exchange(other.owner_, nullptr)), release_(other.release_) {}

Tensor& Tensor::operator=(Tensor&& other) noexcept {
  if (this != &other) {
    if (owner_ != nullptr) release_(owner_);
    view_ = std::exchange(other.view_, {});
    owner_ = std::exchange(other.owner_, nullptr);
    release_ = other.release_;
  }
  return *this;
}

Tensor::~Tensor() {
  if (owner_ != nullptr) release_(owner_);
}

}  // namespace tern
