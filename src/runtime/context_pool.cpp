// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/context_pool.h"

namespace tern {

ContextPool::Lease::Lease(ContextPool& pool, std::unique_ptr<ExecutionContext> context) noexcept
    : pool_(&pool), context_(std::move(context)) {}

ContextPool::Lease::~Lease() {
  if (context_ != nullptr) pool_->give_back(std::move(context_));
}

Result<std::unique_ptr<ContextPool>> ContextPool::create(Engine& engine, int contexts) {
  auto pool = std::make_unique<ContextPool>();
  pool->size_ = static_cast<std::size_t>(contexts);
  pool->idle_.reserve(pool->size_);  // so that give_back() never allocates
  for (int i = 0; i < contexts; ++i) {
    TERN_ASSIGN_OR_RETURN(std::unique_ptr<ExecutionContext> context, engine.create_context());
    pool->idle_.push_back(std::move(context));
  }
  return pool;
}

Result<ContextPool::Lease> ContextPool::acquire(const WaitOptions& wait) {
  std::unique_lock lock(mutex_);
  const auto is_free = [this] { return !idle_.empty(); };
  const bool got = wait.deadline ? changed_.wait_until(lock, wait.stop, *wait.deadline, is_free)
                                 : changed_.wait(lock, wait.stop, is_free);
  if (!got) {
    if (wait.stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped while waiting for a free context");
    return Status(StatusCode::kTimeout, "the deadline passed while waiting for a free context")
        .with_hint("load the engine with more contexts");
  }
  std::unique_ptr<ExecutionContext> context = std::move(idle_.back());
  idle_.pop_back();
  return Lease(*this, std::move(context));
}

void ContextPool::drain() noexcept {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return idle_.size() == size_; });
}

void ContextPool::give_back(std::unique_ptr<ExecutionContext> context) noexcept {
  // Notified under the lock: a drained pool may be destroyed as soon as the lock is free.
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(context));
  changed_.notify_all();
}

}  // namespace tern
