// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tern {

/// "2026-11-21T10:00:00Z"
[[nodiscard]] std::string utc_now();

}  // namespace tern
