// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace tern {

/// The `tern` folder beside libtern (or beside the program, where tern is linked statically): backend plugins and
/// tern-build-worker lie there. Empty where the loader does not tell where libtern is.
[[nodiscard]] std::filesystem::path default_plugin_folder();

}  // namespace tern
