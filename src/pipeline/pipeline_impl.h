// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "pipeline/crops.h"
#include "pipeline/frame_record.h"
#include "pipeline/latency_counts.h"
#include "pipeline/model_task.h"
#include "pipeline/rate_meter.h"
#include "tern/device.h"
#include "tern/pipeline.h"
#include "tern/pipeline_trace.h"

namespace tern {

/// The threads of a pipeline and what they share.
///
///   source thread:   next() -> submit()                                       pipeline_sources.cpp
///   executor thread: decide() -> run_batch() -> finish() -> collect()         pipeline_executors.cpp
///   sink thread:     take() -> write()                                        pipeline_sinks.cpp
///   watch thread:    temperature, models that fail                            pipeline_watch.cpp
///
/// One mutex guards the scheduler, the pool and all queues and states. It is never held while anything of the user's runs: a source,
/// a model, a sink, the logger. Where a model's slot is locked too, that comes first.
class Pipeline::Impl {
 public:
  Impl(PipelineSpec spec, PipelineOptions options) : spec_(std::move(spec)), options_(std::move(options)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] Status open(std::vector<SourceParts> sources, std::vector<SinkParts> sinks);
  void start();
  [[nodiscard]] Status wait(std::stop_token stop);
  void drain();
  void stop();
  [[nodiscard]] Status reload(std::string_view name, bool allow_build);
  [[nodiscard]] PipelineSnapshot snapshot() const;
  [[nodiscard]] std::string metrics_text();

  [[nodiscard]] const PipelineSpec& spec() const noexcept { return spec_; }
  [[nodiscard]] const std::vector<PipelineModelInfo>& infos() const noexcept { return infos_; }
  [[nodiscard]] MetricRegistry& metrics() noexcept { return metrics_; }
  [[nodiscard]] const std::optional<TraceRecorder>& trace() const noexcept { return trace_; }

 private:
  using Lock = std::unique_lock<std::mutex>;
  using SourceState = PipelineSnapshot::Source::State;

  struct SourceRunner {
    SourceParts parts{};
    std::unique_ptr<FrameSource> opened{};  // in create(), for the thread to take
    std::thread thread{};
    SourceState state = SourceState::kOpening;
    std::string message{};
    Status failure{};
    std::uint64_t frames = 0, reconnects = 0;
    int width = 0, height = 0;
    RateMeter rate{};
    std::array<std::uint64_t, kFrameEnds> ends{};
    LatencyCounts age{};
    std::uint32_t track = 0;
    std::array<MetricCounter*, kFrameEnds> end_counters{};
    MetricCounter* frame_counter = nullptr;
    MetricCounter* reconnect_counter = nullptr;
    MetricHistogram* age_histogram = nullptr;
  };
  /// What one executor runs a model with.
  struct ModelSlot {
    std::mutex mutex{};  // held while it runs, and to put another one in its place
    std::unique_ptr<ModelTask> task{};
  };
  struct ModelRunner {
    ModelPlace place{};
    CropRule crop_rule{};                 // where it works on crops
    std::vector<std::size_t> croppers{};  // models that work on crops of this one's boxes
    TaskOptions options{};
    std::filesystem::path file{};
    std::vector<std::unique_ptr<ModelSlot>> slots{};  // of each executor
    LatencyCurve curve{};
    bool is_enabled = true;
    std::string backend{}, precision{}, engine_id{};
    std::uint64_t successes = 0, failures = 0, failures_in_a_row = 0, reloads = 0;
    Status failure{};
    Nanoseconds failing_since{}, retry_at{}, retry_delay{};
    LatencyCounts preprocess{}, infer{}, postprocess{};
    std::uint32_t trace_name = 0;
    MetricCounter *batch_counter = nullptr, *item_counter = nullptr, *failure_counter = nullptr;
    std::array<MetricHistogram*, 3> stage_histograms{};
  };
  struct Executor {
    std::thread thread{};
    std::vector<ModelItem> items{};
    std::uint32_t track = 0;
    Nanoseconds thread_time{}, call_time{};  // processor time of the thread, and the part of it in models' calls
    Nanoseconds inside{};                    // wall time in models' calls
  };
  struct SinkRunner {
    SinkParts parts{};
    std::thread thread{};
    std::condition_variable wake{};
    std::vector<std::size_t> ring{};  // of records
    std::size_t first = 0, waiting = 0;
    std::uint64_t written = 0, missed = 0;
    Status failure{};
    LatencyCounts write{};
    std::uint32_t track = 0;
    MetricCounter *written_counter = nullptr, *missed_counter = nullptr;

