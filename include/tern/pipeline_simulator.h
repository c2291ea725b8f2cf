// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tern/export.h"
#include "tern/pipeline_scheduler.h"
#include "tern/status.h"

namespace tern {

/// Cameras, models and devices to simulate. The scheduler is the real one; cameras and devices are drawn at random from `seed`.
struct SimulationConfig {
  /// Sources and models as a pipeline has them. `executors` are those of one host.
  SchedulerConfig scheduler{};

  struct Camera {
    double rate_hz = 30;   ///< (0, 1000]
    Nanoseconds delay{};   ///< from the capture of a frame until it is offered (transport, decoding): [0, 10 s]
    Nanoseconds jitter{};  ///< uniform, on top of `delay`: [0, 10 s]
    /// When the first frame is captured, in parts of the frame interval: [0, 1). Empty: drawn at random.
    std::optional<double> phase{};
  };
  std::vector<Camera> cameras{};  ///< one for each source of the scheduler

  struct Device {
    double noise = 0.03;    ///< standard deviation of a batch's time over the curve's: [0, 0.5]
    double mean_items = 0;  ///< items (crops) a frame has for this model, Poisson; for models with inputs: [0, 100]
  };
  std::vector<Device> devices{};  ///< one for each model; empty: the defaults for all

  /// From `at` on every batch takes `factor` times as long as the curve says (heat): (0, 100].
  struct Slowdown {
    Nanoseconds at{};
    double factor = 1;
  };
  std::vector<Slowdown> slowdowns{};

  /// Hosts with a scheduler each; camera i belongs to host i mod hosts. 1..1024, and not more than cameras.
  int hosts = 1;
  Nanoseconds duration = std::chrono::seconds(20);  ///< (warm_up, 24 h]
  Nanoseconds warm_up = std::chrono::seconds(2);    ///< frames captured before are not counted: >= 0
  std::uint64_t seed = 1;
};

/// What became of the frames captured between the warm-up and the end, less those whose deadline lies behind the end.
struct SimulationReport {
  std::uint64_t frames = 0;
  std::array<std::uint64_t, kFrameEnds> ends{};  ///< by FrameEnd; together `frames`
  double hit_rate = 0;                           ///< delivered in time / frames
  double worst_source_hit_rate = 0;              ///< of the source that fared worst
  Nanoseconds age_p50{}, age_p95{}, age_p99{};   ///< from capture to the end, of delivered and late frames
  double utilisation = 0;                        ///< busy part of the executors' time after the warm-up
  double mean_batch = 0;                         ///< items a batch, all models
  std::uint64_t events = 0;                      ///< arrivals and batches simulated, warm-up included
  std::vector<double> model_busy{};              ///< part of the executors' time that each model took

  /// One JSON object, keys as above, times in ms, ends by name.
  [[nodiscard]] TERN_API std::string to_json() const;
};

/// Runs a discrete-event simulation. The same configuration gives the same report, bit for bit, from the same build.
/// ConfigError for a value outside its range, and what Scheduler::create() says. Reentrant.
[[nodiscard]] TERN_API Result<SimulationReport> simulate(const SimulationConfig& config);

}  // namespace tern
