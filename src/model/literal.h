// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "tern/status.h"

namespace tern {

/// A literal as exporters put it into ONNX metadata: JSON or Python's repr() of dicts, lists, tuples, strings, numbers,
/// True, False and None. The value comes as JSON; tuples as arrays, whole-number keys as strings.
///
/// ContractError on anything else, on a key that stands twice, beyond 1 MiB, and on nesting beyond 8. Nothing is
/// evaluated.
[[nodiscard]] Result<nlohmann::json> parse_literal(std::string_view text);

}  // namespace tern