    [[nodiscard]] bool is_full() const noexcept { return waiting == ring.size(); }
  };

  // pipeline_open.cpp
  [[nodiscard]] Status open_models();
  [[nodiscard]] Status open_model(std::size_t index);
  [[nodiscard]] Result<std::unique_ptr<ModelTask>> open_task(const ModelRunner& runner, Task kind,
                                                             bool allow_build) const;
  [[nodiscard]] Status measure_curves();
  [[nodiscard]] Status make_metrics();
  [[nodiscard]] Status make_model_metrics(std::size_t index);
  [[nodiscard]] Status make_source_metrics(std::size_t index);
  [[nodiscard]] Status make_sink_metrics(std::size_t index);
  [[nodiscard]] Status make_trace();
  void describe(ModelRunner& runner) const;

  // pipeline_sources.cpp
  void run_source(std::size_t index);
  [[nodiscard]] Result<bool> read_frames(std::size_t index, FrameSource& source, std::stop_token stop);
  [[nodiscard]] bool submit(std::size_t index, std::size_t& record, Lock& lock, std::stop_token stop);
  void note_source(std::size_t index, SourceState state, const Status& why);

  // pipeline_executors.cpp
  void run_executor(std::size_t index);
  void run_batch(std::size_t index, const Decision& decision, Lock& lock);
  [[nodiscard]] Status run_items(std::size_t index, ModelRunner& model, Lock& lock);
  void offer_crops(ModelRunner& model, std::span<const BatchPart> parts);
  void note_batch(Executor& executor, ModelRunner& model, Nanoseconds began, Nanoseconds ended, const Status& status);
  [[nodiscard]] bool is_drained() const;

  // pipeline_gpu.cpp: a frame is copied to the GPU once, when the first model there needs it.
  /// Finds out which models take frames on a GPU; they have run once.
  void find_gpu_models();
  /// Gives each record that will be on the GPU its memory; under the lock.
  void lend_gpu_frames(const ModelRunner& model, std::span<const ModelItem> items);
  /// Copies what is not there yet. Where that fails, models take the frame from host memory.
  void upload(const ModelRunner& model, std::span<const ModelItem> items);
  void take_back_gpu_frame(FrameRecord& record);

  // pipeline_sinks.cpp
  void run_sink(std::size_t index);
  /// Takes frames that ended out of the scheduler: counts them, and gives those with results to the sinks. Stops at a result that a
  /// lossless sink has no room for.
  void collect();
  void settle(const EndedFrame& ended);
  [[nodiscard]] bool can_settle() const;

  // pipeline_watch.cpp
  void run_watch(const std::stop_token& stop);
  void watch_temperature();
  void watch_models();
  [[nodiscard]] bool gives_up(std::size_t model);
  void apply_step();

  void log(LogLevel level, const std::string& text) const;
  [[nodiscard]] static Nanoseconds now() noexcept { return std::chrono::steady_clock::now().time_since_epoch(); }
  void join();
  [[nodiscard]] Status failure() const;

  const PipelineSpec spec_;
  PipelineOptions options_;
  std::vector<PipelineModelInfo> infos_;
  MetricRegistry metrics_;
  std::optional<TraceRecorder> trace_;
  std::uint32_t trace_source_ = 0, trace_sink_ = 0;  // names of spans

  mutable std::mutex mutex_;
  std::condition_variable work_;      // executors: a frame came, or a batch ended
  std::condition_variable_any room_;  // sources that wait for a place
  std::optional<Scheduler> scheduler_;
  std::optional<RecordPool> pool_;
  std::optional<ThermalGovernor> governor_;
  std::vector<std::unique_ptr<SourceRunner>> sources_;
  std::vector<std::unique_ptr<ModelRunner>> models_;
  std::vector<std::unique_ptr<Executor>> executors_;
  std::vector<std::unique_ptr<SinkRunner>> sinks_;
  std::optional<Cuda> cuda_;  // where some model takes frames on a GPU
  int gpu_ = 0;
  std::vector<std::unique_ptr<GpuFrame>> gpu_frames_;  // that no record has
  std::atomic<bool> has_upload_failed_ = false;
  std::size_t sources_running_ = 0, executors_running_ = 0;
  Status given_up_;  // see PipelineOptions::give_up_after
  ThermalState thermal_;
  std::string thermal_reason_;
  Nanoseconds started_{};
  bool is_started_ = false;

  std::mutex reload_mutex_;  // one reload at a time
  std::mutex join_mutex_;
  std::stop_source sources_stop_;
  std::jthread watch_;
};

}  // namespace tern
