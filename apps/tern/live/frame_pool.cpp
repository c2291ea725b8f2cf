// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/frame_pool.h"

#include <array>
#include <atomic>
#include <utility>
#include <vector>

namespace tern {

struct FramePool::Slot {
  static constexpr std::size_t kControlBytes = 128;
  std::unique_ptr<std::uint8_t[]> bytes;
  std::atomic<bool> is_free{true};
  alignas(std::max_align_t) std::array<std::byte, kControlBytes> control{};  // of the std::shared_ptr in use
};

struct FramePool::Slots {
  Slots(std::size_t size, std::size_t count) : bytes(size), slots(count) {}
  std::size_t bytes;
  std::vector<Slot> slots;
};

// Puts a std::shared_ptr's control block into the slot that it stands for. The slot is free when the block has gone, which is the last
// thing to happen.
template <typename T>
class FramePool::ControlBlock {
 public:
  using value_type = T;
  ControlBlock(std::shared_ptr<Slots> owner, Slot& slot) noexcept : owner_(std::move(owner)), slot_(&slot) {}
  template <typename U>
  ControlBlock(const ControlBlock<U>& other) noexcept  // NOLINT(google-explicit-constructor): what allocators are
      : owner_(other.owner_), slot_(other.slot_) {}

  [[nodiscard]] T* allocate(std::size_t) noexcept {
    static_assert(sizeof(T) <= Slot::kControlBytes && alignof(T) <= alignof(std::max_align_t));
    return reinterpret_cast<T*>(slot_->control.data());
  }
  void deallocate(T*, std::size_t) noexcept { slot_->is_free.store(true, std::memory_order_release); }
  template <typename U>
  bool operator==(const ControlBlock<U>& other) const noexcept {
    return slot_ == other.slot_;
  }

 private:
  template <typename>
  friend class ControlBlock;
  std::shared_ptr<Slots> owner_;
  Slot* slot_;
};

FramePool::FramePool(std::size_t bytes, std::size_t count) : slots_(std::make_shared<Slots>(bytes, count)) {}

std::shared_ptr<std::uint8_t> FramePool::take() {
  for (Slot& slot : slots_->slots) {
    if (!slot.is_free.load(std::memory_order_acquire)) continue;
    if (!slot.bytes) slot.bytes = std::make_unique<std::uint8_t[]>(slots_->bytes);
    slot.is_free.store(false, std::memory_order_relaxed);
    return {slot.bytes.get(), [](std::uint8_t*) noexcept {}, ControlBlock<std::byte>(slots_, slot)};
  }
  return nullptr;
}

}  // namespace tern
