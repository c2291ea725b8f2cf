// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "media/frame.h"
#include "tern/pipeline.h"

namespace tern {

/// How many cameras a machine serves: made-up cameras, all of one rate and deadline, that give the same decoded frames from host memory.
struct StreamLoad {
  std::vector<Frame> frames{};  ///< what each camera shows in turn, beginning with another one each; not empty
  double rate_hz = 30;
  Nanoseconds deadline = std::chrono::milliseconds(33);
  Nanoseconds warmup = std::chrono::seconds(1), measured = std::chrono::seconds(5);
};

/// What came out of one number of streams.
struct StreamsResult {
  int streams = 0;
  std::uint64_t frames = 0;                   ///< given by the cameras while it was measured
  std::uint64_t in_time = 0;                  ///< done with all models by their deadline
  double p50_ms = 0, p95_ms = 0, p99_ms = 0;  ///< age of the results when they came out
  double mean_batch = 0;                      ///< items of the first model in a batch
  double busy = 0;  ///< part of the executors' time in models; of the threads' time where there is a thread a camera
  [[nodiscard]] double hit_rate() const {
    return frames > 0 ? static_cast<double>(in_time) / static_cast<double>(frames) : 0;
  }
};

/// The models of `spec` as a pipeline on `streams` cameras; its sources and sinks do not matter.
[[nodiscard]] Result<StreamsResult> run_streams(const PipelineSpec& spec, const PipelineOptions& options,
                                                const StreamLoad& load, int streams, const std::stop_token& stop);

/// What many write first: a thread for each camera, with models of its own, that runs one after the other on each frame, one frame at a time,
/// without GPU frame path or graph. A thread that is late takes the newest frame next.
[[nodiscard]] Result<StreamsResult> run_thread_per_camera(const PipelineSpec& spec, const PipelineOptions& options,
                                                          const StreamLoad& load, int streams,
                                                          const std::stop_token& stop);

/// The most streams, from 1 to `limit`, that `run` serves with at least `target` of the frames in time: doubles until it does not, then halves
/// the gap. What just holds is run once more before it counts. `tried` gets every run in order. 0: not even one.
[[nodiscard]] Result<int> find_most_streams(const std::function<Result<StreamsResult>(int)>& run, double target,
                                            int limit, std::vector<StreamsResult>& tried);

}  // namespace tern
