// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "tern/engine.h"

namespace tern::dev {

/// Event for backends that run on the CPU. Work in flight keeps the state alive, so an Event may be destroyed early.
class TERN_API HostEvent final : public Event {
 public:
  HostEvent();
  ~HostEvent() override;
  [[nodiscard]] bool done() const noexcept override;
  [[nodiscard]] Status wait(const WaitOptions& options) override;

 private:
  friend class HostStream;
  struct State;
  std::shared_ptr<State> state_;
};

/// Stream for backends that run on the CPU: one thread that runs jobs in the order of their arrival.
///
/// enqueue() and synchronize() may be called from any thread. The destructor runs what is still queued, then joins.
class TERN_API HostStream final : public Stream {
 public:
  /// A job must not throw. It allocates nothing to be a plain function with its object.
  using Job = Status (*)(void* object) noexcept;
  static constexpr int kMaxQueued = 64;

  HostStream();
  ~HostStream() override;
  HostStream(const HostStream&) = delete;
  HostStream& operator=(const HostStream&) = delete;

  /// Queues job(object) and arms `event`, which must be a HostEvent that is not in flight. InferenceError when
  /// kMaxQueued jobs wait already, or on an event of another backend.
  [[nodiscard]] Status enqueue(Job job, void* object, Event& event);
  [[nodiscard]] Status synchronize() override;
  [[nodiscard]] void* native_handle() const noexcept override { return nullptr; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tern::dev
