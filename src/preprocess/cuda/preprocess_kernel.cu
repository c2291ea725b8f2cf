// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cuda/area_math.h"
#include "preprocess/cuda/pixel_math.h"
#include "preprocess/cuda/preprocess_kernel.h"
#include "preprocess/cuda/store.h"

namespace tern::cuda {
namespace {

// A block makes a tile of kTileWidth x kTileHeight output pixels of one image; a warp 32 columns of kRows rows; a thread
// one column. Positions need double division, which most GPUs do slowly, so the block works out the taps of its columns
// and rows once.
//
//   warp 0 | warp 1     rows 0 to 3
//   warp 2 | warp 3     rows 4 to 7 ...
constexpr int kTileWidth = 64;
#if !defined(TERN_TILE_HEIGHT)
#define TERN_TILE_HEIGHT 16
#endif
#if !defined(TERN_MIN_BLOCKS)
#define TERN_MIN_BLOCKS 1
#endif
#if !defined(TERN_ROWS_AT_ONCE)
#define TERN_ROWS_AT_ONCE kRows
#endif
constexpr int kTileHeight = TERN_TILE_HEIGHT;
constexpr int kWarps = kTileWidth / 32 * kTileHeight / kRows;
constexpr int kThreads = 32 * kWarps;
static_assert(kTileWidth + kTileHeight <= kThreads);

/// Where a thread stands.
struct Site {
  int tile_x, tile_y;  ///< the tile's first pixel of the output
  int column, row;     ///< the thread's first pixel in the tile
};

__device__ Site site() {
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = thread / 32;
  return {static_cast<int>(blockIdx.x) * kTileWidth, static_cast<int>(blockIdx.y) * kTileHeight,
          warp % 2 * 32 + thread % 32, warp / 2 * kRows};
}

__device__ bool is_all_padding(const ImageParams& image, const Site& s) {
  return s.tile_x + kTileWidth <= image.x.inner || s.tile_x >= image.x.inner + image.x.inner_size ||
         s.tile_y + kTileHeight <= image.y.inner || s.tile_y >= image.y.inner + image.y.inner_size;
}

__device__ void set(const Channels& c, float mask, int colors, float (&v)[kMostChannels]) {
  v[0] = c.c0;
  v[1] = colors == 1 ? mask : c.c1;
  v[2] = c.c2;
  v[3] = mask;
}

/// v[row] for a `row` that only the run knows: registers have no index.
__device__ void set_row(const Channels& c, int colors, int row, Values& v) {
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (r == row) set(c, 0, colors, v[r]);
  }
}

/// Pixels beyond the inner rectangle, those beyond the output too.
__device__ void set_padding(const OutputParams& out, const ImageParams& image, const Site& s, Values& v) {
  const bool is_column = is_inner(image.x, s.tile_x + s.column);
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (is_column && is_inner(image.y, s.tile_y + s.row + r)) continue;
#pragma unroll
    for (int c = 0; c < kMostChannels; ++c)
      v[r][c] = out.padding[c];
  }
}

/// kPoint and kLinear: the taps of the tile.
struct SampleTile {
  TapPair columns[kTileWidth];
  RowTaps rows[kTileHeight];
  int mask_columns[kTileWidth], mask_rows[kTileHeight];
};

template <bool kIsLinear>
__device__ void find_taps(SampleTile& tile, const OutputParams& out, const ImageParams& image, const Site& s) {
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < kTileWidth) {
    const int x = inner_pixel(image.x, s.tile_x + thread);
    if (!kIsLinear || out.has_mask != 0) tile.mask_columns[thread] = point_of(image.x, x);
    tile.columns[thread] = kIsLinear ? pair_of(image.x, x) : TapPair{tile.mask_columns[thread], 0};
  } else if (thread < kTileWidth + kTileHeight) {
    const int i = thread - kTileWidth;
    const int y = inner_pixel(image.y, s.tile_y + i);
    if (!kIsLinear || out.has_mask != 0) tile.mask_rows[i] = point_of(image.y, y);
    tile.rows[i] = rows_of(image.y, kIsLinear ? pair_of(image.y, y) : TapPair{tile.mask_rows[i], 0});
  }
}

