// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "engine/precision_names.h"

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
  for (const auto& [name, precision] : kPrecisionNames) {
    if (name == text) return precision;
  }
  return make_error(StatusCode::kConfigError, "unknown precision '{}'", text)
      .with_hint("auto, f32, f16, bf16, i8 or mixed");
}

}  // namespace tern
