// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/race.h"

#include <algorithm>
#include <chrono>

#include "runtime/golden_run.h"

namespace tern {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmRuns = 3, kRunsOfATurn = 3, kMinTurns = 4, kMaxTurns = 40;
constexpr std::chrono::milliseconds kEnough{1000}, kTooLong{4000};
constexpr double kTie = 1.02;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// Runs a frame after the other, `count` in all; the times of all but the first `skip` are appended.
Status take_turn(GoldenRunner& runner, const std::vector<GoldenFrame>& frames, int count, int skip,
                 std::vector<double>& ms) {
  for (int i = 0; i < count; ++i) {
    const GoldenFrame& frame = frames[static_cast<std::size_t>(i) % frames.size()];
    const Clock::time_point start = Clock::now();
    const auto outputs = runner.run(frame, 1);
    const std::chrono::duration<double, std::milli> took = Clock::now() - start;
    TERN_RETURN_IF_ERROR(outputs.status());
    if (i >= skip) ms.push_back(took.count());
  }
  return {};
}

}  // namespace

Result<RaceResult> race(std::span<Engine* const> engines, const std::vector<GoldenFrame>& frames,
                        const std::stop_token& stop) {
  if (frames.empty()) return Status(StatusCode::kInputError, "there are no frames to measure with");
  std::vector<GoldenRunner> runners;
  for (Engine* engine : engines) {
    TERN_ASSIGN_OR_RETURN(GoldenRunner runner, GoldenRunner::create(*engine));
    runners.push_back(std::move(runner));
  }
  std::vector<std::vector<double>> times(runners.size());
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < runners.size(); ++i)
    TERN_RETURN_IF_ERROR(take_turn(runners[i], frames, kWarmRuns, kWarmRuns, times[i]));
  for (int turn = 0; turn < kMaxTurns; ++turn) {
    const auto spent = Clock::now() - start;
    if ((turn >= kMinTurns && spent >= kEnough) || (turn > 0 && spent >= kTooLong)) break;
    for (std::size_t i = 0; i < runners.size(); ++i) {
      if (stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped while measuring backends");
      TERN_RETURN_IF_ERROR(take_turn(runners[i], frames, kRunsOfATurn + 1, 1, times[i]));
    }
  }
  RaceResult result;
  result.runs = static_cast<int>(times.front().size());
  for (const std::vector<double>& one : times)
    result.ms.push_back(median(one));
  return result;
}

std::size_t winner(const std::vector<double>& ms) {
  const double best = *std::ranges::min_element(ms);
  const auto first = std::ranges::find_if(ms, [&](double one) { return one <= best * kTie; });
  return static_cast<std::size_t>(first - ms.begin());
}

}  // namespace tern
