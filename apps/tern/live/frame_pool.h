// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tern {

/// Buffers of one size that frames take turns in. Once each has been taken, nothing is allocated any more. One thread takes; any may let go.
/// What was taken stays valid without the pool's owner.
class FramePool {
 public:
  /// REQUIRES: bytes > 0, count > 0.
  FramePool(std::size_t bytes, std::size_t count);
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  ~FramePool() = default;

  /// A buffer that nobody has; null while all are in use.
  [[nodiscard]] std::shared_ptr<std::uint8_t> take();

 private:
  struct Slot;
  struct Slots;
  template <typename T>
  class ControlBlock;
  std::shared_ptr<Slots> slots_;
};

}  // namespace tern
