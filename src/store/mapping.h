// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "store/files.h"
#include "tern/status.h"

namespace tern {

/// Read-only memory with the bytes of a file.
struct Mapping {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  ///< unmaps
};

/// Maps the file itself. Whoever may write the file can still change or cut it; a cut ends the process with SIGBUS.
/// REQUIRES: not empty.
[[nodiscard]] Result<Mapping> map_file(const RegularFile& file);
/// Copies the file into memory of its own that can no longer be written or cut (a sealed memfd). REQUIRES: not empty.
[[nodiscard]] Result<Mapping> map_sealed_copy(const RegularFile& file);

}  // namespace tern
