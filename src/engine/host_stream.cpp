// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/dev/host_stream.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"

namespace tern::dev {

struct HostEvent::State {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool done = true;
  Status outcome;

  void finish(Status status) {
    {
      const std::lock_guard lock(mutex);
      outcome = std::move(status);
      done = true;
    }
    changed.notify_all();
  }
};

HostEvent::HostEvent() : state_(std::make_shared<State>()) {}
HostEvent::~HostEvent() = default;

bool HostEvent::done() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->done;
}

Status HostEvent::wait(const WaitOptions& options) {
  std::unique_lock lock(state_->mutex);
  const auto is_done = [&] { return state_->done; };
  const bool finished = options.deadline ? state_->changed.wait_until(lock, options.stop, *options.deadline, is_done)
                                         : state_->changed.wait(lock, options.stop, is_done);
  if (finished) return state_->outcome;
  if (options.stop.stop_requested()) return {StatusCode::kCancelled, "stopped while waiting for an inference"};
  return {StatusCode::kTimeout, "the deadline passed while waiting for an inference"};
}

struct HostStream::Impl {
  struct Item {
    Job job = nullptr;
    void* object = nullptr;
    std::shared_ptr<HostEvent::State> event;
  };

  std::mutex mutex;
  std::condition_variable changed;
  std::array<Item, kMaxQueued> ring;
  int first = 0, queued = 0;
  bool running = false, closing = false;
  Status first_failure;
  std::thread worker;  // last: everything it uses must exist before it starts

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return queued > 0 || closing; });
      if (queued == 0) return;
      Item item = std::move(ring[static_cast<std::size_t>(first)]);
      first = (first + 1) % kMaxQueued;
      --queued;
      running = true;
      lock.unlock();
      Status status = item.job(item.object);
      item.event->finish(status);
      item.event.reset();
      lock.lock();
      running = false;
      if (!status.ok() && first_failure.ok()) first_failure = std::move(status);
      changed.notify_all();
    }
  }
};

HostStream::HostStream() : impl_(std::make_unique<Impl>()) {
  impl_->worker = std::thread([impl = impl_.get()] { impl->work(); });
}

HostStream::~HostStream() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closing = true;
  }
  impl_->changed.notify_all();
  impl_->worker.join();
}

Status HostStream::enqueue(Job job, void* object, Event& event) {
  auto* host_event = dynamic_cast<HostEvent*>(&event);
  if (host_event == nullptr)
    return {StatusCode::kInputError,
            "the event belongs to another backend; create it with this engine's create_event()"};
  const std::lock_guard lock(impl_->mutex);
  if (impl_->queued == kMaxQueued) {
    return make_error(StatusCode::kInferenceError, "{} inferences wait on this stream already", kMaxQueued)
        .with_hint("wait for an event before enqueuing more");
  }
  {
    const std::lock_guard event_lock(host_event->state_->mutex);
    if (!host_event->state_->done)
      return {StatusCode::kInputError, "the event is in flight; use one event for each unfinished inference"};
    host_event->state_->done = false;
  }
  impl_->ring[static_cast<std::size_t>((impl_->first + impl_->queued) % kMaxQueued)] = {job, object,
                                                                                        host_event->state_};
  ++impl_->queued;
  impl_->changed.notify_all();
  return {};
}

Status HostStream::synchronize() {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [&] { return impl_->queued == 0 && !impl_->running; });
  return std::exchange(impl_->first_failure, {});
}

}  // namespace tern::dev
