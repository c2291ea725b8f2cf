// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "unit/preprocess/kernel_on_host.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "preprocess/cpu/half.h"
#include "preprocess/cuda/area_math.h"
#include "preprocess/cuda/pixel_math.h"

namespace tern::cuda {
namespace {

constexpr int kLanes = 32;

void store(const OutputParams& out, int image, int x, int y, const std::array<float, 4>& value) {
  const int channels = out.colors + out.has_mask;
  const auto width = static_cast<std::size_t>(out.width);
  const auto height = static_cast<std::size_t>(out.height);
  for (int c = 0; c < channels; ++c) {
    const float v = value[static_cast<std::size_t>(c)];
    const auto channel = static_cast<std::size_t>(image * channels + c);
    const auto pixel = static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x);
    const std::size_t at = out.is_planar != 0 ? channel * width * height + pixel
                                              : (static_cast<std::size_t>(image) * width * height + pixel) *
                                                        static_cast<std::size_t>(channels) +
                                                    static_cast<std::size_t>(c);
    switch (out.element) {
      case ElementKind::kF32:
        static_cast<float*>(out.data)[at] = v;
        break;
      case ElementKind::kF16:
        static_cast<std::uint16_t*>(out.data)[at] = half_from_float(v);
        break;
      case ElementKind::kU8:
        static_cast<std::uint8_t*>(out.data)[at] =
            static_cast<std::uint8_t>(std::nearbyint(std::clamp(v, 0.0F, 255.0F)));
        break;
    }
  }
}

void store_pixel(const OutputParams& out, const ImageParams& params, int image, int x, int y, const Channels& c) {
  std::array<float, 4> value{c.c0, c.c1, c.c2, 0};
  if (!is_inner(params.x, x) || !is_inner(params.y, y)) {
    std::copy_n(out.padding, 4, value.begin());
  } else if (out.has_mask != 0) {
    value[static_cast<std::size_t>(out.colors)] = mask_at(params, point_of(params.x, x), point_of(params.y, y));
  }
  store(out, image, x, y, value);
}

/// The words by whole words where that is allowed, as the kernels do it.
template <SourceKind kSource, bool kIsLinear>
Channels row_at(const ImageParams& params, const TapPair& column, int y) {
  const bool is_odd = ((column.first + params.x.odd) & 1) != 0;
  const RowWords<kSource> words = is_far_from_ends<kSource>(params, column.first)
                                      ? read_row<kSource, kIsLinear, true>(params, column.first, y)
                                      : read_row<kSource, kIsLinear, false>(params, column.first, y);
  return mixed_row<kSource, kIsLinear>(words, column.weight, is_odd);
}

template <SourceKind kSource, bool kIsLinear>
Channels sampled(const ImageParams& params, int x, int y) {
  if constexpr (!kIsLinear) {
    return row_at<kSource, false>(params, {point_of(params.x, x), 0}, point_of(params.y, y));
  } else {
    const TapPair column = pair_of(params.x, x);
    const RowTaps rows = rows_of(params.y, pair_of(params.y, y));
    return mixed_rows(row_at<kSource, true>(params, column, rows.top),
                      row_at<kSource, true>(params, column, rows.bottom), rows.weight);
  }
}

template <bool kIsLinear>
Channels sampled(const ImageParams& params, int x, int y) {
  switch (params.source) {
    case SourceKind::kGray:
      return sampled<SourceKind::kGray, kIsLinear>(params, x, y);
    case SourceKind::kPacked3:
      return sampled<SourceKind::kPacked3, kIsLinear>(params, x, y);
    case SourceKind::kPacked4:
      return sampled<SourceKind::kPacked4, kIsLinear>(params, x, y);
    case SourceKind::kNv12:
      return sampled<SourceKind::kNv12, kIsLinear>(params, x, y);
    case SourceKind::kI420:
      return sampled<SourceKind::kI420, kIsLinear>(params, x, y);
  }
  return {};
}

/// A warp of kArea, its lanes one after the other.
struct Warp {
  std::array<AreaTaps, kLanes> columns;
  AreaTaps rows;
  struct {
    ExactSum channel[3];
  } lanes[kLanes];

  template <int kStep, int kChannels>
  void add(const AreaPlane& plane, int first_channel) {
    const int end = end_of_chunks<kStep>(plane, columns.back().last);
    for (int chunk = first_chunk<kStep>(plane, columns.front().first); chunk < end; chunk += kChunk) {
      std::vector<float> sums(kChunk);  // an exact block, for AddressSanitizer
      for (int lane = 0; lane < kLanes; ++lane) {
        float column[kLaneBytes];
        column_sums(plane, rows, chunk + kLaneBytes * lane, column);
        std::copy_n(column, kLaneBytes, sums.begin() + kLaneBytes * lane);
      }
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        add_taps<kStep, kChannels>(plane, columns[lane], sums.data(), chunk, lanes[lane].channel, first_channel);
      }
    }
  }
};

void average_warp(const OutputParams& out, const ImageParams& params, int image, int x, int y) {
  Warp warp;
  warp.rows = area_taps_of(params.y, inner_pixel(params.y, y));
  for (int lane = 0; lane < kLanes; ++lane)
    warp.columns[static_cast<std::size_t>(lane)] = area_taps_of(params.x, inner_pixel(params.x, x + lane));
  switch (params.source) {
    case SourceKind::kGray:
      warp.add<1, 1>(luma_plane(params, 1), 0);
      break;
    case SourceKind::kPacked3:
      warp.add<3, 3>(luma_plane(params, 3), 0);
      break;
    case SourceKind::kPacked4:
      warp.add<4, 3>(luma_plane(params, 4), 0);
      break;
    case SourceKind::kNv12:
      warp.add<1, 1>(luma_plane(params, 1), 0);
      warp.add<2, 2>(chroma_plane(params, 1, 2), 1);
      break;
    case SourceKind::kI420:
      warp.add<1, 1>(luma_plane(params, 1), 0);
      warp.add<1, 1>(chroma_plane(params, 1, 1), 1);
      warp.add<1, 1>(chroma_plane(params, 2, 1), 2);
      break;
  }
  for (int lane = 0; lane < kLanes && x + lane < out.width; ++lane) {
    const auto i = static_cast<std::size_t>(lane);
    const Channels c = averaged(warp.lanes[i].channel, warp.rows, warp.columns[i]);
    store_pixel(out, params, image, x + lane, y, normalised(params, out.colors, c));
  }
}

}  // namespace

void preprocess_on_host(const ImageParams* params, int images, const OutputParams& out) {
  for (int image = 0; image < images; ++image) {
    const ImageParams& p = params[image];
    for (int y = 0; y < out.height; ++y) {
      if (out.sample == SampleKind::kArea) {
        for (int x = 0; x < out.width; x += kLanes)
          average_warp(out, p, image, x, y);
        continue;
      }
      for (int x = 0; x < out.width; ++x) {
        const int column = inner_pixel(p.x, x);
        const int row = inner_pixel(p.y, y);
        const Channels c =
            out.sample == SampleKind::kLinear ? sampled<true>(p, column, row) : sampled<false>(p, column, row);
        store_pixel(out, p, image, x, y, normalised(p, out.colors, c));
      }
    }
  }
}

}  // namespace tern::cuda
