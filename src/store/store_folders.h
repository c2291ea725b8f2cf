// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "tern/log.h"
#include "tern/status.h"
#include "tern/store.h"

namespace tern {

// What lies in a store beside its entries:
//   ROOT/locks/<16 hex>.lock          one for each key that was ever built
//   ROOT/quarantine/<16 hex>-<n>/     entries that were refused, with a file REASON
//   ROOT/.tmp-<16 hex>-<random>/      entries on their way in or out (staging.h)
constexpr std::string_view kLocksFolder = "locks";
constexpr std::string_view kQuarantineFolder = "quarantine";
constexpr mode_t kPrivateFolder = 0700;

[[nodiscard]] std::filesystem::path lock_path(const std::filesystem::path& root, std::string_view folder_name);

/// Moves an entry's folder to the quarantine and writes the reason. Success when it is gone already.
[[nodiscard]] Status quarantine_folder(const std::filesystem::path& root, const std::filesystem::path& folder,
                                       std::string_view engine, const Status& reason, Logger& logger);

/// All entries, the most recently used first.
[[nodiscard]] Result<std::vector<DirectoryStore::Usage>> usage_of(const std::filesystem::path& root);
/// Removes the least recently used entries until at most `max_bytes` are left, and what killed builds left. Leaves alone
/// what is locked, and the entry in the folder `keep` (may be empty). Returns what was removed.
[[nodiscard]] Result<std::vector<DirectoryStore::Usage>> prune_store(const std::filesystem::path& root,
                                                                     std::uint64_t max_bytes, std::string_view keep,
                                                                     Logger& logger);

}  // namespace tern
