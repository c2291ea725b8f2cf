// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace tern {

/// Counts the bytes that loaded engines take and refuses what would pass the budget, before anything is allocated.
/// Thread-safe.
class TERN_API MemoryLedger {
 public:
  /// Bytes booked under one name; given back when destroyed. Movable; may outlive the ledger.
  class TERN_API Booking {
   public:
    Booking() noexcept = default;
    Booking(Booking&& other) noexcept;
    Booking& operator=(Booking&& other) noexcept;
    ~Booking();
    [[nodiscard]] std::uint64_t bytes() const noexcept;
    /// Books what was measured instead of what was predicted. Never refused: the bytes are taken already.
    void settle(std::uint64_t bytes) noexcept;

   private:
    friend class MemoryLedger;
    struct State;
    std::shared_ptr<State> state_;
    std::uint64_t id_ = 0;
  };

  struct Item {
    std::string name;
    std::uint64_t bytes = 0;
  };

  /// ConfigError when `budget_bytes` is 0. `per_engine_bytes`: limit of a single engine; 0: none.
  [[nodiscard]] static Result<MemoryLedger> create(std::uint64_t budget_bytes, std::uint64_t per_engine_bytes = 0);

  /// OutOfMemoryError, with needed, resident, budget and `name`, when it does not fit; nothing changes then.
  [[nodiscard]] Result<Booking> book(std::string_view name, std::uint64_t bytes);
  [[nodiscard]] std::uint64_t resident_bytes() const;
  [[nodiscard]] std::uint64_t budget_bytes() const;
  [[nodiscard]] std::vector<Item> items() const;

  /// What an engine is expected to take: its file and one context's buffers (kUnknownContextBytes where the manifest has
  /// none) for each context.
  static constexpr std::uint64_t kUnknownContextBytes = std::uint64_t{256} << 20;
  [[nodiscard]] static std::uint64_t predict(std::uint64_t engine_bytes, std::uint64_t context_bytes,
                                             int contexts) noexcept;

 private:
  explicit MemoryLedger(std::shared_ptr<Booking::State> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<Booking::State> state_;
};

}  // namespace tern
