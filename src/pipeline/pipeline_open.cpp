// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What Pipeline::create() does: models, the scheduler with its measured curves, sources, metrics.
#include <algorithm>
#include <map>
#include <thread>

#include "base/error.h"
#include "pipeline/guarded.h"
#include "pipeline/measure_curve.h"
#include "pipeline/model_places.h"
#include "pipeline/pipeline_impl.h"
#include "tern/runtime.h"

namespace tern {
namespace {

constexpr int kMaxExecutors = 64, kMaxSinkQueue = 1024;
constexpr int kCropSide = 320;  // of the crops that models are measured with

Status check(const PipelineSpec& spec, const std::vector<SourceParts>& sources, const std::vector<SinkParts>& sinks,
             const PipelineOptions& options) {
  if (sources.size() != spec.sources.size())
    return make_error(StatusCode::kConfigError, "{} sources were given for {} of the pipeline", sources.size(),
                      spec.sources.size());
  if (options.executors < 1 || options.executors > kMaxExecutors)
    return make_error(StatusCode::kConfigError, "executors is {}, and must be within 1 and {}", options.executors,
                      kMaxExecutors);
  for (const SourceParts& source : sources) {
    if (!source.open) return {StatusCode::kConfigError, "a source has no way to be opened"};
  }
  for (const SinkParts& sink : sinks) {
    if (sink.sink == nullptr) return make_error(StatusCode::kConfigError, "sink '{}' is null", sink.name);
    if (sink.queue < 1 || sink.queue > kMaxSinkQueue)
      return make_error(StatusCode::kConfigError, "sink '{}': queue is {}, and must be within 1 and {}", sink.name,
                        sink.queue, kMaxSinkQueue);
  }
  return {};
}

/// Sinks of one kind get numbers, so that each has a name of its own.
void name_apart(std::vector<SinkParts>& sinks) {
  std::map<std::string, int> seen;
  for (SinkParts& sink : sinks) {
    if (const int number = ++seen[sink.name]; number > 1) sink.name += fmt::format("_{}", number);
  }
}

}  // namespace

Status Pipeline::Impl::open(std::vector<SourceParts> sources, std::vector<SinkParts> sinks) {
  TERN_RETURN_IF_ERROR(check(spec_, sources, sinks, options_));
  TERN_ASSIGN_OR_RETURN(ThermalGovernor governor, ThermalGovernor::create(spec_.thermal));
  governor_.emplace(std::move(governor));
  for (SourceParts& parts : sources) {
    sources_.push_back(std::make_unique<SourceRunner>());
    sources_.back()->parts = std::move(parts);
    if (sources_.back()->parts.is_live) continue;
    auto opened = guarded([&] { return sources_.back()->parts.open({}); });
    if (!opened.ok()) return opened.status().at(spec_.sources[sources_.size() - 1].name);
    sources_.back()->opened = std::move(*opened);
  }
  name_apart(sinks);
  for (SinkParts& parts : sinks) {
    sinks_.push_back(std::make_unique<SinkRunner>());
    sinks_.back()->ring.resize(static_cast<std::size_t>(parts.queue));
    sinks_.back()->parts = std::move(parts);
  }
  for (int i = 0; i < options_.executors; ++i)
    executors_.push_back(std::make_unique<Executor>());
  TERN_RETURN_IF_ERROR(open_models());
  TERN_RETURN_IF_ERROR(measure_curves());
  TERN_RETURN_IF_ERROR(make_metrics());
  TERN_RETURN_IF_ERROR(make_trace());
  for (const auto& sink : sinks_) {
    const Status status = guarded([&] { return sink->parts.sink->begin(spec_, infos_); });
    if (!status.ok()) return status.at(fmt::format("sink {}", sink->parts.name));
  }
  return {};
}

Status Pipeline::Impl::open_models() {
  if (options_.task.runtime == nullptr) {
    RuntimeOptions own;
    TERN_ASSIGN_OR_RETURN(own.config, RuntimeConfig::resolve());
    own.logger = options_.task.logger;
    TERN_ASSIGN_OR_RETURN(InferenceRuntime runtime, InferenceRuntime::create(std::move(own)));
    options_.task.runtime = std::make_shared<InferenceRuntime>(std::move(runtime));
  }
  std::vector<const Contract*> contracts;
  for (std::size_t i = 0; i < spec_.models.size(); ++i) {
    models_.push_back(std::make_unique<ModelRunner>());
    if (const Status status = open_model(i); !status.ok())
      return status.at(fmt::format("model '{}'", spec_.models[i].name));
    const Contract& contract = models_[i]->slots.front()->task->task().contract();
    contracts.push_back(&contract);
    infos_.push_back({spec_.models[i].name, contract.task, contract.output.names});
  }
  TERN_ASSIGN_OR_RETURN(std::vector<PlacedModel> placed, place_models(spec_, contracts));
  for (std::size_t i = 0; i < models_.size(); ++i) {
    models_[i]->place = std::move(placed[i].place);
    models_[i]->crop_rule = std::move(placed[i].crop_rule);
    models_[i]->croppers = std::move(placed[i].croppers);
  }
  return {};
}

Status Pipeline::Impl::open_model(std::size_t index) {
  const PipelineSpec::Model& model = spec_.models[index];
  ModelRunner& runner = *models_[index];
  runner.file = options_.folder / model.file;
  runner.options = options_.task;
  if (model.precision != Precision::kAuto) runner.options.precision = model.precision;
  if (model.max_batch > 0) runner.options.max_batch = model.max_batch;
  // TensorRT's threads are those of the build, and part of what an engine is found by.
  if (runner.options.threads == 0 && options_.executors > 1 && runner.options.backend != "tensorrt")
    runner.options.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / options_.executors);
  const auto contract = guarded([&] { return ModelTask::contract_of(runner.file, runner.options); });
  if (!contract.ok()) return contract.status();
  for (int i = 0; i < options_.executors; ++i) {
    TERN_ASSIGN_OR_RETURN(std::unique_ptr<ModelTask> task,
                          open_task(runner, contract->task, runner.options.allow_build));
    runner.slots.push_back(std::make_unique<ModelSlot>());
    runner.slots.back()->task = std::move(task);
  }
  describe(runner);
  return {};
}

