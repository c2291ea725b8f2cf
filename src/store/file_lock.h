// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "store/files.h"
#include "tern/engine.h"
#include "tern/status.h"
#include "tern/store.h"

namespace tern {

/// flock(2) on a file of its own. The kernel lets go of it when the process dies, however that happens. The file stays: to
/// remove it would let two processes hold "the lock" on two files of one name.
class FileLock final : public EngineStore::Lock {
 public:
  /// Null when another descriptor (of this process or another) holds it. The folder must exist.
  [[nodiscard]] static Result<std::unique_ptr<FileLock>> try_lock(const std::filesystem::path& path);
  /// Tries every 20 ms until it has the lock. Timeout or Cancelled when `wait` ends first; tries once in any case, unless a
  /// stop was asked for already. `on_wait` (may be empty) is called once, when the lock is not free at once.
  [[nodiscard]] static Result<std::unique_ptr<FileLock>> lock(const std::filesystem::path& path,
                                                              const WaitOptions& wait,
                                                              const std::function<void()>& on_wait);

  explicit FileLock(Descriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

}  // namespace tern
