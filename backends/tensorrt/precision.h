// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "tern/engine.h"

namespace tern::trt_backend {

/// What a build can draw on besides the model.
struct PrecisionMeans {
  bool fast_f16 = false;
  /// Ranges of the activations are known: from a passport, or from a calibration cache.
  enum class Ranges : std::uint8_t { kNone, kPassport, kCache };
  Ranges ranges = Ranges::kNone;
};

/// How one precision is reached.
struct PrecisionPlan {
  Precision precision = Precision::kF32;  ///< kF32, kF16, kI8 or kMixed
  bool strongly_typed = false;            ///< the model's own types decide; no flag may
  bool was_asked = false;                 ///< by name; false: chosen by `auto`
  bool insert_qdq = false;                ///< quantise the graph by the ranges before it is parsed
  bool convert_to_f16 = false;            ///< then turn what is left of f32 into f16
  bool use_cache = false;                 ///< TensorRT 10 quantises by itself, with the scales of the cache
};

/// The ways to run `model` as asked, best first; more than one for kAuto alone, where the next stands in when TensorRT cannot
/// build one. kAuto is i8 for a quantised model or where ranges are known, else f16 for a model in f16 or where the GPU is fast at
/// it, else f32. ConfigError, with what can be had, when there is no way.
///
/// On TensorRT 10 flags let the builder choose f16 and i8 beside f32; 11 takes every type from the graph, which is edited
/// instead, as it is for kMixed on both.
[[nodiscard]] Result<std::vector<PrecisionPlan>> plan_precision(Precision asked, const Model& model,
                                                                const PrecisionMeans& means);

/// Whether the next plan may be tried after this failure: TensorRT could not build it.
[[nodiscard]] bool may_step_down(const Status& status) noexcept;

}  // namespace tern::trt_backend
