// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_fp16.h>

#include "preprocess/cuda/image_params.h"

// Step 7 of Preprocessor's definition: from the values of four rows in each thread to the output. CUDA code only.

namespace tern::cuda {

inline constexpr int kRows = 4;  ///< output rows of a thread
inline constexpr int kMostChannels = 4;

/// [row][channel] of one column; or, transposed, [column][channel] of one row.
using Values = float[kRows][kMostChannels];

/// Where the first element of an image goes, and how rows and channels follow.
struct Place {
  std::size_t first;  ///< element index of the image
  int width, height, channels;
  bool is_planar;

  __device__ std::size_t at(int channel, int x, int y) const {
    const std::size_t pixel = static_cast<std::size_t>(y) * width + x;
    return first +
           (is_planar ? static_cast<std::size_t>(channel) * width * height + pixel : pixel * channels + channel);
  }
};

template <typename T>
struct Element;

template <>
struct Element<float> {
  using Four = float4;
  __device__ static float of(float v) { return v; }
  __device__ static float4 four(float a, float b, float c, float d) { return {a, b, c, d}; }
};

template <>
struct Element<__half> {
  using Four = uint2;
  __device__ static __half of(float v) { return __float2half_rn(v); }
  __device__ static unsigned two(float a, float b) {
    return static_cast<unsigned>(__half_as_ushort(of(a))) | static_cast<unsigned>(__half_as_ushort(of(b))) << 16U;
  }
  __device__ static uint2 four(float a, float b, float c, float d) { return {two(a, b), two(c, d)}; }
};

template <>
struct Element<std::uint8_t> {
  using Four = unsigned;
  __device__ static std::uint8_t of(float v) {
    return static_cast<std::uint8_t>(__float2uint_rn(fminf(fmaxf(v, 0.0F), 255.0F)));
  }
  __device__ static unsigned four(float a, float b, float c, float d) {
    return unsigned{of(a)} | unsigned{of(b)} << 8U | unsigned{of(c)} << 16U | unsigned{of(d)} << 24U;
  }
};

/// Four neighbouring lanes have four columns of four rows; afterwards each has the four columns of one row (its lane's
/// number in the four). Every lane of the warp takes part.
__device__ inline void transpose(Values& v, int channels) {
  constexpr unsigned kAll = 0xFFFFFFFFU;
  const bool is_odd = (threadIdx.x & 1U) != 0;
  const bool is_upper = (threadIdx.x & 2U) != 0;
#pragma unroll
  for (int c = 0; c < kMostChannels; ++c) {
    if (c >= channels) break;
#pragma unroll
    for (int r = 0; r < kRows; r += 2) {  // 2x2 blocks: lanes 2n and 2n + 1, rows r and r + 1
      const float got = __shfl_xor_sync(kAll, is_odd ? v[r][c] : v[r + 1][c], 1);
      v[r][c] = is_odd ? got : v[r][c];
      v[r + 1][c] = is_odd ? v[r + 1][c] : got;
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {  // the blocks themselves
      const float got = __shfl_xor_sync(kAll, is_upper ? v[r][c] : v[r + 2][c], 2);
      v[r][c] = is_upper ? got : v[r][c];
      v[r + 2][c] = is_upper ? v[r + 2][c] : got;
    }
  }
}

/// kChannels elements of each of four columns, one after the other.
template <typename T, int kChannels>
__device__ inline void store_interleaved(T* to, const Values& v) {
  auto* fours = reinterpret_cast<typename Element<T>::Four*>(to);
#pragma unroll
  for (int i = 0; i < kChannels; ++i) {
    fours[i] = Element<T>::four(
        v[(4 * i) / kChannels][(4 * i) % kChannels], v[(4 * i + 1) / kChannels][(4 * i + 1) % kChannels],
        v[(4 * i + 2) / kChannels][(4 * i + 2) % kChannels], v[(4 * i + 3) / kChannels][(4 * i + 3) % kChannels]);
  }
}

/// Transposed values of row `y`, columns x to x + 3, all inside the output.
template <typename T>
__device__ inline void store_four_columns(T* data, const Place& place, const Values& v, int x, int y) {
  if (place.is_planar) {
#pragma unroll
    for (int c = 0; c < kMostChannels; ++c) {
      if (c >= place.channels) break;
      *reinterpret_cast<typename Element<T>::Four*>(data + place.at(c, x, y)) =
          Element<T>::four(v[0][c], v[1][c], v[2][c], v[3][c]);
    }
    return;
  }
  T* to = data + place.at(0, x, y);
  if (place.channels == 3) {
    store_interleaved<T, 3>(to, v);
  } else if (place.channels == 4) {
    store_interleaved<T, 4>(to, v);
  } else if (place.channels == 2) {
    store_interleaved<T, 2>(to, v);
  } else {
    store_interleaved<T, 1>(to, v);
  }
}

/// Column x, rows y to y + 3, of which some may be outside.
template <typename T>
__device__ inline void store_column(T* data, const Place& place, const Values& v, int x, int y) {
  if (x >= place.width) return;
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (y + r >= place.height) return;
#pragma unroll
    for (int c = 0; c < kMostChannels; ++c) {
      if (c >= place.channels) break;
      data[place.at(c, x, y + r)] = Element<T>::of(v[r][c]);
    }
  }
}

/// Writes the warp's 32 columns from `x` - lane on and 4 rows from `y` on. The stores are of four elements where each row
/// begins at a multiple of four.
template <typename T>
__device__ inline void store_as(const OutputParams& out, const Place& place, Values& v, int x, int y) {
  T* data = static_cast<T*>(out.data);
#if defined(TERN_SCALAR_STORES)
  return store_column(data, place, v, x, y);
#endif
  const bool is_aligned =
      place.width % 4 == 0 && reinterpret_cast<std::uintptr_t>(data) % sizeof(typename Element<T>::Four) == 0;
  if (!is_aligned) return store_column(data, place, v, x, y);
  transpose(v, place.channels);
  const int lane_in_four = static_cast<int>(threadIdx.x & 3U);
  const int column = x - lane_in_four;
  const int row = y + lane_in_four;
  if (column < place.width && row < place.height) store_four_columns(data, place, v, column, row);
}

__device__ inline void store(const OutputParams& out, int image, Values& v, int x, int y) {
  const int channels = out.colors + out.has_mask;
  const Place place{static_cast<std::size_t>(image) * channels * out.width * out.height, out.width, out.height,
                    channels, out.is_planar != 0};
  switch (out.element) {
    case ElementKind::kF32:
      return store_as<float>(out, place, v, x, y);
    case ElementKind::kF16:
      return store_as<__half>(out, place, v, x, y);
    case ElementKind::kU8:
      return store_as<std::uint8_t>(out, place, v, x, y);
  }
}

}  // namespace tern::cuda