Result<std::unique_ptr<ModelTask>> Pipeline::Impl::open_task(const ModelRunner& runner, Task kind,
                                                             bool allow_build) const {
  TaskOptions options = runner.options;
  options.allow_build = allow_build && options.allow_build;
  return guarded([&] { return ModelTask::open(runner.file, kind, options); });
}

void Pipeline::Impl::describe(ModelRunner& runner) const {
  const Engine& engine = runner.slots.front()->task->task().engine();
  runner.backend = engine.backend();
  runner.precision = to_string(engine.precision());
  runner.engine_id = engine.id();
}

Status Pipeline::Impl::measure_curves() {
  std::vector<LatencyCurve> curves;
  for (std::size_t i = 0; i < models_.size(); ++i) {
    ModelTask& task = *models_[i]->slots.front()->task;
    const bool works_on_crops = models_[i]->place.works_on_crops;
    const auto curve = guarded([&] {
      return measure_curve(task, task.task().contract().input.mask_channel,
                           works_on_crops ? kCropSide : options_.measure_width,
                           works_on_crops ? kCropSide : options_.measure_height, task.task().batch());
    });
    if (!curve.ok()) return curve.status().at(fmt::format("model '{}'", spec_.models[i].name));
    curves.push_back(*curve);
    log(LogLevel::kInfo,
        fmt::format("model {}: {} {}, {:.2f} ms alone, {:.2f} ms for {} together", spec_.models[i].name,
                    models_[i]->backend, models_[i]->precision,
                    std::chrono::duration<double, std::milli>(curve->expected(1)).count(),
                    std::chrono::duration<double, std::milli>(curve->expected(curve->max_batch())).count(),
                    curve->max_batch()));
  }
  PipelineSpec fitted = spec_;
  for (std::size_t i = 0; i < models_.size(); ++i)  // a model of a fixed batch may take fewer than the file says
    fitted.models[i].max_batch = std::min(fitted.models[i].max_batch, curves[i].max_batch());
  TERN_ASSIGN_OR_RETURN(const SchedulerConfig config, fitted.scheduler_config(curves, options_.executors));
  TERN_ASSIGN_OR_RETURN(Scheduler scheduler, Scheduler::create(config));
  scheduler_.emplace(std::move(scheduler));
  apply_step();
  std::size_t records = static_cast<std::size_t>(scheduler_->max_frames_inside()) + sources_.size();
  for (const auto& sink : sinks_)
    records += sink->ring.size() + 1;
  pool_.emplace(records, models_.size());
  find_gpu_models();
  gpu_frames_.reserve(records);  // no more can ever be there
  return {};
}

