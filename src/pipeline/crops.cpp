// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/crops.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tern {
namespace {

struct Range {
  int begin = 0, size = 0;
};

/// Whole pixels over [from - margin, to + margin], inside 0..limit; even ones for subsampled chroma, whose last column may be odd.
Range cover(float from, float to, double margin, int limit, bool is_even) {
  const double extra = margin * (static_cast<double>(to) - static_cast<double>(from));
  const auto inside = [limit](double edge) { return static_cast<int>(std::clamp(edge, 0.0, double(limit))); };
  int begin = inside(std::floor(static_cast<double>(from) - extra));
  int end = inside(std::ceil(static_cast<double>(to) + extra));
  if (is_even) {
    begin -= begin % 2;
    end = std::min(end + end % 2, limit);
  }
  return {begin, end - begin};
}

}  // namespace

void plan_crops(std::span<const Detection> detections, const CropRule& rule, const ImageView& frame,
                ModelResult& result) {
  result.crop_count = 0;
  const bool is_even = frame.format == PixelFormat::kNv12 || frame.format == PixelFormat::kI420;
  for (std::size_t i = 0; i < detections.size() && result.crop_count < static_cast<std::size_t>(rule.max_crops); ++i) {
    const Detection& box = detections[i];
    const auto id = static_cast<std::size_t>(box.class_id);
    if (!rule.is_wanted.empty() && (id >= rule.is_wanted.size() || !rule.is_wanted[id])) continue;
    if (!(box.x2 > box.x1 && box.y2 > box.y1)) continue;
    const Range x = cover(box.x1, box.x2, rule.margin, frame.width, is_even);
    const Range y = cover(box.y1, box.y2, rule.margin, frame.height, is_even);
    if (x.size <= 0 || y.size <= 0) continue;
    if (result.crops.size() == result.crop_count) result.crops.emplace_back();
    CropResult& crop = result.crops[result.crop_count++];
    crop.x = x.begin;
    crop.y = y.begin;
    crop.width = x.size;
    crop.height = y.size;
    crop.detection = static_cast<int>(i);
    crop.detections.clear();
  }
}

ImageView crop_view(const ImageView& frame, const CropResult& crop) noexcept {
  ImageView view = frame;
  view.width = crop.width;
  view.height = crop.height;
  // Bytes a pixel, and pixels a sample, of each plane.
  struct Layout {
    int bytes, step;
  };
  const std::array<Layout, 3> layout = [&]() -> std::array<Layout, 3> {
    switch (frame.format) {
      case PixelFormat::kBgra:
        return {{{4, 1}, {}, {}}};
      case PixelFormat::kGray:
        return {{{1, 1}, {}, {}}};
      case PixelFormat::kNv12:
        return {{{1, 1}, {2, 2}, {}}};
      case PixelFormat::kI420:
        return {{{1, 1}, {1, 2}, {1, 2}}};
      case PixelFormat::kBgr:
      case PixelFormat::kRgb:
        break;
    }
    return {{{3, 1}, {}, {}}};
  }();
  for (int plane = 0; plane < plane_count(frame.format); ++plane) {
    const auto index = static_cast<std::size_t>(plane);
    ImageView::Plane& of = view.planes[index];
    of.data += (crop.y / layout[index].step) * of.stride +
               static_cast<std::ptrdiff_t>(crop.x / layout[index].step) * layout[index].bytes;
  }
  return view;
}

void crop_mask(const Segmentation& segmentation, const std::vector<bool>& is_inside, const CropResult& crop,
               std::vector<std::uint8_t>& mask) {
  std::array<std::uint8_t, 256> inside{};
  for (std::size_t id = 0; id < inside.size() - 1; ++id)  // the last is Segmentation::kBackground
    inside[id] = is_inside.empty() || (id < is_inside.size() && is_inside[id]) ? 255 : 0;
  const auto width = static_cast<std::size_t>(crop.width);
  mask.resize(width * static_cast<std::size_t>(crop.height));
  for (int row = 0; row < crop.height; ++row) {
    const std::size_t from = static_cast<std::size_t>(crop.y + row) * static_cast<std::size_t>(segmentation.width) +
                             static_cast<std::size_t>(crop.x);
    const std::span<const std::uint8_t> classes = std::span(segmentation.classes).subspan(from, width);
    std::ranges::transform(classes, mask.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * width),
                           [&](std::uint8_t id) { return inside[id]; });
  }
}

}  // namespace tern
