// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/pipeline_snapshot.h"

#include <fstream>
#include <numeric>
#include <unistd.h>

#include <fmt/format.h>

#include "pipeline/pipeline_impl.h"
#include "tern/runtime.h"

namespace tern {
namespace {

std::uint64_t resident_bytes_of_process() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

PipelineSnapshot::Ledger ledger_of(const MemoryLedger& ledger, std::string device) {
  return {std::move(device), ledger.budget_bytes(), ledger.resident_bytes(), ledger.items()};
}

double seconds(Nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

std::string_view to_string(PipelineSnapshot::Source::State state) noexcept {
  using State = PipelineSnapshot::Source::State;
  switch (state) {
    case State::kOpening:
      return "opening";
    case State::kRunning:
      return "running";
    case State::kReconnecting:
      return "reconnecting";
    case State::kEnded:
      return "ended";
    case State::kFailed:
      return "failed";
  }
  return "";
}

double deadline_hit_rate(const std::array<std::uint64_t, kFrameEnds>& ends) noexcept {
  const auto count = [&](FrameEnd end) { return static_cast<double>(ends[static_cast<std::size_t>(end)]); };
  const double all = static_cast<double>(std::accumulate(ends.begin(), ends.end(), std::uint64_t{0})) -
                     count(FrameEnd::kLimited) - count(FrameEnd::kStopped);
  return all > 0 ? count(FrameEnd::kDelivered) / all : 1;
}

PipelineSnapshot Pipeline::Impl::snapshot() const {
  PipelineSnapshot snapshot;
  // These ask others, who have locks of their own.
  const InferenceRuntime& runtime = *options_.task.runtime;
  snapshot.ledgers.push_back(ledger_of(runtime.ledger(), "cpu"));
  if (const MemoryLedger& gpu = runtime.ledger(DeviceKind::kCuda); gpu.resident_bytes() > 0)
    snapshot.ledgers.push_back(ledger_of(gpu, "cuda:0"));
  snapshot.process_bytes = resident_bytes_of_process();
  snapshot.is_draining = sources_stop_.stop_requested();

  const Lock lock(mutex_);
  const Nanoseconds time = now();
  const Nanoseconds up = is_started_ ? time - started_ : Nanoseconds(0);
  snapshot.uptime_s = seconds(up);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const SourceRunner& source = *sources_[i];
    snapshot.sources.push_back({spec_.sources[i].name, source.state, source.message, source.frames, source.reconnects,
                                source.width, source.height, source.rate.rate_hz(time),
                                seconds(spec_.sources[i].deadline) * 1000, source.ends, source.age.summary()});
  }
  for (std::size_t i = 0; i < models_.size(); ++i) {
    const ModelRunner& model = *models_[i];
    const Scheduler::ModelState state = scheduler_->model_state(static_cast<int>(i));
    const double all = seconds(up) * static_cast<double>(executors_.size());
    snapshot.models.push_back({spec_.models[i].name, model.is_enabled, model.backend, model.precision, model.engine_id,
                               state.batches, state.items, model.failures, model.reloads,
                               all > 0 ? seconds(state.busy) / all : 0, state.slowdown, model.preprocess.summary(),
                               model.infer.summary(), model.postprocess.summary()});
  }
  for (const auto& sink : sinks_)
    snapshot.sinks.push_back({sink->parts.name, sink->written, sink->missed, static_cast<int>(sink->waiting),
                              sink->failure.ok() ? "" : sink->failure.to_string(), sink->write.summary()});
  snapshot.frames_inside = scheduler_->frames_inside();
  snapshot.max_frames_inside = scheduler_->max_frames_inside();
  Nanoseconds outside{}, inside{};
  for (const auto& executor : executors_) {
    outside += executor->thread_time - executor->call_time;
    inside += executor->inside;
  }
  snapshot.overhead_share = inside > Nanoseconds(0) ? seconds(outside) / seconds(inside) : 0;
  snapshot.thermal = thermal_;
  snapshot.thermal_step = governor_->step();
  snapshot.thermal_reason = thermal_reason_;
  return snapshot;
}

/// Counters and histograms are kept as things happen; what goes up and down is looked up now.
std::string Pipeline::Impl::metrics_text() {
  const PipelineSnapshot now = snapshot();
  const auto gauge = [&](std::string_view name, std::string_view help, MetricRegistry::Labels labels, double value) {
    if (const auto metric = metrics_.gauge(name, help, std::move(labels)); metric.ok()) (*metric)->set(value);
  };
  using State = PipelineSnapshot::Source::State;
  for (const PipelineSnapshot::Source& source : now.sources) {
    const MetricRegistry::Labels labels{{"source", source.name}};
    gauge("tern_source_up", "1: the source gives frames", labels, source.state == State::kRunning ? 1 : 0);
    gauge("tern_deadline_hit_ratio", "Frames delivered in time, of all that were not limited or stopped", labels,
          deadline_hit_rate(source.ends));
  }
  for (const PipelineSnapshot::Model& model : now.models) {
    const MetricRegistry::Labels labels{{"model", model.name}};
    gauge("tern_model_running", "0: a thermal step or standby keeps the model from running", labels,
          model.is_running ? 1 : 0);
    gauge("tern_model_busy_ratio", "Part of all executors' time that the model took", labels, model.busy_share);
    gauge("tern_model_slowdown_ratio", "Time of batches over what was measured at the start", labels, model.slowdown);
  }
  for (const PipelineSnapshot::Sink& sink : now.sinks) {
    const MetricRegistry::Labels labels{{"sink", sink.name}};
    gauge("tern_sink_up", "0: the sink failed and gets no results any more", labels, sink.failure.empty() ? 1 : 0);
    gauge("tern_sink_waiting", "Results that wait for a sink", labels, sink.waiting);
  }
  for (const PipelineSnapshot::Ledger& ledger : now.ledgers) {
    const MetricRegistry::Labels labels{{"device", ledger.device}};
    gauge("tern_memory_resident_bytes", "Booked for loaded engines", labels,
          static_cast<double>(ledger.resident_bytes));
    gauge("tern_memory_budget_bytes", "That engines may take", labels, static_cast<double>(ledger.budget_bytes));
  }
  gauge("tern_process_resident_bytes", "Resident memory of the process", {}, static_cast<double>(now.process_bytes));
  gauge("tern_frames_inside", "Frames that wait or are worked on", {}, now.frames_inside);
  gauge("tern_pipeline_overhead_ratio", "Executors' processor time outside models, over the time inside them", {},
        now.overhead_share);
  gauge("tern_thermal_telemetry", "1: the temperature is known", {}, now.thermal.is_telemetry_available ? 1 : 0);
  if (now.thermal.is_telemetry_available)
    gauge("tern_temperature_celsius", "Of the hottest sensor", {}, now.thermal.temperature_c);
  gauge("tern_thermal_step", "Step of the thermal ladder in force; 0: the top", {}, now.thermal_step);
  gauge("tern_uptime_seconds", "Since the pipeline was started", {}, now.uptime_s);
  return metrics_.text();
}

}  // namespace tern
