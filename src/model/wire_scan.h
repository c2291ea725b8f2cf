// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "tern/model.h"

namespace tern {

/// Walks the protobuf wire format of an ONNX file without decoding it, before the real parser may allocate.
///
/// ModelError, with the byte where it went wrong, when a field runs past the end (a truncated file), when the bytes are
/// not protobuf, when nodes, initialisers, names or nesting pass `limits`, or when the decoded structure would need
/// more memory than 256 MiB + 4 x the file: an empty message costs 2 bytes in the file and hundreds in memory.
[[nodiscard]] Status scan_onnx(std::span<const std::byte> bytes, const ModelLimits& limits);

}  // namespace tern
