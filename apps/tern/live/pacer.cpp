// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/pacer.h"

#include <algorithm>
#include <utility>

namespace tern {

std::optional<Nanoseconds> Pacer::wait(Nanoseconds time, const std::stop_token& stop) {
  const Nanoseconds now = InterruptibleSleep::now();
  time = std::max(time, last_);
  last_ = time;
  if (!start_) start_ = now - time;
  if (now - (*start_ + time) > kMaxLag) {
    start_ = now - time;
    has_lag_ = true;
  }
  const Nanoseconds due = *start_ + time;
  if (!sleep_.until(due, stop)) return std::nullopt;
  return due;
}

bool Pacer::take_lag() noexcept {
  return std::exchange(has_lag_, false);
}

}  // namespace tern
