// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "tern/log.h"
#include "tern/status.h"

/// What every kind of plugin has in common: where it lies, how it is opened, and what is compared before it is used.
namespace tern {

/// The absolute folders in $TERN_PLUGIN_PATH where set, else the `tern` folder beside libtern.
[[nodiscard]] std::vector<std::filesystem::path> plugin_folders(Logger& logger);

/// Loads `file` and finds its entry. The library stays loaded until the process ends: runtimes behind it keep threads that
/// survive their objects. BackendError when it does not load; null when it exports no `entry`.
[[nodiscard]] Result<void*> open_plugin(const std::filesystem::path& file, const char* entry);

/// The identity that a plugin states, against this tern's. BackendError names both.
[[nodiscard]] Status check_plugin_identity(std::uint32_t abi, std::uint32_t wanted_abi, const char* tern_version,
                                           const char* compiler);

}  // namespace tern
