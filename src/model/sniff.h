// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tern {

/// What a file that could not be read as ONNX probably is, by its first bytes: "a TensorRT engine", "a Git LFS
/// pointer", ...; empty when they tell nothing.
struct FileGuess {
  std::string_view what;
  std::string_view hint;
};
[[nodiscard]] FileGuess guess_file_kind(std::span<const std::byte> bytes) noexcept;

}  // namespace tern
