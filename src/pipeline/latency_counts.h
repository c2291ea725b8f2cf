// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tern/pipeline_snapshot.h"

namespace tern {

/// Counts of durations in buckets of equal ratios, eight to an octave, from 1 us to more than an hour. Thread-safe; add() neither allocates nor
/// waits.
class LatencyCounts {
 public:
  void add(Nanoseconds duration) noexcept;
  /// Percentiles are interpolated within their bucket, so they are off by less than 9 %.
  [[nodiscard]] LatencySummary summary() const;

 private:
  static constexpr std::size_t kPerOctave = 8, kOctaves = 32, kBuckets = kPerOctave * kOctaves;
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns) noexcept;
  [[nodiscard]] static double upper_ns(std::size_t bucket) noexcept;

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> sum_ns_{0}, max_ns_{0};
};

}  // namespace tern
