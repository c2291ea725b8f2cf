// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/image.h"
#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

/// Turns images into the model's input tensor on the CPU: resize, colour, normalisation, dtype and layout in one pass.
///
/// | what         | which                                                                                               |
/// |--------------|-----------------------------------------------------------------------------------------------------|
/// | images       | kBgr, kRgb, kBgra, kGray, kNv12, kI420; 1x1 to 65536x65536; any stride; host memory; never written  |
/// | regions      | kGray masks of their image's size (0 outside, else inside), only with contract.mask_channel         |
/// | out          | (N, C, H, W) or (N, H, W, C) by contract.layout; f32, f16 or u8 by contract.dtype; contiguous,      |
/// |              | host memory; N images; H and W as the contract fixes them, or any in its range when dynamic         |
/// | in place     | no: `out` must not overlap the images                                                               |
/// | range of out | (channel * scale - mean) / std, channel in 0..255; every element of `out` is written                |
/// | threads      | one call at a time for an object; objects are independent; run() uses the calling thread only       |
/// | memory       | none allocated when frame sizes come back (the last 16 combinations of sizes are remembered)        |
/// | errors       | InputError, which names the image and what is wrong with it; `out` may then be partly written       |
///
/// # Definition
///
/// Every implementation computes this. Positions are double, taken exactly as written; pixel values are f32.
///
/// 1. **Position.** Pixel (i, j) of the input, inside Geometry's inner rectangle, has its centre at the source edge
///    position px = (i + 0.5 - offset_x) / scale_x, py likewise. Rules below are for x; y is the same.
/// 2. **Taps**, on a source axis of n pixels:
///    - kNearest: pixel clamp(floor(px), 0, n - 1). The mask channel always uses this rule. (The pixel
///      under the centre, as Pillow and OpenCV's INTER_NEAREST_EXACT take; INTER_NEAREST takes the one under the
///      corner.)
///    - kBilinear: s = clamp(px - 0.5, 0, n - 1); x0 = min(floor(s), max(n - 2, 0)); x1 = min(x0 + 1, n - 1);
///      w = f32(s - x0). No low-pass filter: down-scaling reads two pixels an axis, as OpenCV's INTER_LINEAR.
///    - kArea on an axis that shrinks (scale < 1): the box from lo = max((i - offset) / scale, 0) to
///      hi = min((i + 1 - offset) / scale, n); pixel p weighs the length of [p, p + 1) in the box, divided by
///      hi - lo. On an axis that does not shrink it is kBilinear. (Each axis decides for itself.)
/// 3. **Resampling** of each source channel. kBilinear: top = a + (b - a) * wx in row y0, bottom likewise in row y1,
///    value = top + (bottom - top) * wy: exact where neighbours are equal. kArea: rows first, then columns.
/// 4. **Chroma.** U and V of luma pixel (x, y) are those of chroma pixel (x >> 1, y >> 1): chroma is repeated, not
///    interpolated, then resampled with the luma's taps. Afterwards R, G, B = matrix * (Y, U, V), unrounded, clamped to
///    0..255. BT.601: Kr = 0.299, Kb = 0.114; BT.709: Kr = 0.2126, Kb = 0.0722; Kg = 1 - Kr - Kb.
///    Limited range: Y' = (Y - 16) * 255 / 219, C' = (C - 128) * 255 / 224; full range: Y' = Y, C' = C - 128.
///    R = Y' + 2 (1 - Kr) V'; B = Y' + 2 (1 - Kb) U'; G = Y' - (2 Kr (1 - Kr) V' + 2 Kb (1 - Kb) U') / Kg.
/// 5. **Colour.** Gray from colour: 0.299 R + 0.587 G + 0.114 B. Colour from gray: the value three times. Alpha is
///    ignored.
/// 6. **Normalisation**: v * f32(scale / std[c]) + f32(-mean[c] / std[c]), c in the order of the output channels. The
///    mask channel is 0 or 1 as it is.
/// 7. **Storing.** f32: as it is; f16: rounded to nearest even; u8: clamped to 0..255, then rounded to nearest even.
///
/// Padding is pad_value, through steps 6 and 7; it is 0 in the mask channel.
///
/// f32 operations may be fused or ordered differently (FMA, sums of a box). What is stored must be within
/// kTolerance * (255 * |scale| + |mean[c]|) / |std[c]| of the exact value, plus half a unit of the last place of dtype.
class TERN_API Preprocessor {
 public:
  /// Relative error that the order of f32 operations may cause; see above.
  static constexpr double kTolerance = 1.0 / (1 << 18);

  /// ContractError when a field is out of its range, or when a channel of 0..255 would not be finite in the dtype.
  [[nodiscard]] static Result<Preprocessor> create(const InputContract& contract);

  Preprocessor(Preprocessor&&) noexcept;
  Preprocessor& operator=(Preprocessor&&) noexcept;
  ~Preprocessor();

  [[nodiscard]] const InputContract& contract() const noexcept;

  /// Writes images[i] into row i of `out` and its map into geometry[i]. `regions` has one mask for each image when the
  /// contract has a mask channel, else it is empty.
  [[nodiscard]] Status run(std::span<const ImageView> images, std::span<const ImageView> regions, const TensorView& out,
                           std::span<Geometry> geometry);

 private:
  struct Impl;
  explicit Preprocessor(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tern
