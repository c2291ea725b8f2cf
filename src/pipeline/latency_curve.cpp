// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "tern/pipeline_latency.h"

namespace tern {
namespace {

constexpr double kWeight = 1.0 / 16;
constexpr double kFurthest =
    16;  // an observation counts as at most this many times the measured point, and at least 1/this
constexpr double kDeviations = 3;

Status check(const std::vector<LatencyCurve::Point>& sorted) {
  if (sorted.empty() || sorted.front().batch != 1)
    return {StatusCode::kConfigError, "a latency curve needs a point for batch 1"};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& [batch, latency] = sorted[i];
    if (batch > LatencyCurve::kMaxBatch)
      return make_error(StatusCode::kConfigError, "a latency curve's batch is {}, and may be {} at most", batch,
                        LatencyCurve::kMaxBatch);
    if (i > 0 && batch == sorted[i - 1].batch)
      return make_error(StatusCode::kConfigError, "a latency curve has two points for batch {}", batch);
    if (latency <= Nanoseconds(0) || latency > LatencyCurve::kMaxLatency)
      return make_error(StatusCode::kConfigError,
                        "the latency of batch {} is {} ns, and must be within 0 and 10 minutes", batch,
                        latency.count());
  }
  return {};
}

Nanoseconds scaled(Nanoseconds time, double by) noexcept {
  return Nanoseconds(static_cast<Nanoseconds::rep>(static_cast<double>(time.count()) * by));
}

}  // namespace

Result<LatencyCurve> LatencyCurve::create(std::vector<Point> points) {
  std::ranges::sort(points, {}, &Point::batch);
  TERN_RETURN_IF_ERROR(check(points));
  std::vector<Nanoseconds> base;
  base.reserve(static_cast<std::size_t>(points.back().batch));
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& to = points[i];
    const Point from = i == 0 ? Point{0, to.latency} : Point{points[i - 1].batch, base.back()};
    const Nanoseconds end = std::max(to.latency, from.latency);
    const int steps = to.batch - from.batch;
    for (int step = 1; step <= steps; ++step)
      base.push_back(from.latency + (end - from.latency) * step / steps);
  }
  return LatencyCurve(std::move(base));
}

Nanoseconds LatencyCurve::base(int batch) const noexcept {
  return base_[static_cast<std::size_t>(std::clamp(batch, 1, max_batch()) - 1)];
}

Nanoseconds LatencyCurve::expected(int batch) const noexcept {
  return scaled(base(batch), mean_);
}

Nanoseconds LatencyCurve::planned(int batch) const noexcept {
  return scaled(base(batch), mean_ + kDeviations * deviation_);
}

void LatencyCurve::observe(int batch, Nanoseconds measured) noexcept {
  if (measured <= Nanoseconds(0)) return;
  const double ratio = static_cast<double>(measured.count()) / static_cast<double>(base(batch).count());
  const double bounded = std::clamp(ratio, 1 / kFurthest, kFurthest);
  deviation_ += (std::abs(bounded - mean_) - deviation_) * kWeight;
  mean_ += (bounded - mean_) * (std::exchange(is_doubted_, false) ? 1 : kWeight);
}

void LatencyCurve::forget() noexcept {
  if (mean_ <= 1) return;
  mean_ = 1 + (mean_ - 1) / 2;
  deviation_ /= 2;
  is_doubted_ = true;
}

}  // namespace tern
