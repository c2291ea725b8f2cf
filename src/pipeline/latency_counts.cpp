// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/latency_counts.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tern {
namespace {

constexpr int kFirstOctave = 10;  // what is shorter than 1024 ns is counted in the first bucket

}  // namespace

/// Linear within an octave, whose number is the position of the highest bit: no logarithm on the hot path.
std::size_t LatencyCounts::bucket_of(std::uint64_t ns) noexcept {
  if (ns < (std::uint64_t{1} << kFirstOctave)) return 0;
  const int octave = static_cast<int>(std::bit_width(ns)) - 1;
  const std::uint64_t part = (ns - (std::uint64_t{1} << octave)) * kPerOctave >> octave;
  const auto bucket = static_cast<std::size_t>(octave - kFirstOctave) * kPerOctave + static_cast<std::size_t>(part);
  return std::min(bucket, kBuckets - 1);
}

double LatencyCounts::upper_ns(std::size_t bucket) noexcept {
  const double octave = std::ldexp(1.0, kFirstOctave + static_cast<int>(bucket / kPerOctave));
  return octave * (1 + static_cast<double>(bucket % kPerOctave + 1) / static_cast<double>(kPerOctave));
}

void LatencyCounts::add(Nanoseconds duration) noexcept {
  // A day bounds the sum, so that it cannot overflow within centuries.
  const auto ns = static_cast<std::uint64_t>(std::clamp<std::int64_t>(duration.count(), 0, 86'400'000'000'000));
  counts_[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(ns, std::memory_order_relaxed);
  std::uint64_t max = max_ns_.load(std::memory_order_relaxed);
  while (ns > max && !max_ns_.compare_exchange_weak(max, ns, std::memory_order_relaxed)) {
  }
}

LatencySummary LatencyCounts::summary() const {
  std::array<std::uint64_t, kBuckets> counts{};
  LatencySummary summary;
  std::size_t first = kBuckets, last = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    counts[i] = counts_[i].load(std::memory_order_relaxed);
    summary.count += counts[i];
    if (counts[i] == 0) continue;
    first = std::min(first, i);
    last = i;
  }
  if (summary.count == 0) return summary;
  const double max_ms = static_cast<double>(max_ns_.load(std::memory_order_relaxed)) / 1e6;
  const auto percentile = [&](double part) {
    const double rank = part * static_cast<double>(summary.count);
    double below = 0;
    for (std::size_t i = first; i <= last; ++i) {
      const auto count = static_cast<double>(counts[i]);
      if (below + count >= rank && count > 0) {
        const double lower = i == 0 ? 0 : upper_ns(i - 1);
        return std::min((lower + (upper_ns(i) - lower) * (rank - below) / count) / 1e6, max_ms);
      }
      below += count;
    }
    return max_ms;
  };
  summary.mean_ms =
      static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e6 / static_cast<double>(summary.count);
  summary.p50_ms = percentile(0.50);
  summary.p95_ms = percentile(0.95);
  summary.p99_ms = percentile(0.99);
  summary.max_ms = max_ms;
  for (std::size_t i = first; i <= last; ++i)
    summary.buckets.push_back({upper_ns(i) / 1e6, counts[i]});
  return summary;
}

}  // namespace tern