Status Pipeline::Impl::make_metrics() {
  for (std::size_t i = 0; i < sources_.size(); ++i)
    TERN_RETURN_IF_ERROR(make_source_metrics(i));
  for (std::size_t i = 0; i < models_.size(); ++i)
    TERN_RETURN_IF_ERROR(make_model_metrics(i));
  for (std::size_t i = 0; i < sinks_.size(); ++i)
    TERN_RETURN_IF_ERROR(make_sink_metrics(i));
  return {};
}

Status Pipeline::Impl::make_source_metrics(std::size_t index) {
  SourceRunner& source = *sources_[index];
  const MetricRegistry::Labels labels{{"source", spec_.sources[index].name}};
  TERN_ASSIGN_OR_RETURN(source.frame_counter,
                        metrics_.counter("tern_source_frames_total", "Frames that a source gave", labels));
  TERN_ASSIGN_OR_RETURN(
      source.reconnect_counter,
      metrics_.counter("tern_source_reconnects_total", "Times that a live source was opened again", labels));
  TERN_ASSIGN_OR_RETURN(
      source.age_histogram,
      metrics_.histogram("tern_result_age_seconds", "From the capture of a frame until its last model was done",
                         latency_bounds(), labels));
  for (std::size_t end = 0; end < kFrameEnds; ++end) {
    TERN_ASSIGN_OR_RETURN(
        source.end_counters[end],
        metrics_.counter("tern_frames_ended_total", "Frames by how they left the pipeline",
                         {labels.front(), {"end", std::string(to_string(static_cast<FrameEnd>(end)))}}));
  }
  return {};
}

Status Pipeline::Impl::make_model_metrics(std::size_t index) {
  ModelRunner& model = *models_[index];
  const MetricRegistry::Labels labels{{"model", spec_.models[index].name}};
  TERN_ASSIGN_OR_RETURN(model.batch_counter,
                        metrics_.counter("tern_model_batches_total", "Batches that a model ran", labels));
  TERN_ASSIGN_OR_RETURN(model.item_counter,
                        metrics_.counter("tern_model_items_total", "Frames or crops that a model ran on", labels));
  TERN_ASSIGN_OR_RETURN(model.failure_counter,
                        metrics_.counter("tern_model_failures_total", "Batches that failed", labels));
  constexpr std::array<const char*, 3> kStages{"preprocess", "infer", "postprocess"};
  for (std::size_t stage = 0; stage < kStages.size(); ++stage) {
    TERN_ASSIGN_OR_RETURN(model.stage_histograms[stage],
                          metrics_.histogram("tern_model_stage_seconds", "Time of a batch by stage", latency_bounds(),
                                             {labels.front(), {"stage", kStages[stage]}}));
  }
  return {};
}

Status Pipeline::Impl::make_sink_metrics(std::size_t index) {
  SinkRunner& sink = *sinks_[index];
  const MetricRegistry::Labels labels{{"sink", sink.parts.name}};
  TERN_ASSIGN_OR_RETURN(sink.written_counter,
                        metrics_.counter("tern_sink_results_total", "Results that a sink took", labels));
  TERN_ASSIGN_OR_RETURN(sink.missed_counter,
                        metrics_.counter("tern_sink_missed_total", "Results that a sink was too slow for", labels));
  return {};
}

Status Pipeline::Impl::make_trace() {
  if (options_.trace_spans == 0) return {};
  TERN_ASSIGN_OR_RETURN(TraceRecorder recorder, TraceRecorder::create(options_.trace_spans));
  trace_.emplace(std::move(recorder));
  TERN_ASSIGN_OR_RETURN(trace_source_, trace_->add_name("source"));
  TERN_ASSIGN_OR_RETURN(trace_sink_, trace_->add_name("sink"));
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    TERN_ASSIGN_OR_RETURN(sources_[i]->track, trace_->add_track("source " + spec_.sources[i].name));
  }
  for (std::size_t i = 0; i < executors_.size(); ++i) {
    TERN_ASSIGN_OR_RETURN(executors_[i]->track, trace_->add_track(fmt::format("executor {}", i)));
  }
  for (std::size_t i = 0; i < models_.size(); ++i) {
    TERN_ASSIGN_OR_RETURN(models_[i]->trace_name, trace_->add_name(spec_.models[i].name));
  }
  for (const auto& sink : sinks_) {
    TERN_ASSIGN_OR_RETURN(sink->track, trace_->add_track("sink " + sink->parts.name));
  }
  return {};
}

}  // namespace tern
