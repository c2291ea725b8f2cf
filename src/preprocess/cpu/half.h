// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tern {

/// The bits of `value` as IEEE binary16, rounded to nearest even; beyond its range infinity, NaN stays NaN.
[[nodiscard]] std::uint16_t half_from_float(float value) noexcept;
/// The value of IEEE binary16 bits; exact.
[[nodiscard]] float float_from_half(std::uint16_t bits) noexcept;

}  // namespace tern
