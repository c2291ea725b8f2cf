// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include "base/interruptible_sleep.h"
#include "tern/pipeline_latency.h"

namespace tern {

/// Gives recorded frames at the pace they were taken at.
class Pacer {
 public:
  /// So far behind the pace may be, to be caught up with by frames that follow each other at once; beyond it the rest comes later for good.
  static constexpr Nanoseconds kMaxLag = std::chrono::seconds(1);

  /// Waits until `time` of the recording, which is when a frame was taken that must not be before the last one's; nothing after a stop. The
  /// first call sets the beginning.
  [[nodiscard]] std::optional<Nanoseconds> wait(Nanoseconds time, const std::stop_token& stop);
  /// Whether frames have come later for good since the last call.
  [[nodiscard]] bool take_lag() noexcept;

 private:
  InterruptibleSleep sleep_;
  std::optional<Nanoseconds> start_;
  Nanoseconds last_{};
  bool has_lag_ = false;
};

}  // namespace tern
