// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <fmt/format.h>

#include "tern/status.h"

namespace tern {

/// A failure with a formatted message.
template <typename... Args>
[[nodiscard]] Status make_error(StatusCode code, fmt::format_string<Args...> format, Args&&... args) {
  return {code, fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace tern