/// kRows neighbouring rows at once: all loads are issued before the first is used.
template <SourceKind kSource, bool kIsLinear, bool kIsFar, int kCount>
__device__ void sample_rows(const SampleTile& tile, const OutputParams& out, const ImageParams& image, const Site& s,
                            int first_row, Channels (&result)[kCount]) {
  const TapPair column = tile.columns[s.column];
  const bool is_odd = ((column.first + image.x.odd) & 1) != 0;
  RowWords<kSource> top[kCount], bottom[kCount];
#pragma unroll
  for (int r = 0; r < kCount; ++r) {
    const int row = s.row + first_row + r;
    top[r] = read_row<kSource, kIsLinear, kIsFar>(image, column.first, tile.rows[row].top);
    if (kIsLinear) bottom[r] = read_row<kSource, kIsLinear, kIsFar>(image, column.first, tile.rows[row].bottom);
  }
#pragma unroll
  for (int r = 0; r < kCount; ++r) {
    Channels c = mixed_row<kSource, kIsLinear>(top[r], column.weight, is_odd);
    if (kIsLinear) {
      const Channels below = mixed_row<kSource, kIsLinear>(bottom[r], column.weight, is_odd);
      c = mixed_rows(c, below, tile.rows[s.row + first_row + r].weight);
    }
    result[r] = normalised(image, out.colors, c);
  }
}

template <SourceKind kSource, bool kIsLinear>
__device__ void sample_source(const SampleTile& tile, const OutputParams& out, const ImageParams& image, const Site& s,
                              Values& v) {
  if (__all_sync(0xFFFFFFFFU, is_far_from_ends<kSource>(image, tile.columns[s.column].first))) {
    constexpr int kAtOnce = is_yuv<kSource>() ? 2 : TERN_ROWS_AT_ONCE;  // as many as registers hold
#pragma unroll
    for (int begin = 0; begin < kRows; begin += kAtOnce) {
      Channels c[kAtOnce];
      sample_rows<kSource, kIsLinear, true>(tile, out, image, s, begin, c);
#pragma unroll
      for (int r = 0; r < kAtOnce; ++r)
        set(c[r], 0, out.colors, v[begin + r]);
    }
    return;
  }
#pragma unroll 1
  for (int row = 0; row < kRows; ++row) {
    Channels c[1];
    sample_rows<kSource, kIsLinear, false>(tile, out, image, s, row, c);
    set_row(c[0], out.colors, row, v);
  }
}

__device__ void set_mask(const int* columns, const int* rows, const OutputParams& out, const ImageParams& image,
                         const Site& s, Values& v) {
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    const float mask = mask_at(image, columns[s.column], rows[s.row + r]);
    v[r][1] = out.colors == 1 ? mask : v[r][1];
    v[r][3] = mask;
  }
}

template <bool kIsLinear>
__global__ void __launch_bounds__(kThreads, TERN_MIN_BLOCKS)
    sample_kernel(const ImageParams* __restrict__ images, const OutputParams out) {
  __shared__ SampleTile tile;
  const ImageParams& image = images[blockIdx.z];
  const Site s = site();
  Values v;
  if (!is_all_padding(image, s)) {
    find_taps<kIsLinear>(tile, out, image, s);
    __syncthreads();
    switch (image.source) {
      case SourceKind::kGray:
        sample_source<SourceKind::kGray, kIsLinear>(tile, out, image, s, v);
        break;
      case SourceKind::kPacked3:
        sample_source<SourceKind::kPacked3, kIsLinear>(tile, out, image, s, v);
        break;
      case SourceKind::kPacked4:
        sample_source<SourceKind::kPacked4, kIsLinear>(tile, out, image, s, v);
        break;
      case SourceKind::kNv12:
        sample_source<SourceKind::kNv12, kIsLinear>(tile, out, image, s, v);
        break;
      case SourceKind::kI420:
        sample_source<SourceKind::kI420, kIsLinear>(tile, out, image, s, v);
        break;
    }
    if (out.has_mask != 0) set_mask(tile.mask_columns, tile.mask_rows, out, image, s, v);
  }
  set_padding(out, image, s, v);
  store(out, static_cast<int>(blockIdx.z), v, s.tile_x + s.column, s.tile_y + s.row);
}

/// kArea: the rows' taps; a thread keeps those of its column.
struct AreaTile {
  AreaTaps rows[kTileHeight];
  int mask_columns[kTileWidth], mask_rows[kTileHeight];
  float sums[kWarps][kChunk];
};

