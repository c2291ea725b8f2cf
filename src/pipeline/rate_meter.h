// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "tern/pipeline_latency.h"

namespace tern {

/// How many events a second, by the last 32 of them. Not thread-safe.
class RateMeter {
 public:
  void add(Nanoseconds now) noexcept {
    times_[next_ % times_.size()] = now;
    ++next_;
  }
  /// 0 before the second event. What has been silent for longer than its events are apart slows down.
  [[nodiscard]] double rate_hz(Nanoseconds now) const noexcept {
    const std::size_t count = std::min(next_, times_.size());
    if (count < 2) return 0;
    const Nanoseconds last = times_[(next_ - 1) % times_.size()], first = times_[(next_ - count) % times_.size()];
    const double usual = std::chrono::duration<double>(last - first).count() / static_cast<double>(count - 1);
    const double silent = std::chrono::duration<double>(now - last).count();
    const double apart = silent > 2 * usual ? silent : usual;
    return apart > 0 ? 1 / apart : 0;
  }

 private:
  std::array<Nanoseconds, 32> times_{};
  std::size_t next_ = 0;
};

}  // namespace tern
