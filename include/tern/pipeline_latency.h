// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "tern/export.h"
#include "tern/status.h"

namespace tern {

/// Times of the pipeline are nanoseconds since an origin that the caller chooses once: that of std::chrono::steady_clock in a
/// live pipeline, 0 in a simulation.
using Nanoseconds = std::chrono::nanoseconds;

/// How long a batch of each size occupies a device, from measured points, corrected by what is measured while running.
///
/// Sizes between two points are interpolated; a point below its predecessor counts as its predecessor, so that the curve never
/// falls. What is observed scales the whole curve: a device that slows down (heat, a power limit) does so for every batch size.
/// Not thread-safe. Allocates in create() alone.
class TERN_API LatencyCurve {
 public:
  struct Point {
    int batch = 0;
    Nanoseconds latency{};
  };
  static constexpr int kMaxBatch = 1024;
  static constexpr Nanoseconds kMaxLatency = std::chrono::minutes(10);

  /// One item a batch, one millisecond.
  LatencyCurve() : base_{Nanoseconds(std::chrono::milliseconds(1))} {}
  /// ConfigError: no point, none of batch 1, a batch outside 1..kMaxBatch or given twice, a latency that is not within
  /// (0, kMaxLatency]. The points may come in any order.
  [[nodiscard]] static Result<LatencyCurve> create(std::vector<Point> points);

  /// The largest batch measured.
  [[nodiscard]] int max_batch() const noexcept { return static_cast<int>(base_.size()); }
  /// The mean to expect of `batch`; sizes outside 1..max_batch() are taken as the nearest inside.
  [[nodiscard]] Nanoseconds expected(int batch) const noexcept;
  /// What to plan with: expected() and three mean deviations, so that few runs take longer.
  [[nodiscard]] Nanoseconds planned(int batch) const noexcept;
  /// Takes in what a batch took. Durations that are not positive are ignored; one run counts for 1/16, and is bounded by a
  /// sixteenth and sixteen times of the measured point, so that no outlier rules the plan.
  void observe(int batch, Nanoseconds measured) noexcept;
  /// Takes back half of a slowdown, for when nothing has been observed for a while: what slowed the device down may be over. What is
  /// observed next counts as it is.
  void forget() noexcept;
  /// The running mean of observed over measured; 1 before anything was observed.
  [[nodiscard]] double slowdown() const noexcept { return mean_; }

 private:
  explicit LatencyCurve(std::vector<Nanoseconds> base) noexcept : base_(std::move(base)) {}
  [[nodiscard]] Nanoseconds base(int batch) const noexcept;

  std::vector<Nanoseconds> base_;  // of batch 1, 2, ...
  double mean_ = 1, deviation_ = 0.02;
  bool is_doubted_ = false;  // see forget()
};

}  // namespace tern
