// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace tern::test {

/// Calls of operator new in this program so far, which allocation_counter.cpp replaces.
[[nodiscard]] std::size_t allocation_count() noexcept;

}  // namespace tern::test
