// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>

namespace tern::test {

/// The repository's folder: where the tests were compiled, or $TERN_SOURCE_DIR for tests that were carried to another machine.
inline std::filesystem::path source_dir() {
  const char* elsewhere = std::getenv("TERN_SOURCE_DIR");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return elsewhere != nullptr && *elsewhere != '\0' ? elsewhere : TERN_SOURCE_DIR;
}

}  // namespace tern::test
