// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/version.h"

namespace tern {

std::string_view version() noexcept {
  return TERN_VERSION_STRING;
}

std::string_view compiler_tag() noexcept {
  return TERN_COMPILER_TAG;
}

}  // namespace tern
