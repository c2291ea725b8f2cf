// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/dev/int8_build.h"

#include "base/cpu.h"
#include "base/error.h"
#include "tern/dev/backend.h"
#include "tern/passport.h"

namespace tern::dev {

bool needs_reduced_range(QuantTarget target) {
  return target != QuantTarget::kTensorRt && !host_cpu().sums_int8_exactly();
}

Result<std::optional<Model>> insert_calibrated_qdq(const Model& model, const BuildConfig& config, QuantTarget target) {
  const bool has_calibration = !config.calibration.empty(), quantised = is_quantised(model);
  const bool takes_i8 = config.precision == Precision::kI8 || config.precision == Precision::kAuto ||
                        config.precision == Precision::kMixed;
  if (has_calibration && quantised) {
    return Status(StatusCode::kConfigError, "the model is quantised already and takes no calibration")
        .at("calibration")
        .with_hint("leave the calibration out, or give the float model");
  }
  if (has_calibration && !takes_i8) {
    return make_error(StatusCode::kConfigError, "precision {} takes no calibration", to_string(config.precision))
        .at("calibration")
        .with_hint("leave the calibration out, or ask for i8 or auto");
  }
  if (!has_calibration && !quantised && config.precision == Precision::kI8) {
    return Status(StatusCode::kConfigError,
                  "precision i8 needs a model with quantised layers, or a calibration of this one")
        .at("calibration")
        .with_hint(
            "calibrate it: tern calib run MODEL --images DIR; or quantise it: tern quantize MODEL --images DIR -o OUT");
  }
  if (!has_calibration) return std::optional<Model>();
  TERN_ASSIGN_OR_RETURN(const CalibrationFiles files, CalibrationFiles::named_by(config.calibration));
  TERN_ASSIGN_OR_RETURN(const CalibrationPassport passport,
                        trusted_passport(files, {.model_hash = model.content_hash()}));
  TERN_ASSIGN_OR_RETURN(
      Model made, quantize(model, passport.ranges, {.target = target, .reduce_range = needs_reduced_range(target)}));
  return std::optional(std::move(made));
}

}  // namespace tern::dev