/// One plane's share of the warp's 32 pixels of one output row. Every lane of the warp takes part.
template <int kStep, int kChannels>
__device__ void add_plane(const AreaPlane& plane, const AreaTaps& rows, const AreaTaps& columns, float* sums,
                          ExactSum (&channels)[3], int first_channel) {
  constexpr unsigned kAll = 0xFFFFFFFFU;
  const int lane = static_cast<int>(threadIdx.x & 31U);
  const int begin = first_chunk<kStep>(plane, __shfl_sync(kAll, columns.first, 0));
  const int end = end_of_chunks<kStep>(plane, __shfl_sync(kAll, columns.last, 31));
  for (int chunk = begin; chunk < end; chunk += kChunk) {
    float column[kLaneBytes];
    column_sums(plane, rows, chunk + kLaneBytes * lane, column);
    float4* to = reinterpret_cast<float4*>(sums + kLaneBytes * lane);
    to[0] = {column[0], column[1], column[2], column[3]};
    to[1] = {column[4], column[5], column[6], column[7]};
    __syncwarp();
    add_taps<kStep, kChannels>(plane, columns, sums, chunk, channels, first_channel);
    __syncwarp();
  }
}

__device__ Channels average_row(const ImageParams& image, const AreaTaps& rows, const AreaTaps& columns, float* sums) {
  ExactSum c[3];
  switch (image.source) {
    case SourceKind::kGray:
      add_plane<1, 1>(luma_plane(image, 1), rows, columns, sums, c, 0);
      break;
    case SourceKind::kPacked3:
      add_plane<3, 3>(luma_plane(image, 3), rows, columns, sums, c, 0);
      break;
    case SourceKind::kPacked4:
      add_plane<4, 3>(luma_plane(image, 4), rows, columns, sums, c, 0);
      break;
    case SourceKind::kNv12:
      add_plane<1, 1>(luma_plane(image, 1), rows, columns, sums, c, 0);
      add_plane<2, 2>(chroma_plane(image, 1, 2), rows, columns, sums, c, 1);
      break;
    case SourceKind::kI420:
      add_plane<1, 1>(luma_plane(image, 1), rows, columns, sums, c, 0);
      add_plane<1, 1>(chroma_plane(image, 1, 1), rows, columns, sums, c, 1);
      add_plane<1, 1>(chroma_plane(image, 2, 1), rows, columns, sums, c, 2);
      break;
  }
  return averaged(c, rows, columns);
}

__global__ void __launch_bounds__(kThreads, TERN_MIN_BLOCKS)
    area_kernel(const ImageParams* __restrict__ images, const OutputParams out) {
  __shared__ AreaTile tile;
  const ImageParams& image = images[blockIdx.z];
  const Site s = site();
  Values v;
  if (!is_all_padding(image, s)) {
    const int thread = static_cast<int>(threadIdx.x);
    if (thread < kTileHeight) {
      const int y = inner_pixel(image.y, s.tile_y + thread);
      tile.rows[thread] = area_taps_of(image.y, y);
      tile.mask_rows[thread] = point_of(image.y, y);
    }
    const int x = inner_pixel(image.x, s.tile_x + s.column);
    const AreaTaps columns = area_taps_of(image.x, x);
    if (out.has_mask != 0 && s.row == 0) tile.mask_columns[s.column] = point_of(image.x, x);
    __syncthreads();
    float* sums = tile.sums[threadIdx.x / 32];
#pragma unroll 1
    for (int r = 0; r < kRows; ++r) {
      const Channels c = average_row(image, tile.rows[s.row + r], columns, sums);
      set_row(normalised(image, out.colors, c), out.colors, r, v);
    }
    if (out.has_mask != 0) set_mask(tile.mask_columns, tile.mask_rows, out, image, s, v);
  }
  set_padding(out, image, s, v);
  store(out, static_cast<int>(blockIdx.z), v, s.tile_x + s.column, s.tile_y + s.row);
}

}  // namespace

cudaError_t enqueue_preprocess(const ImageParams* params, int images, const OutputParams& out, cudaStream_t stream) {
  constexpr int kMostImages = 65535;
  if (images < 1 || images > kMostImages) return cudaErrorInvalidValue;
  const auto tiles = [](int pixels, int tile) { return static_cast<unsigned>((pixels + tile - 1) / tile); };
  const dim3 grid(tiles(out.width, kTileWidth), tiles(out.height, kTileHeight), static_cast<unsigned>(images));
  switch (out.sample) {
    case SampleKind::kPoint:
      sample_kernel<false><<<grid, kThreads, 0, stream>>>(params, out);
      break;
    case SampleKind::kLinear:
      sample_kernel<true><<<grid, kThreads, 0, stream>>>(params, out);
      break;
    case SampleKind::kArea:
      area_kernel<<<grid, kThreads, 0, stream>>>(params, out);
      break;
  }
  return cudaGetLastError();
}

}  // namespace tern::cuda
