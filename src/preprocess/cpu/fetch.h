// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "preprocess/cpu/color.h"
#include "preprocess/frame_plan.h"
#include "tern/image.h"

namespace tern {

// Fetching gathers, for one source row, the bytes that the taps of an output row need into one word for each output
// pixel, so that the vector code after it reads straight on. Reads stay inside the row's pixels.
//
// Words, by source; bytes from the lowest address (little endian), c0 c1 c2 in source order, - undefined:
//
//             kPoint                 kLinear (c: first tap, d: last tap)
//   kGray     1 byte  c              2 bytes  c d
//   kPacked3  4 bytes c0 c1 c2 -     8 bytes  c0 c1 c2 d0 d1 d2 - -
//   kPacked4  4 bytes c0 c1 c2 -     8 bytes  c0 c1 c2 - d0 d1 d2 -
//   kYuv      4 bytes Y U V -        8 bytes  Y U V - Y U V -

/// Bytes of one word. REQUIRES: kind is kPoint or kLinear.
[[nodiscard]] std::size_t word_size(ColorTransform::Source source, AxisPlan::Kind kind) noexcept;

struct FetchRow {
  int row = 0;                    ///< the source row
  int ahead = -1;                 ///< the row that the same words will come from next, for the caches; or negative
  std::uint8_t* words = nullptr;  ///< x.count words go here
};

/// REQUIRES: x.kind is kPoint or kLinear; rows inside the image.
void fetch_row(const ImageView& image, const FetchRow& row, const AxisPlan& x) noexcept;
/// Two rows at once, which is faster than one after the other.
void fetch_rows(const ImageView& image, const std::array<FetchRow, 2>& rows, const AxisPlan& x) noexcept;

/// 1 where the mask is not 0.
void fetch_mask_row(const ImageView& mask, int row, const AxisPlan& x, float* out) noexcept;

}  // namespace tern
