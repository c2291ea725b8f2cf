// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/race.h"

#include <algorithm>
#include <functional>

#include "runtime/golden_run.h"

namespace tern {
namespace {

constexpr double kTie = 1.02;

/// Runs a frame after the other, from the first again behind the last.
class FrameRun {
 public:
  FrameRun(GoldenRunner runner, const std::vector<GoldenFrame>& frames)
      : runner_(std::move(runner)), frames_(&frames) {}
  Status operator()() {
    const GoldenFrame& frame = (*frames_)[next_];
    next_ = (next_ + 1) % frames_->size();
    return runner_.run(frame, 1).status();
  }

 private:
  GoldenRunner runner_;
  const std::vector<GoldenFrame>* frames_;
  std::size_t next_ = 0;
};

}  // namespace

Result<TurnTimes> race(std::span<Engine* const> engines, const std::vector<GoldenFrame>& frames,
                       const std::stop_token& stop) {
  if (frames.empty()) return Status(StatusCode::kInputError, "there are no frames to measure with");
  std::vector<FrameRun> runs;
  for (Engine* engine : engines) {
    TERN_ASSIGN_OR_RETURN(GoldenRunner runner, GoldenRunner::create(*engine));
    runs.emplace_back(std::move(runner), frames);
  }
  std::vector<std::function<Status()>> runners;
  for (FrameRun& run : runs)
    runners.emplace_back(std::ref(run));
  return time_in_turns(runners, stop);
}

std::size_t winner(const std::vector<double>& ms) {
  const double best = *std::ranges::min_element(ms);
  const auto first = std::ranges::find_if(ms, [&](double one) { return one <= best * kTie; });
  return static_cast<std::size_t>(first - ms.begin());
}

}  // namespace tern
