// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tern/export.h"
#include "tern/pipeline_io.h"
#include "tern/pipeline_metrics.h"
#include "tern/pipeline_snapshot.h"
#include "tern/pipeline_spec.h"
#include "tern/status.h"
#include "tern/task.h"
#include "tern/thermal.h"

namespace tern {

struct PipelineOptions {
  /// How models are opened. Its runtime is shared by all of them (one is made where it is null); precision and max_batch come from the
  /// PipelineSpec where that says them. Its logger gets the pipeline's lines too.
  TaskOptions task{};
  /// Where relative model files are looked for.
  std::filesystem::path folder{};
  /// Batches that run at the same time, each on an execution context of its own: 1..64.
  int executors = 1;
  /// Frames of this size measure how long batches take, before the first frame of a source has come.
  int measure_width = 1920, measure_height = 1080;
  ThermalPublisher thermal = default_thermal_publisher();
  Nanoseconds thermal_interval = std::chrono::seconds(1);
  std::size_t trace_spans = 0;  ///< of work that trace_json() tells; 0: none
  /// A model that has only failed for so long ends the pipeline, which wait() tells: for those who start a new process then, as a fault
  /// of the GPU's driver asks for. 0: never; the model is opened again and again.
  Nanoseconds give_up_after{};
};

/// Sources, models and sinks that run as a PipelineSpec says, in real time. Threads: one for each source, executor and sink, and one
/// that watches the temperature.
///
/// A frame is decoded once; models and sinks share its pixels. Between the sources' and sinks' own work nothing is allocated for
/// a frame once each size of frame and number of results has been there.
///
/// Thread-safe but for start(), which comes first and once.
class TERN_API Pipeline {
 public:
  /// Opens the models (building engines where the store has none), measures how long each batch size takes, opens the sources that are not
  /// live. `sources` in the order of spec.sources; `sinks` in any. ConfigError, naming it, for a model of another task than its place in
  /// the graph needs; else as Detector::open(), Scheduler::create() and the sources say.
  [[nodiscard]] static Result<std::unique_ptr<Pipeline>> create(const PipelineSpec& spec,
                                                                std::vector<SourceParts> sources,
                                                                std::vector<SinkParts> sinks,
                                                                const PipelineOptions& options = {});
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();  ///< as stop()

  void start();
  /// Until every source has ended and every result is written, or `stop` is requested, which drains. The first failure of a source
  /// that is not live, of a sink, or, where every frame of a model failed, of that model.
  [[nodiscard]] Status wait(std::stop_token stop = {});
  /// Sources give no more frames; what has been taken in goes through models and sinks. Returns at once.
  void drain();
  /// As drain(), but frames that wait for their first model are dropped (FrameEnd::kStopped). Returns when all threads are done.
  void stop();

  /// Opens the model's file again, while the pipeline runs on with the old one, and puts it in place between two batches. On a failure the
  /// old one stays. ConfigError for an unknown name, or where the new model's task or classes differ from the old one's.
  [[nodiscard]] Status reload(std::string_view model);

  [[nodiscard]] const PipelineSpec& spec() const noexcept;
  /// In the order of PipelineSpec::models: what each model is and says of its classes. Stays valid.
  [[nodiscard]] const std::vector<PipelineModelInfo>& models() const noexcept;
  [[nodiscard]] PipelineSnapshot snapshot() const;
  /// Those of the pipeline, in which sinks may count too.
  [[nodiscard]] MetricRegistry& metrics() noexcept;
  /// Metrics::text(), with gauges as they are now.
  [[nodiscard]] std::string metrics_text();
  /// TraceRecorder::to_json(); ConfigError where PipelineOptions::trace_spans is 0.
  [[nodiscard]] Result<std::string> trace_json() const;

 private:
  class Impl;
  explicit Pipeline(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tern
