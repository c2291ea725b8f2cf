// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/memory_ledger.h"

#include <map>
#include <mutex>
#include <utility>

#include "base/byte_size.h"
#include "base/error.h"

namespace tern {

struct MemoryLedger::Booking::State {
  mutable std::mutex mutex;
  const std::uint64_t budget, per_engine;
  std::uint64_t resident = 0, next_id = 1;
  std::map<std::uint64_t, Item> items;

  State(std::uint64_t budget_bytes, std::uint64_t per_engine_bytes)
      : budget(budget_bytes), per_engine(per_engine_bytes) {}

  void release(std::uint64_t id) noexcept {
    const std::scoped_lock lock(mutex);
    const auto item = items.find(id);
    if (item == items.end()) return;
    resident -= item->second.bytes;
    items.erase(item);
  }
};

MemoryLedger::Booking::Booking(Booking&& other) noexcept
    : state_(std::move(other.state_)), id_(std::exchange(other.id_, 0)) {}

MemoryLedger::Booking& MemoryLedger::Booking::operator=(Booking&& other) noexcept {
  if (this == &other) return *this;
  if (state_) state_->release(id_);
  state_ = std::move(other.state_);
  id_ = std::exchange(other.id_, 0);
  return *this;
}

MemoryLedger::Booking::~Booking() {
  if (state_) state_->release(id_);
}

std::uint64_t MemoryLedger::Booking::bytes() const noexcept {
  if (!state_) return 0;
  const std::scoped_lock lock(state_->mutex);
  const auto item = state_->items.find(id_);
  return item == state_->items.end() ? 0 : item->second.bytes;
}

void MemoryLedger::Booking::settle(std::uint64_t bytes) noexcept {
  if (!state_) return;
  const std::scoped_lock lock(state_->mutex);
  const auto item = state_->items.find(id_);
  if (item == state_->items.end()) return;
  state_->resident = state_->resident - item->second.bytes + bytes;
  item->second.bytes = bytes;
}

Result<MemoryLedger> MemoryLedger::create(std::uint64_t budget_bytes, std::uint64_t per_engine_bytes) {
  if (budget_bytes == 0) return Status(StatusCode::kConfigError, "a memory budget must be more than 0 bytes");
  return MemoryLedger(std::make_shared<Booking::State>(budget_bytes, per_engine_bytes));
}

Result<MemoryLedger::Booking> MemoryLedger::book(std::string_view name, std::uint64_t bytes) {
  Booking::State& state = *state_;
  const std::scoped_lock lock(state.mutex);
  if (state.per_engine > 0 && bytes > state.per_engine) {
    return make_error(StatusCode::kOutOfMemoryError, "needs {} bytes ({}); a single engine may take {} bytes ({})",
                      bytes, format_byte_size(bytes), state.per_engine, format_byte_size(state.per_engine))
        .at(name)
        .with_hint("raise engine_memory_limit_bytes, or build with smaller profiles");
  }
  if (bytes > state.budget || state.resident > state.budget - bytes) {
    return make_error(StatusCode::kOutOfMemoryError,
                      "needed {} bytes ({}), resident {} bytes ({}), budget {} bytes ({}): it does not fit", bytes,
                      format_byte_size(bytes), state.resident, format_byte_size(state.resident), state.budget,
                      format_byte_size(state.budget))
        .at(name)
        .with_hint("release an engine, raise the budget, or build with smaller profiles");
  }
  Booking booking;
  booking.state_ = state_;
  booking.id_ = state.next_id++;
  state.items.emplace(booking.id_, Item{std::string(name), bytes});
  state.resident += bytes;
  return booking;
}

std::uint64_t MemoryLedger::resident_bytes() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->resident;
}

std::uint64_t MemoryLedger::budget_bytes() const {
  return state_->budget;
}

std::vector<MemoryLedger::Item> MemoryLedger::items() const {
  const std::scoped_lock lock(state_->mutex);
  std::vector<Item> list;
  for (const auto& [id, item] : state_->items)
    list.push_back(item);
  return list;
}

std::uint64_t MemoryLedger::predict(std::uint64_t engine_bytes, std::uint64_t context_bytes, int contexts) noexcept {
  const std::uint64_t each = context_bytes > 0 ? context_bytes : kUnknownContextBytes;
  const auto count = static_cast<std::uint64_t>(contexts > 0 ? contexts : 1);
  // A manifest's number is not to be trusted with an overflow.
  if (each > (UINT64_MAX - engine_bytes) / count) return UINT64_MAX;
  return engine_bytes + each * count;
}

}  // namespace tern
