// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "preprocess/cuda/image_params.h"
#include "preprocess/cuda/words.h"
#include "preprocess/taps.h"

// Steps 1 to 6 of Preprocessor's definition for one pixel, for the kernels and for the tests that run them on the host.

namespace tern::cuda {

/// Up to three channels in source order (see ColorTransform), or Y, U, V.
struct Channels {
  float c0, c1, c2;
};

/// What kernels keep of the taps of an axis: the first pixel, and the weight of the one after it.
struct TapPair {
  std::int32_t first;
  float weight;
};

TERN_HOST_DEVICE inline int clamped(int value, int lowest, int highest) noexcept {
  return value < lowest ? lowest : (value > highest ? highest : value);
}

/// Output pixel `i` of the axis, or the nearest one that is not padding.
TERN_HOST_DEVICE inline int inner_pixel(const AxisParams& axis, int i) noexcept {
  return clamped(i, axis.inner, axis.inner + axis.inner_size - 1);
}

TERN_HOST_DEVICE inline bool is_inner(const AxisParams& axis, int i) noexcept {
  return i >= axis.inner && i < axis.inner + axis.inner_size;
}

TERN_HOST_DEVICE inline std::int32_t point_of(const AxisParams& axis, int i) noexcept {
  return point_taps((i + 0.5 - axis.offset) / axis.scale, axis.source).first;
}

TERN_HOST_DEVICE inline TapPair pair_of(const AxisParams& axis, int i) noexcept {
  const Taps taps = linear_taps((i + 0.5 - axis.offset) / axis.scale, axis.source);
  return {taps.first, static_cast<float>(taps.last_weight)};
}

/// The rows of an output row. Where one of them has weight 0 it is not read: both are then the other one.
struct RowTaps {
  std::int32_t top, bottom;
  float weight;  ///< of `bottom`
};

TERN_HOST_DEVICE inline RowTaps rows_of(const AxisParams& axis, const TapPair& pair) noexcept {
  const int next = pair.first + 1 < axis.source ? pair.first + 1 : pair.first;
  return {pair.weight == 1 ? next : pair.first, pair.weight == 0 ? pair.first : next, pair.weight};
}

/// kArea: a box on an axis that shrinks, else the linear pair.
TERN_HOST_DEVICE inline Taps area_taps(const AxisParams& axis, int i) noexcept {
  if (axis.scale < 1) return box_taps((i - axis.offset) / axis.scale, (i + 1 - axis.offset) / axis.scale, axis.source);
  return linear_taps((i + 0.5 - axis.offset) / axis.scale, axis.source);
}

/// Bytes of a pixel in the first plane.
template <SourceKind kSource>
TERN_HOST_DEVICE constexpr int pixel_bytes() noexcept {
  return kSource == SourceKind::kPacked3 ? 3 : (kSource == SourceKind::kPacked4 ? 4 : 1);
}

template <SourceKind kSource>
TERN_HOST_DEVICE constexpr bool is_yuv() noexcept {
  return kSource == SourceKind::kNv12 || kSource == SourceKind::kI420;
}

/// Bytes that a pixel's taps take of the first plane: two pixels, without the second one's alpha; or one.
template <SourceKind kSource, bool kIsLinear>
TERN_HOST_DEVICE constexpr int tap_bytes() noexcept {
  const int colors = pixel_bytes<kSource>() == 1 ? 1 : 3;
  return kIsLinear ? pixel_bytes<kSource>() + colors : colors;
}

/// The column in the chroma planes of luma column `x` (rows likewise), and how many there are.
TERN_HOST_DEVICE inline int chroma_of(const AxisParams& axis, int x) noexcept {
  return (x + axis.odd) >> 1;
}
TERN_HOST_DEVICE inline int chroma_count(const AxisParams& axis) noexcept {
  return (axis.source + axis.odd + 1) >> 1;
}

/// The bytes of one source row that the taps of one output pixel need.
template <SourceKind kSource>
struct RowWords {
  Words first;      ///< of the first plane
  Words chroma[2];  ///< kNv12: [0] has both; kI420: U and V
};

/// Bytes of a pair of taps in one of kI420's chroma planes or in kNv12's.
template <SourceKind kSource, bool kIsLinear>
TERN_HOST_DEVICE constexpr int chroma_bytes() noexcept {
  return (kSource == SourceKind::kNv12 ? 2 : 1) * (kIsLinear ? 2 : 1);
}

/// True when the words of column `x` can be read without a look at single bytes, in every plane.
template <SourceKind kSource>
TERN_HOST_DEVICE inline bool is_far_from_ends(const ImageParams& image, int x) noexcept {
  constexpr int kStep = pixel_bytes<kSource>();
  bool is_far = is_far_from_ends(kStep * x, kStep * image.x.source);
  if constexpr (is_yuv<kSource>()) {
    constexpr int kChromaStep = kSource == SourceKind::kNv12 ? 2 : 1;
    is_far = is_far && is_far_from_ends(kChromaStep * chroma_of(image.x, x), kChromaStep * chroma_count(image.x));
  }
  return is_far;
}

template <int kBytes, bool kIsFar>
TERN_HOST_DEVICE inline Words read_plane(const PlaneParams& plane, int row, int offset, int row_bytes) noexcept {
  const std::uint8_t* bytes = plane.data + row * plane.stride;
  if constexpr (kIsFar) return read_words<kBytes>(bytes, offset);
  return read_words_at_end<kBytes>(bytes, offset, row_bytes);
}

/// The words of the taps that begin at column `x` of row `y`. kIsFar: is_far_from_ends() was true.
template <SourceKind kSource, bool kIsLinear, bool kIsFar>
TERN_HOST_DEVICE inline RowWords<kSource> read_row(const ImageParams& image, int x, int y) noexcept {
  constexpr int kStep = pixel_bytes<kSource>();
  RowWords<kSource> words;
  words.first =
      read_plane<tap_bytes<kSource, kIsLinear>(), kIsFar>(image.planes[0], y, kStep * x, kStep * image.x.source);
  if constexpr (is_yuv<kSource>()) {
    constexpr int kBytes = chroma_bytes<kSource, kIsLinear>();
    constexpr int kChromaStep = kSource == SourceKind::kNv12 ? 2 : 1;
    const int row = chroma_of(image.y, y);
    const int offset = kChromaStep * chroma_of(image.x, x);
    const int row_bytes = kChromaStep * chroma_count(image.x);
    words.chroma[0] = read_plane<kBytes, kIsFar>(image.planes[1], row, offset, row_bytes);
    if constexpr (kSource == SourceKind::kI420) {
      words.chroma[1] = read_plane<kBytes, kIsFar>(image.planes[2], row, offset, row_bytes);
    }
  }
  return words;
}

TERN_HOST_DEVICE inline float mixed(float a, float b, float weight) noexcept {
  return a + (b - a) * weight;
}

/// One row's share: the two taps along x mixed, or the one. `is_odd`: the second luma pixel has the next chroma pixel.
template <SourceKind kSource, bool kIsLinear>
TERN_HOST_DEVICE inline Channels mixed_row(const RowWords<kSource>& words, float weight, bool is_odd) noexcept {
  const std::uint32_t low = first_bytes(words.first);
  if constexpr (kSource == SourceKind::kPacked3 || kSource == SourceKind::kPacked4) {
    const Channels a{byte_of<0>(low), byte_of<1>(low), byte_of<2>(low)};
    if constexpr (!kIsLinear) return a;
    const std::uint32_t high = second_bytes(words.first);
    if constexpr (kSource == SourceKind::kPacked3) {
      return {mixed(a.c0, byte_of<3>(low), weight), mixed(a.c1, byte_of<0>(high), weight),
              mixed(a.c2, byte_of<1>(high), weight)};
    }
    return {mixed(a.c0, byte_of<0>(high), weight), mixed(a.c1, byte_of<1>(high), weight),
            mixed(a.c2, byte_of<2>(high), weight)};
  }
  const float y = byte_of<0>(low);
  const float mixed_y = kIsLinear ? mixed(y, byte_of<1>(low), weight) : y;
  if constexpr (!is_yuv<kSource>()) return {mixed_y, 0, 0};
  const float chroma_weight = kIsLinear && is_odd ? weight : 0;
  if constexpr (kSource == SourceKind::kNv12) {
    const std::uint32_t uv = first_bytes(words.chroma[0]);
    if constexpr (!kIsLinear) return {mixed_y, byte_of<0>(uv), byte_of<1>(uv)};
    return {mixed_y, mixed(byte_of<0>(uv), byte_of<2>(uv), chroma_weight),
            mixed(byte_of<1>(uv), byte_of<3>(uv), chroma_weight)};
  }
  const std::uint32_t u = first_bytes(words.chroma[0]);
  const std::uint32_t v = first_bytes(words.chroma[1]);
  if constexpr (!kIsLinear) return {mixed_y, byte_of<0>(u), byte_of<0>(v)};
  return {mixed_y, mixed(byte_of<0>(u), byte_of<1>(u), chroma_weight),
          mixed(byte_of<0>(v), byte_of<1>(v), chroma_weight)};
}

TERN_HOST_DEVICE inline Channels mixed_rows(const Channels& top, const Channels& bottom, float weight) noexcept {
  return {mixed(top.c0, bottom.c0, weight), mixed(top.c1, bottom.c1, weight), mixed(top.c2, bottom.c2, weight)};
}

/// Y, U, V and 1 times one row of the matrix, clamped to 0..255.
TERN_HOST_DEVICE inline float matrix_row(const float (&row)[4], const Channels& yuv) noexcept {
  const float sum = row[0] * yuv.c0 + row[1] * yuv.c1 + row[2] * yuv.c2 + row[3];
  return sum < 0 ? 0.0F : (sum > 255 ? 255.0F : sum);
}

/// Resampled channels to normalised output channels: `colors` of them count.
TERN_HOST_DEVICE inline Channels normalised(const ImageParams& image, int colors, Channels c) noexcept {
  const bool yuv = image.source == SourceKind::kNv12 || image.source == SourceKind::kI420;
  if (yuv) c = {matrix_row(image.red, c), matrix_row(image.green, c), matrix_row(image.blue, c)};
  const bool is_gray = image.source == SourceKind::kGray;
  if (colors == 1) {
    const float gray = is_gray ? c.c0 : image.luma[0] * c.c0 + image.luma[1] * c.c1 + image.luma[2] * c.c2;
    return {gray * image.mul[0] + image.add[0], 0, 0};
  }
  if (is_gray) c.c1 = c.c2 = c.c0;
  const float first = image.reversed != 0 ? c.c2 : c.c0;
  const float last = image.reversed != 0 ? c.c0 : c.c2;
  return {first * image.mul[0] + image.add[0], c.c1 * image.mul[1] + image.add[1], last * image.mul[2] + image.add[2]};
}

/// 1 or 0; 0 in the padding is the caller's part. REQUIRES: a mask; a pixel inside it.
TERN_HOST_DEVICE inline float mask_at(const ImageParams& image, int x, int y) noexcept {
  return read_byte(image.mask.data + y * image.mask.stride + x) != 0 ? 1.0F : 0.0F;
}

}  // namespace tern::cuda
