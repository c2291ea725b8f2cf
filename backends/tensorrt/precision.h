// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tern/engine.h"

namespace tern::trt_backend {

/// How the builder is told to compute.
struct PrecisionPlan {
  Precision precision = Precision::kF32;  ///< kF32, kF16 or kI8
  bool strongly_typed = false;            ///< the model's own types decide; no flag may
  bool was_asked = false;                 ///< by name; false: chosen by `auto`, which may end in f32
};

/// From what is asked and what the model holds. kAuto is i8 for a quantised model, f16 for a model in f16 or where `fast_f16` lets the
/// builder choose, else f32. ConfigError, with what can be had, for the rest.
[[nodiscard]] Result<PrecisionPlan> plan_precision(Precision asked, const Model& model, bool fast_f16);

}  // namespace tern::trt_backend
