// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "pipeline/guarded.h"
#include "pipeline/pipeline_impl.h"

namespace tern {
namespace {

constexpr bool has_results(FrameEnd end) noexcept {
  return end == FrameEnd::kDelivered || end == FrameEnd::kLate || end == FrameEnd::kFailed;
}

}  // namespace

bool Pipeline::Impl::can_settle() const {
  return std::ranges::none_of(
      sinks_, [](const auto& sink) { return sink->parts.is_lossless && sink->failure.ok() && sink->is_full(); });
}

void Pipeline::Impl::collect() {
  bool has_freed = false;
  while (can_settle()) {
    const std::optional<EndedFrame> ended = scheduler_->next_ended();
    if (!ended) break;
    settle(*ended);
    has_freed = true;
  }
  if (!has_freed) return;
  room_.notify_all();
  if (sources_running_ == 0) work_.notify_all();  // it may have been the last
}

void Pipeline::Impl::settle(const EndedFrame& ended) {
  const auto index = static_cast<std::size_t>(ended.tag);
  FrameRecord& record = pool_->at(index);
  SourceRunner& source = *sources_[static_cast<std::size_t>(ended.source)];
  const auto end = static_cast<std::size_t>(ended.end);
  take_back_gpu_frame(record);
  ++source.ends[end];
  source.end_counters[end]->add();
  if (ended.end == FrameEnd::kDelivered || ended.end == FrameEnd::kLate) {
    source.age.add(ended.ended - ended.captured);
    source.age_histogram->observe(std::chrono::duration<double>(ended.ended - ended.captured).count());
  }
  if (has_results(ended.end)) {
    record.end = ended.end;
    record.captured = ended.captured;
    record.deadline = ended.deadline;
    record.ended = ended.ended;
    for (const auto& sink : sinks_) {
      if (!sink->failure.ok()) continue;
      if (sink->is_full()) {
        ++sink->missed;
        sink->missed_counter->add();
        continue;
      }
      sink->ring[(sink->first + sink->waiting++) % sink->ring.size()] = index;
      ++record.holders;
      sink->wake.notify_one();
    }
  }
  pool_->release(index);
}

void Pipeline::Impl::run_sink(std::size_t index) {
  SinkRunner& sink = *sinks_[index];
  Lock lock(mutex_);
  for (;;) {
    sink.wake.wait(lock, [&] { return sink.waiting > 0 || executors_running_ == 0; });
    if (sink.waiting == 0) break;
    const std::size_t record = sink.ring[sink.first];
    sink.first = (sink.first + 1) % sink.ring.size();
    --sink.waiting;
    const bool is_wanted = sink.failure.ok();
    collect();  // there is room now
    if (is_wanted) {
      lock.unlock();
      const Nanoseconds began = now();
      const Status status = guarded([&] { return sink.parts.sink->write(pool_->at(record)); });
      const Nanoseconds ended = now();
      if (trace_) trace_->record(sink.track, trace_sink_, pool_->at(record).sequence, began, ended);
      if (!status.ok()) log(LogLevel::kError, fmt::format("sink {}: {}", sink.parts.name, status.to_string()));
      lock.lock();
      sink.write.add(ended - began);
      if (status.ok()) {
        ++sink.written;
        sink.written_counter->add();
      } else {
        sink.failure = status;
      }
    }
    pool_->release(record);
    collect();  // a sink that failed holds nothing up any more
  }
  lock.unlock();
  const Status finished = guarded([&] { return sink.parts.sink->finish(); });
  if (!finished.ok()) log(LogLevel::kError, fmt::format("sink {}: {}", sink.parts.name, finished.to_string()));
  lock.lock();
  if (sink.failure.ok()) sink.failure = finished;
}

}  // namespace tern
