// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "tern/pipeline_latency.h"

namespace tern {

/// Under overload: the part of every source's frames that can be promised. Frames within that part are firm, the others spare: served
/// when firm ones leave room. Without this, earliest deadline first serves some sources always and others never.
///
/// The part follows what happened to firm frames: it falls while more than kTolerated of them are lost, and rises again otherwise.
class FairPart {
 public:
  static constexpr double kTolerated = 0.01;
  static constexpr double kFalling = 2,
                          kRising = 10;  // change a second, for each unit of lost firm frames off kTolerated
  static constexpr double kLeast = 0.02;
  static constexpr Nanoseconds kPeriod = std::chrono::milliseconds(50);

  void count_firm() noexcept { ++firm_; }
  void count_lost() noexcept { ++lost_; }
  void update(Nanoseconds now) noexcept {
    if (!has_last_ || now - last_ >= kPeriod) {
      const double passed = has_last_ ? std::chrono::duration<double>(now - last_).count() : 0;
      const double loss = firm_ > 0 ? std::min(1.0, static_cast<double>(lost_) / firm_) : 0;
      const double error = kTolerated - loss;
      part_ = std::clamp(part_ + error * (error < 0 ? kFalling : kRising) * std::min(passed, 1.0), kLeast, 1.0);
      firm_ = lost_ = 0;
      last_ = now;
      has_last_ = true;
    }
  }
  [[nodiscard]] double part() const noexcept { return part_; }

 private:
  double part_ = 1;
  int firm_ = 0, lost_ = 0;
  Nanoseconds last_{};
  bool has_last_ = false;
};

}  // namespace tern
