// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <stop_token>

#include "tern/engine.h"
#include "tern/model.h"
#include "tern/quantize.h"
#include "tern/status.h"

namespace tern::dev {

/// For backends that take int8 from the model: `model` with the Q/DQ pairs that `config.calibration` gives it. None where nothing is to be
/// inserted: a float precision, a model that is quantised already, or (precision auto) no calibration.
///
/// ConfigError, located at the option, when i8 is asked for and there is neither a quantised model nor a calibration, and when
/// a calibration is given for a model or a precision that takes none. CalibrationCacheError when the calibration is not of this
/// model or not to be trusted (trusted_passport()). What quantize() refuses.
[[nodiscard]] TERN_API Result<std::optional<Model>> insert_calibrated_qdq(const Model& model, const BuildConfig& config,
                                                                          QuantTarget target);

/// Compiles `quantised`, which is what insert_calibrated_qdq() made of `model`: in i8 where that was asked for, else the faster here of
/// that and `model` in f32; i8 must be faster by 5 %, for it costs accuracy. The blob's notes tell the times.
[[nodiscard]] TERN_API Result<EngineBlob> compile_calibrated(Backend& backend, const Model& model,
                                                             const Model& quantised, const BuildConfig& config,
                                                             const Progress& progress, const std::stop_token& stop);

/// Whether weights must have 7 bits (QuantizeOptions::reduce_range) for the CPU of this machine to run the target's int8 right.
[[nodiscard]] TERN_API bool needs_reduced_range(QuantTarget target);

}  // namespace tern::dev
