// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "tern/status.h"

namespace tern {

/// JSON without what JSON libraries let pass: a key that stands twice in one object, nesting beyond 16, text behind the
/// value. `code` is the class of failure; messages give line and column.
[[nodiscard]] Result<nlohmann::json> parse_strict_json(std::string_view text, StatusCode code);

}  // namespace tern
