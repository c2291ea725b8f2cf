// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/geometry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "tern/image.h"

namespace tern {
namespace {

/// To nearest, ties to even, whatever the thread's rounding mode is. REQUIRES: 0 <= v < 2^52.
std::int64_t round_half_even(double v) noexcept {
  const double below = std::floor(v);
  const auto whole = static_cast<std::int64_t>(below);
  const double rest = v - below;
  const bool up = rest > 0.5 || (rest == 0.5 && whole % 2 != 0);
  return whole + (up ? 1 : 0);
}

/// The length that `side` becomes when it is scaled by target / reference, all of them positive and at most 2^16.
std::int64_t scaled_side(int side, int target, int reference, Rounding rounding) noexcept {
  const std::int64_t product = std::int64_t{side} * target;
  switch (rounding) {
    case Rounding::kRound:
      // The ratio first, in double, as Ultralytics' letterbox does: ties then fall to the same side.
      return round_half_even(static_cast<double>(side) * (static_cast<double>(target) / reference));
    case Rounding::kFloor:
      return product / reference;
    case Rounding::kCeil:
      return (product + reference - 1) / reference;
  }
  return 0;
}

void stretch(Geometry& g) noexcept {
  g.inner_width = g.dst_width;
  g.inner_height = g.dst_height;
  g.scale_x = static_cast<double>(g.dst_width) / g.src_width;
  g.scale_y = static_cast<double>(g.dst_height) / g.src_height;
}

void letterbox(Geometry& g, PadSide side, Rounding rounding) noexcept {
  // The tighter side decides and is filled; compared without division.
  const bool by_width = std::int64_t{g.dst_width} * g.src_height <= std::int64_t{g.dst_height} * g.src_width;
  const int target = by_width ? g.dst_width : g.dst_height;
  const int reference = by_width ? g.src_width : g.src_height;
  const auto fit = [&](int src, int dst, bool decides) {
    if (decides) return dst;
    return static_cast<int>(std::clamp<std::int64_t>(scaled_side(src, target, reference, rounding), 1, dst));
  };
  g.inner_width = fit(g.src_width, g.dst_width, by_width);
  g.inner_height = fit(g.src_height, g.dst_height, !by_width);
  if (side == PadSide::kCenter) {
    g.inner_x = (g.dst_width - g.inner_width) / 2;
    g.inner_y = (g.dst_height - g.inner_height) / 2;
  }
  g.scale_x = static_cast<double>(g.inner_width) / g.src_width;
  g.scale_y = static_cast<double>(g.inner_height) / g.src_height;
  g.offset_x = g.inner_x;
  g.offset_y = g.inner_y;
}

void center_crop(Geometry& g, Rounding rounding) noexcept {
  const bool by_width = std::int64_t{g.dst_width} * g.src_height >= std::int64_t{g.dst_height} * g.src_width;
  const int target = by_width ? g.dst_width : g.dst_height;
  const int reference = by_width ? g.src_width : g.src_height;
  const auto cover = [&](int src, int dst, bool decides) {
    return decides ? dst : std::max<std::int64_t>(scaled_side(src, target, reference, rounding), dst);
  };
  const std::int64_t width = cover(g.src_width, g.dst_width, by_width);
  const std::int64_t height = cover(g.src_height, g.dst_height, !by_width);
  g.inner_width = g.dst_width;
  g.inner_height = g.dst_height;
  g.scale_x = static_cast<double>(width) / g.src_width;
  g.scale_y = static_cast<double>(height) / g.src_height;
  const std::int64_t cut_left = (width - g.dst_width) / 2, cut_above = (height - g.dst_height) / 2;
  g.offset_x = -static_cast<double>(cut_left);
  g.offset_y = -static_cast<double>(cut_above);
}

Status check_side(const char* what, int width, int height) {
  if (width > 0 && height > 0 && width <= ImageView::kMaxSide && height <= ImageView::kMaxSide) return {};
  return make_error(StatusCode::kInputError, "the {} has {}x{} pixels; sides from 1 to {} are supported", what, width,
                    height, ImageView::kMaxSide);
}

}  // namespace

Result<Geometry> Geometry::make(const InputContract& contract, int src_width, int src_height, int dst_width,
                                int dst_height) {
  TERN_RETURN_IF_ERROR(check_side("image", src_width, src_height));
  TERN_RETURN_IF_ERROR(check_side("model's input", dst_width, dst_height));
  Geometry g;
  g.src_width = src_width;
  g.src_height = src_height;
  g.dst_width = dst_width;
  g.dst_height = dst_height;
  switch (contract.resize) {
    case ResizeRule::kNone:
      if (src_width != dst_width || src_height != dst_height) {
        return make_error(StatusCode::kInputError, "the image has {}x{} pixels, the model's input {}x{}", src_width,
                          src_height, dst_width, dst_height)
            .with_hint(
                "the contract's resize rule is 'none': give images of the input's size, or choose 'letterbox', "
                "'stretch' or 'center_crop'");
      }
      stretch(g);
      break;
    case ResizeRule::kStretch:
      stretch(g);
      break;
    case ResizeRule::kLetterbox:
      letterbox(g, contract.pad_side, contract.rounding);
      break;
    case ResizeRule::kCenterCrop:
      center_crop(g, contract.rounding);
      break;
  }
  return g;
}

}  // namespace tern
