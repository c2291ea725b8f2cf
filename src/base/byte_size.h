// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tern/status.h"

namespace tern {

/// "1000000", "128MiB", "4GiB", "10KiB", "2GB" (1000-based) -> bytes. ConfigError on anything else, and on what passes 64 bits.
[[nodiscard]] TERN_API Result<std::uint64_t> parse_byte_size(std::string_view text);
/// For people: "5.8 MiB".
[[nodiscard]] TERN_API std::string format_byte_size(std::uint64_t bytes);

}  // namespace tern
