// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/measure_curve.h"

#include <algorithm>
#include <vector>

namespace tern {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kMostRuns = 9, kFewestRuns = 3;
constexpr Nanoseconds kEnough = std::chrono::milliseconds(300);  // for one batch size

Result<Nanoseconds> median_time(ModelTask& task, std::span<const ImageView> images, std::span<const ImageView> masks) {
  TERN_RETURN_IF_ERROR(task.run(images, masks));
  std::vector<Nanoseconds> times;
  const Clock::time_point start = Clock::now();
  while (times.size() < kMostRuns && (times.size() < kFewestRuns || Clock::now() - start < kEnough)) {
    const Clock::time_point began = Clock::now();
    TERN_RETURN_IF_ERROR(task.run(images, masks));
    times.push_back(Clock::now() - began);
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return std::max(*middle, Nanoseconds(1));
}

}  // namespace

Result<LatencyCurve> measure_curve(ModelTask& task, bool has_masks, int width, int height, int max_batch) {
  const std::size_t pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  std::vector<std::uint8_t> bgr(3 * pixels), mask(pixels, 0);
  for (std::size_t i = 0; i < bgr.size(); ++i)
    bgr[i] = static_cast<std::uint8_t>(i * 2'654'435'761U >> 13);
  std::fill_n(mask.begin(), pixels / 2, std::uint8_t{255});
  const ImageView image = ImageView::packed(bgr.data(), width, height, PixelFormat::kBgr);
  const ImageView region = ImageView::packed(mask.data(), width, height, PixelFormat::kGray);
  std::vector<LatencyCurve::Point> points;
  for (int batch = 1;; batch = std::min(batch * 2, max_batch)) {
    const std::vector<ImageView> images(static_cast<std::size_t>(batch), image);
    const std::vector<ImageView> masks(has_masks ? images.size() : 0, region);
    TERN_ASSIGN_OR_RETURN(const Nanoseconds time, median_time(task, images, masks));
    points.push_back({batch, std::min(time, Nanoseconds(LatencyCurve::kMaxLatency))});
    if (batch == max_batch) return LatencyCurve::create(std::move(points));
  }
}

}  // namespace tern
