// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tern/status.h"

namespace tern {

/// What a sidecar says: X.sha256 beside a file X.
struct Sidecar {
  static constexpr std::uint64_t kMaxBytes = 4096;
  std::string sha256;  ///< 64 lower-case hex digits
  std::string name;    ///< empty when the file holds bare digits
};

/// The line that sha256sum writes for a file: "<hex>  <name>\n", with its mark and escapes where the name has a backslash.
[[nodiscard]] std::string format_sidecar(std::string_view sha256, std::string_view name);
/// One line as sha256sum writes it (text or binary mode), or bare hex digits. A failure of class `code` otherwise.
[[nodiscard]] Result<Sidecar> parse_sidecar(std::string_view text, StatusCode code);

}  // namespace tern
