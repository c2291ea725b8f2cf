// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <ctime>

#include "base/error.h"
#include "pipeline/guarded.h"
#include "pipeline/pipeline_impl.h"

namespace tern {
namespace {

/// Processor time of this thread.
Nanoseconds thread_time() noexcept {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

}  // namespace

bool Pipeline::Impl::is_drained() const {
  return sources_running_ == 0 && scheduler_->frames_inside() == 0;
}

void Pipeline::Impl::run_executor(std::size_t index) {
  using TimePoint = std::chrono::steady_clock::time_point;
  Lock lock(mutex_);
  for (;;) {
    const Decision decision = scheduler_->decide(static_cast<int>(index), now());
    if (decision.kind == Decision::Kind::kRun) {
      run_batch(index, decision, lock);
      continue;
    }
    collect();  // hopeless frames have ended
    if (is_drained()) break;
    if (decision.kind == Decision::Kind::kWait) {
      work_.wait_until(lock, TimePoint(decision.until));
    } else {
      work_.wait(lock);
    }
  }
  if (--executors_running_ > 0) return;
  for (const auto& sink : sinks_)
    sink->wake.notify_all();
}

void Pipeline::Impl::run_batch(std::size_t index, const Decision& decision, Lock& lock) {
  Executor& executor = *executors_[index];
  ModelRunner& model = *models_[static_cast<std::size_t>(decision.model)];
  executor.items.clear();
  for (const BatchPart& part : decision.parts) {
    for (int i = 0; i < part.items; ++i)
      executor.items.push_back(
          {&pool_->at(static_cast<std::size_t>(part.tag)), static_cast<std::size_t>(part.first_item + i)});
  }
  lend_gpu_frames(model, executor.items);
  if (executors_.size() > 1) work_.notify_one();  // there may be work for another one
  const Nanoseconds began = now();
  const Status status = run_items(index, model, lock);  // the lock is held again
  const Nanoseconds ended = now();
  if (status.ok()) {
    offer_crops(model, decision.parts);
  } else {
    for (const ModelItem& item : executor.items)
      item.record->failure = status.at(spec_.models[static_cast<std::size_t>(decision.model)].name);
  }
  note_batch(executor, model, began, ended, status);
  scheduler_->finish(static_cast<int>(index), ended, status.ok());
  collect();
}

Status Pipeline::Impl::run_items(std::size_t index, ModelRunner& model, Lock& lock) {
  Executor& executor = *executors_[index];
  ModelSlot& slot = *model.slots[index];
  lock.unlock();
  Status status;
  {
    const std::scoped_lock in_use(slot.mutex);
    const Nanoseconds began = now(), busy = thread_time();
    status = guarded([&] {
      upload(model, executor.items);
      return slot.task->run(model.place, executor.items);
    });
    const Nanoseconds took = now() - began, worked = thread_time() - busy;
    lock.lock();
    executor.inside += took;
    executor.call_time += worked;
    if (status.ok()) slot.task->collect(model.place, executor.items);
    const RunInfo& info = slot.task->task().last_run();
    model.backend = info.backend;
    model.precision = info.precision;
    const auto note = [&](LatencyCounts& counts, std::size_t stage, Nanoseconds time) {
      counts.add(time);
      model.stage_histograms[stage]->observe(std::chrono::duration<double>(time).count());
    };
    if (status.ok()) {
      note(model.preprocess, 0, info.times.preprocess);
      note(model.infer, 1, info.times.infer);
      note(model.postprocess, 2, info.times.postprocess);
    }
  }
  executor.thread_time = thread_time();
  return status;
}

void Pipeline::Impl::offer_crops(ModelRunner& model, std::span<const BatchPart> parts) {
  for (const std::size_t cropper : model.croppers) {
    const ModelRunner& of = *models_[cropper];
    for (const BatchPart& part : parts) {
      FrameRecord& record = pool_->at(static_cast<std::size_t>(part.tag));
      ModelResult& result = record.models[cropper];
      plan_crops(record.models[model.place.model].detections, of.crop_rule, record.frame.view, result);
      const int items =
          scheduler_->set_items(part.frame, static_cast<int>(cropper), static_cast<int>(result.crop_count));
      if (result.crop_count == 0) result.is_done = of.is_enabled;  // it has nothing to do
      result.crop_count = static_cast<std::size_t>(items);
    }
  }
}

void Pipeline::Impl::note_batch(Executor& executor, ModelRunner& model, Nanoseconds began, Nanoseconds ended,
                                const Status& status) {
  model.batch_counter->add();
  model.item_counter->add(executor.items.size());
  if (trace_) {
    for (const ModelItem& item : executor.items)
      trace_->record(executor.track, model.trace_name, item.record->sequence, began, ended);
  }
  if (status.ok()) {
    ++model.successes;
    model.failures_in_a_row = 0;
    return;
  }
  ++model.failures;
  if (++model.failures_in_a_row == 1) model.failing_since = ended;
  model.failure = status;
  model.failure_counter->add();
}

}  // namespace tern
