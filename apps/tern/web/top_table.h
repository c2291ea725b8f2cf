// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tern/status.h"

namespace tern {

/// A pipeline's status (/status.json) as tables for a terminal: sources, models, sinks, memory. Control characters are made visible.
/// InputError for a text that is not a pipeline's status. Never throws.
[[nodiscard]] Result<std::string> top_table(std::string_view status);

/// The first `rows` lines, each cut after `columns` letters of UTF-8.
[[nodiscard]] std::string fit_to_terminal(std::string_view text, int columns, int rows);

}  // namespace tern
