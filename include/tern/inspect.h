// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tern/contract.h"
#include "tern/export.h"
#include "tern/model.h"

namespace tern {

/// What is known about a model, as JSON with two-space indentation (what `tern inspect --json` prints).
///
/// Keys: name, content_hash, file_bytes, ir_version, opset, producer, parameters, nodes, ops (operator
/// -> number of nodes), inputs and outputs (name, dtype, shape with null for open dimensions or null when the rank is
/// unknown, symbols), initializers (count, bytes, external_bytes, by_type), metadata; with a contract also contract
/// (its canonical JSON), contract_hash and origins (field path -> source, detail). Text that is not UTF-8 is replaced.
[[nodiscard]] TERN_API std::string inspect_json(const Model& model, const Contract* contract = nullptr);

}  // namespace tern
