// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "tern/status.h"

namespace tern {

/// Whether `file` is a plain file of this user: nobody else may vouch for an engine.
[[nodiscard]] bool is_own_file(const std::filesystem::path& file);

/// Writes it, into a folder that this user alone may look into and that is made where it is missing. IoError.
[[nodiscard]] Status write_own_file(const std::filesystem::path& file, std::string_view content);

}  // namespace tern
