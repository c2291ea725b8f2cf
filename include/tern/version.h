// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "tern/export.h"

#define TERN_STRINGIZE_INNER_(x) #x
#define TERN_STRINGIZE_(x) TERN_STRINGIZE_INNER_(x)

/// Of these headers; version() is that of the library in use.
#define TERN_VERSION_STRING "0.1.0"
/// The compiler in use: plugins must match libtern's, since C++ classes cross their boundary.
#if defined(__clang__)
#define TERN_COMPILER_TAG "clang " TERN_STRINGIZE_(__clang_major__)
#else
#define TERN_COMPILER_TAG "gcc " TERN_STRINGIZE_(__GNUC__)
#endif

namespace tern {

/// "0.1.0".
[[nodiscard]] TERN_API std::string_view version() noexcept;
/// TERN_COMPILER_TAG when libtern was compiled.
[[nodiscard]] TERN_API std::string_view compiler_tag() noexcept;

}  // namespace tern
