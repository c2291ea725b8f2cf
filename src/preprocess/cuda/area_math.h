// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "preprocess/cuda/pixel_math.h"

// kArea. A warp makes 32 neighbouring output pixels of a row. It walks over the bytes of a plane that their boxes cover in
// chunks of kChunk bytes: each lane adds up the rows of its 8 bytes (column_sums), then each lane collects what of the
// chunk belongs to its pixel (add_taps). So every byte is read once, by neighbouring lanes, whatever the scale.

namespace tern::cuda {

inline constexpr int kLaneBytes = 8;
inline constexpr int kChunk = 32 * kLaneBytes;

/// Taps in the f32 that sums are made of.
struct AreaTaps {
  std::int32_t first, last;
  float first_weight, last_weight, norm;
};

TERN_HOST_DEVICE inline AreaTaps area_taps_of(const AxisParams& axis, int i) noexcept {
  const Taps taps = area_taps(axis, i);
  return {taps.first, taps.last, static_cast<float>(taps.first_weight), static_cast<float>(taps.last_weight),
          static_cast<float>(taps.norm)};
}

struct EightBytes {
  std::uint32_t low, high;
};

/// The 8 bytes at row + offset; those outside the row count as 0 and are not read. REQUIRES: offset >= 0.
TERN_HOST_DEVICE inline EightBytes read_eight(const std::uint8_t* row, int offset, int row_bytes) noexcept {
  const std::uint8_t* first = row + offset;
  if (offset + kLaneBytes <= row_bytes && (reinterpret_cast<std::uintptr_t>(first) & 7U) == 0) {
#if defined(__CUDA_ARCH__)
    const uint2 both = __ldg(reinterpret_cast<const uint2*>(first));
    return {both.x, both.y};
#else
    return {read_word(first), read_word(first + 4)};
#endif
  }
  if (is_far_from_ends(offset, row_bytes)) {
    const Words words = read_words<kLaneBytes>(row, offset);
    return {first_bytes(words), second_bytes(words)};
  }
  if (offset >= row_bytes) return {0, 0};
  const Words words = read_words_at_end<kLaneBytes>(row, offset, row_bytes);
  return {words.word[0], words.word[1]};
}

/// Sums of up to 256 whole rows for 8 columns: two 16-bit sums a word.
struct WholeSums {
  std::uint32_t even_low = 0, odd_low = 0, even_high = 0, odd_high = 0;

