// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/image.h"
#include "tern/pipeline_io.h"
#include "tern/results.h"

namespace tern {

/// Which boxes become crops, and how much around them.
struct CropRule {
  std::vector<bool> is_wanted{};  ///< by class; empty: all
  int max_crops = 16;
  double margin = 0;  ///< of the box's width and height, added at each side
};

/// Fills `result.crops` from `detections`, best first: whole pixels that cover box and margin, within the frame, and of even position and
/// size where the format's chroma needs it. Boxes of no area inside the frame give none.
void plan_crops(std::span<const Detection> detections, const CropRule& rule, const ImageView& frame,
                ModelResult& result);

/// The same pixels, not copied. REQUIRES: a crop of plan_crops() for this frame.
[[nodiscard]] ImageView crop_view(const ImageView& frame, const CropResult& crop) noexcept;

/// The mask of a crop, 255 where the pixel's class is one of `is_inside` (by class; empty: any class), else 0, row by row without padding.
/// REQUIRES: `segmentation` has the frame's size.
void crop_mask(const Segmentation& segmentation, const std::vector<bool>& is_inside, const CropResult& crop,
               std::vector<std::uint8_t>& mask);

}  // namespace tern
