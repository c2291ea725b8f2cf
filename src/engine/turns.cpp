// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/turns.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace tern {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmRuns = 3, kRunsOfATurn = 3, kMinTurns = 4, kMaxTurns = 40;
constexpr std::chrono::milliseconds kEnough{1000}, kTooLong{4000};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// `count` runs; the times of all but the first `skip` are appended.
Status take_turn(const std::function<Status()>& run, int count, int skip, std::vector<double>& ms) {
  for (int i = 0; i < count; ++i) {
    const Clock::time_point start = Clock::now();
    const Status status = run();
    const std::chrono::duration<double, std::milli> took = Clock::now() - start;
    TERN_RETURN_IF_ERROR(status);
    if (i >= skip) ms.push_back(took.count());
  }
  return {};
}

}  // namespace

Result<TurnTimes> time_in_turns(std::span<const std::function<Status()>> runners, const std::stop_token& stop) {
  std::vector<std::vector<double>> times(runners.size());
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < runners.size(); ++i)
    TERN_RETURN_IF_ERROR(take_turn(runners[i], kWarmRuns, kWarmRuns, times[i]));
  for (int turn = 0; turn < kMaxTurns; ++turn) {
    const auto spent = Clock::now() - start;
    if ((turn >= kMinTurns && spent >= kEnough) || (turn > 0 && spent >= kTooLong)) break;
    for (std::size_t i = 0; i < runners.size(); ++i) {
      if (stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped while comparing engines");
      TERN_RETURN_IF_ERROR(take_turn(runners[i], kRunsOfATurn + 1, 1, times[i]));
    }
  }
  TurnTimes result;
  result.runs = static_cast<int>(times.front().size());
  for (const std::vector<double>& one : times)
    result.ms.push_back(median(one));
  return result;
}

}  // namespace tern
