// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tern/contract.h"
#include "tern/memory_ledger.h"
#include "tern/pipeline_latency.h"
#include "tern/pipeline_scheduler.h"
#include "tern/thermal.h"

namespace tern {

/// What a model of a pipeline is. Fixed while it runs.
struct PipelineModelInfo {
  std::string name{};
  Task task = Task::kDetect;
  std::vector<std::string> classes{};
};

/// Counts of durations since the start, in buckets that grow by about 9 % (eight to an octave).
struct LatencySummary {
  std::uint64_t count = 0;
  double mean_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;
  struct Bucket {
    double upper_ms = 0;  ///< longest duration counted in it
    std::uint64_t count = 0;
  };
  std::vector<Bucket> buckets{};  ///< rising; from the first to the last that counted something
};

/// How a pipeline does, at one moment. Counters are since its start.
struct PipelineSnapshot {
  struct Source {
    enum class State : std::uint8_t { kOpening, kRunning, kReconnecting, kEnded, kFailed };
    std::string name{};
    State state = State::kOpening;
    std::string message{};     ///< why it is reconnecting or failed
    std::uint64_t frames = 0;  ///< given by the source
    std::uint64_t reconnects = 0;
    int width = 0, height = 0;  ///< of the last frame
    double rate_hz = 0;         ///< frames given, over the last seconds
    double deadline_ms = 0;
    std::array<std::uint64_t, kFrameEnds> ends{};  ///< by FrameEnd
    LatencySummary age{};                          ///< of results when all models were done, since the capture
  };
  struct Model {
    std::string name{};
    bool is_running = true;  ///< false: a thermal step has switched it off, or it is on standby
    std::string backend{}, precision{}, engine_id{};
    std::uint64_t batches = 0, items = 0, failures = 0, reloads = 0;
    double busy_share = 0;                                ///< of all executors' time since the start
    double slowdown = 1;                                  ///< of batches, against what was measured at the start
    LatencySummary preprocess{}, infer{}, postprocess{};  ///< of a batch
  };
  struct Sink {
    std::string name{};
    std::uint64_t written = 0, missed = 0;  ///< missed: its queue was full
    int waiting = 0;
    std::string failure{};  ///< empty: none
    LatencySummary write{};
  };
  struct Ledger {
    std::string device{};  ///< "cpu", "cuda:0"
    std::uint64_t budget_bytes = 0, resident_bytes = 0;
    std::vector<MemoryLedger::Item> items{};
  };

  double uptime_s = 0;
  bool is_draining = false;
  std::vector<Source> sources{};
  std::vector<Model> models{};
  std::vector<Sink> sinks{};
  std::vector<Ledger> ledgers{};
  std::uint64_t process_bytes = 0;  ///< resident memory of the whole process
  int frames_inside = 0, max_frames_inside = 0;
  double overhead_share = 0;  ///< CPU time of executors outside the models' calls, over the time inside them
  ThermalState thermal{};
  int thermal_step = 0;
  std::string thermal_reason{};  ///< of the last change
};
/// "opening", "running", "reconnecting", "ended", "failed".
[[nodiscard]] TERN_API std::string_view to_string(PipelineSnapshot::Source::State state) noexcept;
/// Delivered over all frames that ended another way than by a limit that the user set or a stop; 1 where there were none.
[[nodiscard]] TERN_API double deadline_hit_rate(const std::array<std::uint64_t, kFrameEnds>& ends) noexcept;

}  // namespace tern
