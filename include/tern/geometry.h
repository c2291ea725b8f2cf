// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tern/contract.h"
#include "tern/status.h"

namespace tern {

/// Where a source image lies in the model's input: the forward map that preprocessing uses, and its inverse.
///
/// Edges, not centres, are mapped (half-pixel centres): source x in [0, src_width] lies at x * scale_x + offset_x of
/// the input. The image covers [inner_x, inner_x + inner_width) x [inner_y, ...) of the input, whole pixels, at least
/// one; outside is padding. For kCenterCrop the offsets are negative or zero and the inner rectangle is the whole
/// input.
///
/// kLetterbox: the side that limits the scale is filled exactly; the other becomes src * ratio, made whole by the
/// contract's `rounding`, at least 1. The two scales therefore differ by the rounding. With kCenter and kRound (ties to
/// even) sizes and padding are those of Ultralytics' letterbox: new = round(src * r), left = round(d - 0.1),
/// right = round(d + 0.1), where d is half of what is left over.
/// kCenterCrop: the side that limits the scale covers the input exactly; the other is made whole by `rounding` and cut
/// at whole pixels, an odd pixel at the right and bottom. `pad_side` has no meaning here.
/// kFloor and kCeil round the exact quotient, so that no floating-point error costs a pixel.
struct TERN_API Geometry {
  int src_width = 0, src_height = 0;
  int dst_width = 0, dst_height = 0;
  double scale_x = 1, scale_y = 1;    ///< input pixels per source pixel
  double offset_x = 0, offset_y = 0;  ///< input position of the source's left and top edges
  int inner_x = 0, inner_y = 0, inner_width = 0, inner_height = 0;

  /// The map for a source of the given size and an input of dst_width x dst_height under `contract`'s resize rule.
  /// InputError when a side is not in 1..ImageView::kMaxSide, or (kNone) not the input's.
  [[nodiscard]] static Result<Geometry> make(const InputContract& contract, int src_width, int src_height,
                                             int dst_width, int dst_height);

  /// Input position to source position (edges); not clamped.
  [[nodiscard]] double to_source_x(double x) const noexcept { return (x - offset_x) / scale_x; }
  [[nodiscard]] double to_source_y(double y) const noexcept { return (y - offset_y) / scale_y; }
};

}  // namespace tern
