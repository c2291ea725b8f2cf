// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace tern {

/// Sleep that a stop ends. One thread at a time; allocates nothing once it is there.
class InterruptibleSleep {
 public:
  /// Until `time` on std::chrono::steady_clock, as now() tells it; false after a stop.
  bool until(std::chrono::nanoseconds time, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    never_.wait_until(lock, stop, std::chrono::steady_clock::time_point(time), [] { return false; });
    return !stop.stop_requested();
  }
  bool lasting(std::chrono::nanoseconds time, const std::stop_token& stop) { return until(now() + time, stop); }
  [[nodiscard]] static std::chrono::nanoseconds now() { return std::chrono::steady_clock::now().time_since_epoch(); }

 private:
  std::mutex mutex_;
  std::condition_variable_any never_;
};

}  // namespace tern
