// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "preprocess/cpu/color.h"
#include "preprocess/frame_plan.h"

namespace tern {

// The vectorised inner loops (Google Highway), each for one output row; the instruction set is chosen when first
// called. Buffers need no alignment. "Padded" inputs may be read up to AxisPlan::kPadding elements past `count`;
// outputs are written exactly.

/// An output row from fetched words (see fetch.h).
struct SampleRow {
  const std::uint8_t* top = nullptr;     ///< padded words of source row y0
  const std::uint8_t* bottom = nullptr;  ///< of row y1; the same as `top` when only one row counts
  const float* wx = nullptr;             ///< padded; weights of the last tap; kLinear only
  float wy = 0;                          ///< weight of `bottom`
  std::size_t count = 0;
  std::array<float*, 3> out{};  ///< by output channel; only [0] when transform.to_gray
};
void sample_row(const ColorTransform& transform, AxisPlan::Kind kind, const SampleRow& row) noexcept;

/// The same from already resampled channels (the padded rows `channels`, one for a gray source).
void color_row(const ColorTransform& transform, const std::array<const float*, 3>& channels, std::size_t count,
               const std::array<float*, 3>& out) noexcept;

/// sums[i] = weight * bytes[i], or sums[i] += weight * bytes[i].
void set_weighted(const std::uint8_t* bytes, std::size_t count, float weight, float* sums) noexcept;
void add_weighted(const std::uint8_t* bytes, std::size_t count, float weight, float* sums) noexcept;

/// One channel of one row, resampled along x. Element (x >> shift) * step of `sums` belongs to source column x.
struct BoxRow {
  const float* sums = nullptr;
  std::int32_t step = 1;
  int shift = 0;
  float norm = 1;  ///< multiplies everything
};
void box_row(const AxisPlan& x, const BoxRow& row, float* out) noexcept;

/// IEEE binary16, rounded to nearest even. REQUIRES: finite values.
void convert_row(const float* in, std::size_t count, std::uint16_t* halves) noexcept;
/// Clamped to 0..255, rounded to nearest even.
void convert_row(const float* in, std::size_t count, std::uint8_t* bytes) noexcept;

/// out[i * channels + c] = planes[c][i]; channels in 1..4.
void interleave_row(const std::array<const float*, 4>& planes, std::size_t channels, std::size_t count,
                    float* out) noexcept;
void interleave_row(const std::array<const std::uint16_t*, 4>& planes, std::size_t channels, std::size_t count,
                    std::uint16_t* out) noexcept;
void interleave_row(const std::array<const std::uint8_t*, 4>& planes, std::size_t channels, std::size_t count,
                    std::uint8_t* out) noexcept;

}  // namespace tern
