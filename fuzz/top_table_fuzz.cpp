// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What `tern top` reads from a server: tables that hold no control character, or a failure.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "web/top_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const auto table = top_table(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!table.ok()) return 0;
  for (const char c : *table) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F) std::abort();
  }
  if (fit_to_terminal(*table, 20, 5).size() > table->size()) std::abort();
  return 0;
}
