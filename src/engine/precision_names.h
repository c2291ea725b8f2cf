// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "tern/engine.h"

namespace tern {

/// Every name that a user may give a precision.
inline constexpr std::array<std::pair<std::string_view, Precision>, 9> kPrecisionNames{{{"auto", Precision::kAuto},
                                                                                        {"f32", Precision::kF32},
                                                                                        {"fp32", Precision::kF32},
                                                                                        {"f16", Precision::kF16},
                                                                                        {"fp16", Precision::kF16},
                                                                                        {"bf16", Precision::kBF16},
                                                                                        {"i8", Precision::kI8},
                                                                                        {"int8", Precision::kI8},
                                                                                        {"mixed", Precision::kMixed}}};

}  // namespace tern
