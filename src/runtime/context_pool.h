// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "tern/engine.h"

namespace tern {

/// The contexts of one engine, handed to one inference at a time. Thread-safe.
class ContextPool {
 public:
  /// A borrowed context; given back when destroyed. Must not outlive the pool.
  class Lease {
   public:
    Lease(ContextPool& pool, std::unique_ptr<ExecutionContext> context) noexcept;
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    [[nodiscard]] ExecutionContext& operator*() const noexcept { return *context_; }
    [[nodiscard]] ExecutionContext* operator->() const noexcept { return context_.get(); }

   private:
    ContextPool* pool_;
    std::unique_ptr<ExecutionContext> context_;
  };

  /// Makes all contexts at once, so that a lack of memory shows when the engine is loaded, not in the middle of a stream.
  [[nodiscard]] static Result<std::unique_ptr<ContextPool>> create(Engine& engine, int contexts);
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Waits for a free context. Timeout or Cancelled when the wait ended first.
  [[nodiscard]] Result<Lease> acquire(const WaitOptions& wait);
  /// Waits until every context is back.
  void drain() noexcept;

 private:
  void give_back(std::unique_ptr<ExecutionContext> context) noexcept;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::unique_ptr<ExecutionContext>> idle_;
  std::size_t size_ = 0;
};

}  // namespace tern
