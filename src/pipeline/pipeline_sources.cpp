// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "base/interruptible_sleep.h"
#include "pipeline/guarded.h"
#include "pipeline/pipeline_impl.h"

namespace tern {
namespace {

constexpr Nanoseconds kFirstDelay = std::chrono::milliseconds(500), kLongestDelay = std::chrono::seconds(30);
constexpr std::size_t kNoRecord = static_cast<std::size_t>(-1);

}  // namespace

void Pipeline::Impl::note_source(std::size_t index, SourceState state, const Status& why) {
  SourceRunner& source = *sources_[index];
  {
    const Lock lock(mutex_);
    source.state = state;
    source.message = why.ok() ? "" : why.to_string();
    if (state == SourceState::kFailed) source.failure = why.at(spec_.sources[index].name);
  }
  if (!why.ok())
    log(state == SourceState::kFailed ? LogLevel::kError : LogLevel::kWarning,
        fmt::format("source {}: {}", spec_.sources[index].name, why.to_string()));
}

/// Opens the source, reads it, and, where it is live, opens it again whatever happens.
void Pipeline::Impl::run_source(std::size_t index) {
  SourceRunner& source = *sources_[index];
  const std::stop_token stop = sources_stop_.get_token();
  std::unique_ptr<FrameSource> opened = std::move(source.opened);
  Nanoseconds delay = kFirstDelay;
  InterruptibleSleep sleep;
  while (!stop.stop_requested()) {
    Status status;
    if (opened == nullptr) {
      auto made = guarded([&] { return source.parts.open(stop); });
      status = made.status();
      if (made.ok()) opened = std::move(*made);
    }
    if (opened != nullptr) {
      const std::uint64_t before = source.frames;  // written by this thread alone
      status = read_frames(index, *opened, stop).status();
      opened.reset();
      if (source.frames > before) delay = kFirstDelay;
    }
    if (stop.stop_requested()) break;
    if (!source.parts.is_live) {
      if (!status.ok()) note_source(index, SourceState::kFailed, status);
      break;
    }
    note_source(index, SourceState::kReconnecting,
                status.ok() ? Status(StatusCode::kInputError, "gives no more frames") : status);
    sleep.lasting(delay, stop);
    delay = std::min(delay * 2, kLongestDelay);
    const Lock lock(mutex_);
    ++source.reconnects;
    source.reconnect_counter->add();
  }
  const Lock lock(mutex_);
  if (source.state != SourceState::kFailed) source.state = SourceState::kEnded;
  --sources_running_;
  work_.notify_all();
}

/// Frames until the end (false) or a failure.
Result<bool> Pipeline::Impl::read_frames(std::size_t index, FrameSource& source, std::stop_token stop) {
  SourceRunner& runner = *sources_[index];
  std::size_t record = kNoRecord;
  Result<bool> more = true;
  while (!stop.stop_requested()) {
    Lock lock(mutex_);
    if (record == kNoRecord) record = pool_->acquire();
    lock.unlock();
    FrameRecord& of = pool_->at(record);
    RecordPool::clear(of);
    of.frame.captured = {};
    of.frame.time_s.reset();
    of.frame.file.clear();
    const Nanoseconds began = now();
    more = guarded([&]() -> Result<bool> {
      TERN_ASSIGN_OR_RETURN(const bool has_frame, source.next(of.frame, stop));
      if (has_frame) TERN_RETURN_IF_ERROR(of.frame.view.validate());
      return has_frame;
    });
    if (!more.ok() || !*more) break;
    if (trace_) trace_->record(runner.track, trace_source_, runner.frames, began, now());
    lock.lock();
    if (!submit(index, record, lock, stop)) break;
  }
  if (record != kNoRecord) {
    const Lock lock(mutex_);
    pool_->release(record);
  }
  return more;
}

/// False where the source was stopped while the frame waited for a place. `record` is kNoRecord once the scheduler has it.
bool Pipeline::Impl::submit(std::size_t index, std::size_t& record, Lock& lock, std::stop_token stop) {
  SourceRunner& runner = *sources_[index];
  FrameRecord& of = pool_->at(record);
  const int source = static_cast<int>(index);
  if (!spec_.sources[index].newest_wins && !room_.wait(lock, stop, [&] { return scheduler_->has_room(source); }))
    return false;
  runner.state = SourceState::kRunning;
  runner.message.clear();
  runner.width = of.frame.view.width;
  runner.height = of.frame.view.height;
  const Nanoseconds time = now();
  runner.rate.add(time);
  runner.frame_counter->add();
  of.source = source;
  of.sequence = runner.frames++;
  const Nanoseconds captured = of.frame.captured > Nanoseconds(0) ? of.frame.captured : time;
  const Offer offer = scheduler_->offer(source, captured, record, time);
  if (offer.is_accepted) {
    record = kNoRecord;
  } else {
    ++runner.ends[static_cast<std::size_t>(offer.refused)];
    runner.end_counters[static_cast<std::size_t>(offer.refused)]->add();
    of.frame.pixels.reset();
  }
  collect();  // the frame before it may have been superseded
  work_.notify_one();
  return true;
}

}  // namespace tern
