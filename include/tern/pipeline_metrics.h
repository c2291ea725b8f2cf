// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/export.h"
#include "tern/status.h"

namespace tern {

/// Something that only grows. Thread-safe; no call allocates or waits.
class MetricCounter {
 public:
  void add(std::uint64_t count = 1) noexcept { value_.fetch_add(count, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Something that goes up and down. Thread-safe; no call allocates or waits.
class MetricGauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// How many observations lie at or below each bound. Thread-safe; no call allocates or waits.
class TERN_API MetricHistogram {
 public:
  /// `bounds` ascend and are finite.
  explicit MetricHistogram(std::vector<double> bounds);
  /// NaN counts as above every bound, and adds nothing to the sum.
  void observe(double value) noexcept;
  [[nodiscard]] std::span<const double> bounds() const noexcept { return bounds_; }
  /// Observations above the bound before and not above this one; the last is what lies above all bounds.
  [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept {
    return counts_[bucket].load(std::memory_order_relaxed);
  }
  [[nodiscard]] double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;  // one more than bounds
  std::atomic<double> sum_{0};
};

/// Upper bounds in seconds for latencies from 100 us to 10 s, three to a decade.
[[nodiscard]] TERN_API std::vector<double> latency_bounds();

/// Metrics by name and labels, and their text in Prometheus' exposition format 0.0.4. Thread-safe. What it hands out lives as long as
/// the registry; callers keep it, so that counting looks nothing up.
class TERN_API MetricRegistry {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;
  ~MetricRegistry();

  /// The metric of this name and these labels (in any order), made where it is new. ConfigError: a name or label name that Prometheus does
  /// not take, a label twice, a value that is no UTF-8, the name of a metric of another type, help or bounds, more than 100000
  /// metrics.
  [[nodiscard]] Result<MetricCounter*> counter(std::string_view name, std::string_view help, Labels labels = {});
  [[nodiscard]] Result<MetricGauge*> gauge(std::string_view name, std::string_view help, Labels labels = {});
  [[nodiscard]] Result<MetricHistogram*> histogram(std::string_view name, std::string_view help,
                                                   std::vector<double> bounds, Labels labels = {});

  /// Everything, families in the order of their names. A histogram's buckets, sum and count may differ by what is observed meanwhile;
  /// count and the largest bucket never do.
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tern
