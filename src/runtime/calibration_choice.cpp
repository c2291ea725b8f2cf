// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/calibration_choice.h"

#include "base/error.h"
#include "tern/dev/backend.h"
#include "tern/passport.h"

namespace tern {
namespace {

using Kind = CalibrationVerdict::Kind;

}  // namespace

Result<CalibrationChoice> choose_calibration(const Model& model, const BuildConfig& config, const Contract* contract,
                                             Logger& logger) {
  const CalibrationSubject subject = CalibrationSubject::of(model, contract);
  if (!config.calibration.empty()) {
    TERN_ASSIGN_OR_RETURN(const CalibrationFiles files, CalibrationFiles::named_by(config.calibration));
    TERN_ASSIGN_OR_RETURN(const CalibrationPassport passport, trusted_passport(files, subject));
    // The same numbers, but TensorRT takes a cache by another way than a passport, to another engine.
    const bool is_cache = std::filesystem::path(config.calibration) == files.cache;
    return CalibrationChoice{config.calibration, files.passport.string(), passport.hash() + (is_cache ? " cache" : "")};
  }
  const bool is_auto = config.precision == Precision::kAuto;
  if ((!is_auto && config.precision != Precision::kI8) || model.path().empty() || dev::is_quantised(model))
    return CalibrationChoice{};
  const CalibrationFiles files = CalibrationFiles::beside(model.path());
  auto verdict = judge_calibration(files, subject);
  if (verdict.ok() && verdict->kind == Kind::kNone) return CalibrationChoice{};
  if (verdict.ok() && verdict->kind == Kind::kTrusted)
    return CalibrationChoice{files.passport.string(), files.passport.string(), verdict->passport->hash()};
  if (!is_auto) return verdict.ok() ? trusted_passport(files, subject).status() : verdict.status();
  logger.log(LogLevel::kWarning, "runtime",
             fmt::format("{}: the calibration beside the model is not used: {}", files.passport.string(),
                         verdict.ok() ? verdict->reason : verdict.status().to_string()));
  return CalibrationChoice{};
}

Status check_unchanged(const CalibrationChoice& choice) {
  if (choice.file.empty()) return {};
  const auto passport = CalibrationPassport::from_file(choice.passport);
  if (passport.ok() && choice.hash.starts_with(passport->hash())) return {};
  return Status(StatusCode::kEngineBuildError, "the calibration was changed while the engine was built")
      .at(choice.passport)
      .with_hint("build it again");
}

}  // namespace tern
