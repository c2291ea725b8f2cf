// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/output.h"

#include <algorithm>
#include <cstring>

#include "preprocess/cpu/color.h"
#include "preprocess/cpu/kernels.h"

namespace tern {
namespace {

/// One value in another dtype, by the same code as rows.
template <typename T>
std::array<T, 4> converted(const std::array<float, 4>& value) noexcept {
  std::array<float, 4 + AxisPlan::kPadding> padded{};
  std::copy(value.begin(), value.end(), padded.begin());
  std::array<T, 4> result{};
  convert_row(padded.data(), 4, result.data());
  return result;
}

}  // namespace

OutputRows::OutputRows(const InputContract& contract)
    : planar_(contract.layout == TensorLayout::kNchw),
      dtype_(contract.dtype),
      channels_(static_cast<std::size_t>(contract.channels())),
      padding_(normalised_padding(contract)) {}

void OutputRows::begin(const TensorView& out, const Geometry& geometry) {
  data_ = out.data();
  width_ = static_cast<std::size_t>(geometry.dst_width);
  height_ = static_cast<std::size_t>(geometry.dst_height);
  left_ = static_cast<std::size_t>(geometry.inner_x);
  top_ = static_cast<std::size_t>(geometry.inner_y);
  inner_width_ = static_cast<std::size_t>(geometry.inner_width);
  inner_height_ = static_cast<std::size_t>(geometry.inner_height);
  if (!is_direct()) {
    row_stride_ = std::max(row_stride_, inner_width_ + AxisPlan::kPadding);
    floats_.resize(channels_ * row_stride_);
    if (dtype_ != DType::kF32) narrow_.resize(channels_ * row_stride_);
  }
  if (dtype_ == DType::kF32) {
    pad(padding_);
  } else if (dtype_ == DType::kF16) {
    pad(converted<std::uint16_t>(padding_));
  } else {
    pad(converted<std::uint8_t>(padding_));
  }
}

template <typename T>
void OutputRows::pad(const std::array<T, 4>& value) noexcept {
  if (!planar_) return pad_interleaved(value);
  const std::size_t right = width_ - left_ - inner_width_;
  for (std::size_t c = 0; c < channels_; ++c) {
    T* plane = static_cast<T*>(data_) + c * width_ * height_;
    std::fill_n(plane, top_ * width_, value[c]);
    if (left_ + right != 0) {
      for (std::size_t y = top_; y < top_ + inner_height_; ++y) {
        std::fill_n(plane + y * width_, left_, value[c]);
        std::fill_n(plane + (y + 1) * width_ - right, right, value[c]);
      }
    }
    const std::size_t below = top_ + inner_height_;
    std::fill_n(plane + below * width_, (height_ - below) * width_, value[c]);
  }
}

template <typename T>
void OutputRows::pad_interleaved(const std::array<T, 4>& value) noexcept {
  T* data = static_cast<T*>(data_);
  const auto fill = [&](std::size_t first, std::size_t pixels) {
    for (T* to = data + first * channels_; pixels > 0; --pixels, to += channels_)
      std::copy_n(value.begin(), channels_, to);
  };
  const std::size_t right = width_ - left_ - inner_width_;
  fill(0, top_ * width_);
  for (std::size_t y = top_; y < top_ + inner_height_; ++y) {
    fill(y * width_, left_);
    fill((y + 1) * width_ - right, right);
  }
  const std::size_t below = top_ + inner_height_;
  fill(below * width_, (height_ - below) * width_);
}

std::array<float*, 4> OutputRows::rows(std::size_t row) noexcept {
  std::array<float*, 4> result{};
  for (std::size_t c = 0; c < channels_; ++c) {
    result[c] = is_direct() ? static_cast<float*>(data_) + (c * height_ + top_ + row) * width_ + left_
                            : floats_.data() + c * row_stride_;
  }
  return result;
}

void OutputRows::commit(std::size_t row) noexcept {
  if (is_direct()) return;
  if (dtype_ == DType::kF16) return commit_converted<std::uint16_t>(row);
  if (dtype_ == DType::kU8) return commit_converted<std::uint8_t>(row);
  std::array<const float*, 4> planes{};
  for (std::size_t c = 0; c < channels_; ++c)
    planes[c] = floats_.data() + c * row_stride_;
  float* to = static_cast<float*>(data_) + ((top_ + row) * width_ + left_) * channels_;
  interleave_row(planes, channels_, inner_width_, to);
}

template <typename T>
void OutputRows::commit_converted(std::size_t row) noexcept {
  T* data = static_cast<T*>(data_);
  std::array<const T*, 4> planes{};
  for (std::size_t c = 0; c < channels_; ++c) {
    T* to = planar_ ? data + (c * height_ + top_ + row) * width_ + left_
                    : reinterpret_cast<T*>(narrow_.data()) + c * row_stride_;
    convert_row(floats_.data() + c * row_stride_, inner_width_, to);
    planes[c] = to;
  }
  if (!planar_) interleave_row(planes, channels_, inner_width_, data + ((top_ + row) * width_ + left_) * channels_);
}

}  // namespace tern
