// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/pipeline.h"

#include <algorithm>

#include "base/error.h"
#include "pipeline/guarded.h"
#include "pipeline/pipeline_impl.h"

namespace tern {

void Pipeline::Impl::log(LogLevel level, const std::string& text) const {
  if (options_.task.logger->level() >= level) options_.task.logger->log(level, "pipeline", text);
}

void Pipeline::Impl::start() {
  const Lock lock(mutex_);
  if (is_started_) return;
  is_started_ = true;
  started_ = now();
  sources_running_ = sources_.size();
  executors_running_ = executors_.size();
  for (std::size_t i = 0; i < sinks_.size(); ++i)
    sinks_[i]->thread = std::thread([this, i] { run_sink(i); });
  for (std::size_t i = 0; i < executors_.size(); ++i)
    executors_[i]->thread = std::thread([this, i] { run_executor(i); });
  for (std::size_t i = 0; i < sources_.size(); ++i)
    sources_[i]->thread = std::thread([this, i] { run_source(i); });
  watch_ = std::jthread([this](const std::stop_token& token) { run_watch(token); });
}

void Pipeline::Impl::drain() {
  sources_stop_.request_stop();
}

void Pipeline::Impl::stop() {
  drain();
  {
    const Lock lock(mutex_);
    if (scheduler_) {
      for (std::size_t i = 0; i < sources_.size(); ++i)
        scheduler_->stop_source(static_cast<int>(i), now());
    }
    if (is_started_) collect();
    work_.notify_all();
  }
  join();
}

/// Each kind of thread ends when the one before it has.
void Pipeline::Impl::join() {
  const std::scoped_lock once(join_mutex_);
  const auto join_all = [](auto& runners) {
    for (const auto& runner : runners) {
      if (runner->thread.joinable()) runner->thread.join();
    }
  };
  join_all(sources_);
  join_all(executors_);
  join_all(sinks_);
  watch_.request_stop();
  if (watch_.joinable()) watch_.join();
}

Status Pipeline::Impl::wait(std::stop_token stop) {
  const std::stop_callback on_stop(stop, [this] { drain(); });
  join();
  const Lock lock(mutex_);
  return failure();
}

Status Pipeline::Impl::failure() const {
  TERN_RETURN_IF_ERROR(given_up_);
  for (const auto& source : sources_)
    TERN_RETURN_IF_ERROR(source->failure);
  for (const auto& sink : sinks_) {
    if (!sink->failure.ok()) return sink->failure.at(fmt::format("sink {}", sink->parts.name));
  }
  for (std::size_t i = 0; i < models_.size(); ++i) {
    if (models_[i]->failures > 0 && models_[i]->successes == 0)
      return models_[i]->failure.at(fmt::format("model '{}'", spec_.models[i].name));
  }
  return {};
}

Status Pipeline::Impl::reload(std::string_view name, bool allow_build) {
  const auto found = std::ranges::find(spec_.models, name, &PipelineSpec::Model::name);
  if (found == spec_.models.end()) return make_error(StatusCode::kConfigError, "the pipeline has no model '{}'", name);
  const std::scoped_lock one_at_a_time(reload_mutex_);
  ModelRunner& model = *models_[static_cast<std::size_t>(found - spec_.models.begin())];
  const PipelineModelInfo& info = infos_[static_cast<std::size_t>(found - spec_.models.begin())];
  const auto contract = guarded([&] { return ModelTask::contract_of(model.file, model.options); });
  if (!contract.ok()) return contract.status();
  if (contract->task != info.task || contract->output.names != info.classes)
    return make_error(StatusCode::kConfigError,
                      "the file is of another task or other classes now; the pipeline runs on with the old model")
        .at(model.file.string());
  if (contract->input.mask_channel != (model.place.mask_model >= 0))
    return make_error(StatusCode::kConfigError, "the file takes a region mask now, or takes none any more")
        .at(model.file.string());
  std::vector<std::unique_ptr<ModelTask>> tasks;
  while (tasks.size() < model.slots.size()) {
    TERN_ASSIGN_OR_RETURN(std::unique_ptr<ModelTask> task, open_task(model, info.task, allow_build));
    tasks.push_back(std::move(task));
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::scoped_lock between_batches(model.slots[i]->mutex);
    std::swap(model.slots[i]->task, tasks[i]);
  }
  {
    const std::scoped_lock in_use(model.slots.front()->mutex);
    const Lock lock(mutex_);
    describe(model);
    ++model.reloads;
  }
  log(LogLevel::kInfo, fmt::format("model {}: opened anew from {}", name, model.file.string()));
  return {};
}

Pipeline::Pipeline(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Pipeline::~Pipeline() {
  stop();
}

Result<std::unique_ptr<Pipeline>> Pipeline::create(const PipelineSpec& spec, std::vector<SourceParts> sources,
                                                   std::vector<SinkParts> sinks, const PipelineOptions& options) {
  auto impl = std::make_unique<Impl>(spec, options);
  TERN_RETURN_IF_ERROR(impl->open(std::move(sources), std::move(sinks)));
  return std::unique_ptr<Pipeline>(new Pipeline(std::move(impl)));
}

void Pipeline::start() {
  impl_->start();
}
Status Pipeline::wait(std::stop_token stop) {
  return impl_->wait(std::move(stop));
}
void Pipeline::drain() {
  impl_->drain();
}
void Pipeline::stop() {
  impl_->stop();
}
Status Pipeline::reload(std::string_view model) {
  return impl_->reload(model, true);
}
const PipelineSpec& Pipeline::spec() const noexcept {
  return impl_->spec();
}
const std::vector<PipelineModelInfo>& Pipeline::models() const noexcept {
  return impl_->infos();
}
PipelineSnapshot Pipeline::snapshot() const {
  return impl_->snapshot();
}
MetricRegistry& Pipeline::metrics() noexcept {
  return impl_->metrics();
}
std::string Pipeline::metrics_text() {
  return impl_->metrics_text();
}
Result<std::string> Pipeline::trace_json() const {
  if (!impl_->trace()) return Status(StatusCode::kConfigError, "the pipeline records no trace");
  return impl_->trace()->to_json();
}

}  // namespace tern
