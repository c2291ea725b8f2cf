// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/tensor.h"

namespace tern {

/// One image's place in the input tensor. Rows of normalised floats go in, planes or interleaved elements of the
/// contract's dtype come out; f32 planes are written where they belong at once, without a copy.
///
/// For each image: begin(), which writes the padding; then for each inner row rows() and, once they are filled,
/// commit(). Memory grows with the widest tensor seen and is kept.
class OutputRows {
 public:
  explicit OutputRows(const InputContract& contract);

  /// `out` is one image: (1, C, H, W) or (1, H, W, C), contiguous, of the contract's dtype.
  void begin(const TensorView& out, const Geometry& geometry);
  /// Where the channels of inner row `row` go; inner_width floats each.
  [[nodiscard]] std::array<float*, 4> rows(std::size_t row) noexcept;
  void commit(std::size_t row) noexcept;

 private:
  [[nodiscard]] bool is_direct() const noexcept { return planar_ && dtype_ == DType::kF32; }
  template <typename T>
  void pad(const std::array<T, 4>& value) noexcept;
  template <typename T>
  void pad_interleaved(const std::array<T, 4>& value) noexcept;
  template <typename T>
  void commit_converted(std::size_t row) noexcept;

  bool planar_;
  DType dtype_;
  std::size_t channels_;
  std::array<float, 4> padding_;

  void* data_ = nullptr;
  std::size_t width_ = 0, height_ = 0;                                   ///< of the tensor
  std::size_t left_ = 0, top_ = 0, inner_width_ = 0, inner_height_ = 0;  ///< the inner rectangle

  std::vector<float> floats_;          ///< channels_ rows, when not direct
  std::vector<std::uint16_t> narrow_;  ///< the same rows as f16 or u8, before they are interleaved
  std::size_t row_stride_ = 0;         ///< elements from one row of those to the next
};

}  // namespace tern
