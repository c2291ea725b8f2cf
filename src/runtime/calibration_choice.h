// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tern/contract.h"
#include "tern/engine.h"
#include "tern/log.h"
#include "tern/model.h"

namespace tern {

/// The calibration that a build uses.
struct CalibrationChoice {
  std::string file{};      ///< BuildConfig::calibration; empty: none
  std::string passport{};  ///< the passport that is it, or beside it
  std::string hash{};      ///< for the key: CalibrationPassport::hash(), and for a cache " cache" behind it
};

/// The calibration that `config` names, which must be trusted for this model and contract; else, for i8 and auto of a float
/// model, the one beside the model's file. One that is not to be used there is CalibrationCacheError for i8, and a warning for auto,
/// which does without.
[[nodiscard]] Result<CalibrationChoice> choose_calibration(const Model& model, const BuildConfig& config,
                                                           const Contract* contract, Logger& logger);

/// EngineBuildError when the passport has been changed since: the engine was perhaps not built with what its key says.
[[nodiscard]] Status check_unchanged(const CalibrationChoice& choice);

}  // namespace tern
