// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace tern {

/// The bin of |x| in a histogram over [0, range]; the last one for what lies beyond, bin 0 for a range of 0.
[[nodiscard]] std::size_t bin_of(float magnitude, float range) noexcept;

}  // namespace tern