  TERN_HOST_DEVICE void add(const EightBytes& bytes) noexcept {
    even_low += bytes.low & 0x00FF00FFU;
    odd_low += (bytes.low >> 8U) & 0x00FF00FFU;
    even_high += bytes.high & 0x00FF00FFU;
    odd_high += (bytes.high >> 8U) & 0x00FF00FFU;
  }
  /// Whole numbers below 2^24, hence exact.
  TERN_HOST_DEVICE void add_to(float (&sums)[kLaneBytes]) const noexcept {
    sums[0] += static_cast<float>(even_low & 0xFFFFU);
    sums[1] += static_cast<float>(odd_low & 0xFFFFU);
    sums[2] += static_cast<float>(even_low >> 16U);
    sums[3] += static_cast<float>(odd_low >> 16U);
    sums[4] += static_cast<float>(even_high & 0xFFFFU);
    sums[5] += static_cast<float>(odd_high & 0xFFFFU);
    sums[6] += static_cast<float>(even_high >> 16U);
    sums[7] += static_cast<float>(odd_high >> 16U);
  }
};

TERN_HOST_DEVICE inline void add_weighted(const EightBytes& bytes, float weight, float (&sums)[kLaneBytes]) noexcept {
  sums[0] += weight * byte_of<0>(bytes.low);
  sums[1] += weight * byte_of<1>(bytes.low);
  sums[2] += weight * byte_of<2>(bytes.low);
  sums[3] += weight * byte_of<3>(bytes.low);
  sums[4] += weight * byte_of<0>(bytes.high);
  sums[5] += weight * byte_of<1>(bytes.high);
  sums[6] += weight * byte_of<2>(bytes.high);
  sums[7] += weight * byte_of<3>(bytes.high);
}

/// A plane as the area kernel walks over it.
struct AreaPlane {
  PlaneParams plane;
  std::int32_t row_bytes;
  std::int32_t shift, odd_x, odd_y;  ///< column of luma pixel x: (x + odd_x) >> shift; rows likewise
};

/// The first plane, or the only one. `step` is the bytes of a pixel.
TERN_HOST_DEVICE inline AreaPlane luma_plane(const ImageParams& image, int step) noexcept {
  return {image.planes[0], step * image.x.source, 0, 0, 0};
}
TERN_HOST_DEVICE inline AreaPlane chroma_plane(const ImageParams& image, int plane, int step) noexcept {
  return {image.planes[plane], step * chroma_count(image.x), 1, image.x.odd, image.y.odd};
}

/// Where the chunks begin that hold luma columns from `first` on, and where they may end after `last`, in bytes of a row.
template <int kStep>
TERN_HOST_DEVICE inline int first_chunk(const AreaPlane& plane, int first) noexcept {
  return (((first + plane.odd_x) >> plane.shift) * kStep) & ~(kLaneBytes - 1);
}
template <int kStep>
TERN_HOST_DEVICE inline int end_of_chunks(const AreaPlane& plane, int last) noexcept {
  return (((last + plane.odd_x) >> plane.shift) + 1) * kStep;
}

/// Sums over the rows of `rows`, weighted, of the 8 bytes at `offset`. Whole rows come first, so that they stay exact.
TERN_HOST_DEVICE inline void column_sums(const AreaPlane& plane, const AreaTaps& rows, int offset,
                                         float (&sums)[kLaneBytes]) noexcept {
  constexpr int kMostRows = 256;
  const auto read = [&](int y) {
    return read_eight(plane.plane.data + ((y + plane.odd_y) >> plane.shift) * plane.plane.stride, offset,
                      plane.row_bytes);
  };
  const bool is_first_whole = rows.first_weight == 1 && rows.first != rows.last;
  const bool is_last_whole = rows.last_weight == 1;
  const int end = rows.last + (is_last_whole ? 1 : 0);
  for (int k = 0; k < kLaneBytes; ++k)
    sums[k] = 0;
  for (int y = rows.first + (is_first_whole ? 0 : 1); y < end; y += kMostRows) {
    const int stop = end - y < kMostRows ? end : y + kMostRows;
    WholeSums whole;
#if defined(__CUDA_ARCH__)
#pragma unroll 4
#endif
    for (int row = y; row < stop; ++row)
      whole.add(read(row));
    whole.add_to(sums);
  }
  if (!is_first_whole) add_weighted(read(rows.first), rows.first_weight, sums);
  if (!is_last_whole && rows.last_weight != 0) add_weighted(read(rows.last), rows.last_weight, sums);
}

/// A sum whose rounding errors are added up too (Knuth's TwoSum), since boxes may have 65536 columns.
struct ExactSum {
  float sum = 0, error = 0;

  TERN_HOST_DEVICE void add(float value) noexcept {
    const float total = sum + value;
    const float added = total - sum;
    error += (sum - (total - added)) + (value - added);
    sum = total;
  }
  [[nodiscard]] TERN_HOST_DEVICE float value() const noexcept { return sum + error; }
};

/// Adds what of the chunk's kChunk column sums, which begin at byte `begin` of the rows, belongs to the pixel with the
/// taps `columns`. Bytes kStep * column + c are channel c of a column.
template <int kStep, int kChannels>
TERN_HOST_DEVICE inline void add_taps(const AreaPlane& plane, const AreaTaps& columns, const float* sums, int begin,
                                      ExactSum (&channels)[3], int first_channel) noexcept {
  const int lowest = ((begin / kStep) << plane.shift) - plane.odd_x;
  const int highest = ((((begin + kChunk - 1) / kStep) + 1) << plane.shift) - plane.odd_x - 1;
  const int first = columns.first > lowest ? columns.first : lowest;
  const int last = columns.last < highest ? columns.last : highest;
  float part[3] = {};
  for (int x = first; x <= last; ++x) {
    const float weight = x == columns.first ? columns.first_weight : (x == columns.last ? columns.last_weight : 1.0F);
    const int at = ((x + plane.odd_x) >> plane.shift) * kStep - begin;
    for (int c = 0; c < kChannels; ++c) {
      if (at + c >= 0 && at + c < kChunk) part[c] += weight * sums[at + c];
    }
  }
  for (int c = 0; c < kChannels; ++c)
    channels[first_channel + c].add(part[c]);
}

TERN_HOST_DEVICE inline Channels averaged(const ExactSum (&sums)[3], const AreaTaps& rows,
                                          const AreaTaps& columns) noexcept {
  const float norm = rows.norm * columns.norm;
  return {sums[0].value() * norm, sums[1].value() * norm, sums[2].value() * norm};
}

}  // namespace tern::cuda
