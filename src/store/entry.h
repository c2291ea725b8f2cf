// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "tern/manifest.h"
#include "tern/status.h"
#include "tern/store.h"

namespace tern {

/// The name of a key's folder in a store: the first 16 hex digits of its hash.
constexpr std::size_t kFolderDigits = 16;
[[nodiscard]] std::string folder_name(const EngineKey& key);
[[nodiscard]] bool is_folder_name(std::string_view name) noexcept;

/// The one engine of a folder. None when it has none, or there is no such folder; IoError when it has two.
[[nodiscard]] Result<std::optional<EngineEntry>> entry_in(const std::filesystem::path& folder);
/// The key that an entry's manifest states, with nothing else of the entry checked.
[[nodiscard]] Result<EngineKey> key_of(const EngineEntry& entry);
/// ConfigError when the name is no engine's, or the engine, the manifest or the sidecar has no bytes.
[[nodiscard]] Status check_files(const EngineFiles& files);

}  // namespace tern
