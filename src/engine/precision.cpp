// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "base/error.h"
#include "tern/engine.h"

namespace tern {

std::string_view to_string(Precision precision) noexcept {
  switch (precision) {
    case Precision::kAuto:
      return "auto";
    case Precision::kF32:
      return "f32";
    case Precision::kF16:
      return "f16";
    case Precision::kBF16:
      return "bf16";
    case Precision::kI8:
      return "i8";
    case Precision::kMixed:
      return "mixed";
  }
  return "?";
}

Result<Precision> parse_precision(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Precision>, 9> kNames{{{"auto", Precision::kAuto},
                                                                          {"f32", Precision::kF32},
                                                                          {"fp32", Precision::kF32},
                                                                          {"f16", Precision::kF16},
                                                                          {"fp16", Precision::kF16},
                                                                          {"bf16", Precision::kBF16},
                                                                          {"i8", Precision::kI8},
                                                                          {"int8", Precision::kI8},
                                                                          {"mixed", Precision::kMixed}}};
  for (const auto& [name, precision] : kNames) {
    if (name == text) return precision;
  }
  return make_error(StatusCode::kConfigError, "unknown precision '{}'", text)
      .with_hint("auto, f32, f16, bf16, i8 or mixed");
}

}  // namespace tern
