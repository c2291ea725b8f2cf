// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "precision.h"
#include "tern/engine.h"
#include "tern/quant.h"

namespace tern::trt_backend {

/// What a build's calibration says of a model.
struct Calibration {
  PrecisionMeans::Ranges source = PrecisionMeans::Ranges::kNone;
  TensorRanges ranges{};             ///< by the model's names
  std::string cache{};               ///< kCache: as TensorRT of the running version writes it
  std::vector<std::string> notes{};  ///< what it is and what was changed of it, for the manifest
};

/// Reads the calibration that `config` names; kNone when it names none. `trt_version` as getInferLibVersion() gives it.
/// CalibrationCacheError when it is not of this model, not trusted, or covers less of the tensors that want a range than is asked.
[[nodiscard]] Result<Calibration> read_calibration(const Model& model, const BuildConfig& config,
                                                   std::int32_t trt_version);

}  // namespace tern::trt_backend
