// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// A name that parses is the one name of its parts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tern/engine_name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto name = tern::EngineName::parse(text); name.ok()) {
    const auto formatted = name->format();
    if (!formatted.ok() || *formatted != text) std::abort();
  }
  // The same bytes as parts of a name: whatever formats must parse back.
  tern::EngineName parts;
  const std::size_t half = text.find('|');
  if (half == std::string_view::npos || size < 2) return 0;
  parts.stem = text.substr(0, half);
  parts.target = text.substr(half + 1);
  parts.version_compatible = (data[0] & 1) != 0;
  parts.precision = static_cast<tern::Precision>(data[size - 1] % 6);
  if (const auto formatted = parts.format(); formatted.ok()) {
    const auto back = tern::EngineName::parse(*formatted);
    if (!back.ok() || *back != parts) std::abort();
  }
  return 0;
}
