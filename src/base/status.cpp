// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/status.h"

#include <array>

namespace tern {
namespace {

// Exit codes: 2 is the shell's custom for wrong usage; the others start at 10 so that they never meet a signal or a
// shell code.
constexpr std::array<ErrorClass, 16> kClasses{{
    {StatusCode::kOk, "Ok", 0, 200, "OK", "success"},
    {StatusCode::kModelError, "ModelError", 10, 422, "INVALID_ARGUMENT",
     "the model file is damaged, unsupported or too large"},
    {StatusCode::kContractError, "ContractError", 11, 422, "INVALID_ARGUMENT",
     "what goes into or comes out of the model is unknown or contradictory"},
    {StatusCode::kConfigError, "ConfigError", 2, 400, "INVALID_ARGUMENT", "an option or configuration key is wrong"},
    {StatusCode::kInputError, "InputError", 12, 400, "INVALID_ARGUMENT",
     "an image, video, tensor or data set cannot be used"},
    {StatusCode::kIoError, "IoError", 13, 500, "UNAVAILABLE", "the file system refused"},
    {StatusCode::kBackendError, "BackendError", 14, 503, "FAILED_PRECONDITION", "no backend can run here"},
    {StatusCode::kEngineBuildError, "EngineBuildError", 15, 500, "FAILED_PRECONDITION",
     "the model could not be compiled"},
    {StatusCode::kEngineGateError, "EngineGateError", 16, 409, "FAILED_PRECONDITION", "a stored engine was refused"},
    {StatusCode::kOutOfMemoryError, "OutOfMemoryError", 17, 507, "RESOURCE_EXHAUSTED",
     "a memory budget would be exceeded"},
    {StatusCode::kCalibrationCacheError, "CalibrationCacheError", 18, 422, "FAILED_PRECONDITION",
     "a calibration cache is not to be trusted"},
    {StatusCode::kGoldenCheckError, "GoldenCheckError", 19, 500, "DATA_LOSS",
     "an engine does not reproduce its reference"},
    {StatusCode::kInferenceError, "InferenceError", 20, 500, "INTERNAL",
     "the model failed while running, or gave NaN or infinity"},
    {StatusCode::kTimeout, "Timeout", 21, 504, "DEADLINE_EXCEEDED", "a deadline passed"},
    {StatusCode::kCancelled, "Cancelled", 22, 499, "CANCELLED", "stopped as asked"},
    {StatusCode::kInternalError, "InternalError", 70, 500, "INTERNAL", "a bug in tern"},
}};

const std::string& empty_string() {
  static const std::string kEmpty;
  return kEmpty;
}

}  // namespace

std::span<const ErrorClass> error_classes() noexcept {
  return kClasses;
}

const ErrorClass& error_class(StatusCode code) noexcept {
  return kClasses[static_cast<std::size_t>(code)];
}

Status::Status(StatusCode code, std::string message) {
  if (code != StatusCode::kOk) rep_ = std::make_shared<const Rep>(Rep{code, std::move(message), {}, {}, {}});
}

const std::string& Status::message() const noexcept {
  return rep_ ? rep_->message : empty_string();
}
const std::string& Status::where() const noexcept {
  return rep_ ? rep_->where : empty_string();
}
const std::string& Status::hint() const noexcept {
  return rep_ ? rep_->hint : empty_string();
}
const std::string& Status::cause() const noexcept {
  return rep_ ? rep_->cause : empty_string();
}

Status Status::at(std::string_view where) const {
  if (!rep_ || where.empty()) return *this;
  Rep rep = *rep_;
  rep.where = rep.where.empty() ? std::string(where) : std::string(where) + ": " + rep.where;
  Status located;
  located.rep_ = std::make_shared<const Rep>(std::move(rep));
  return located;
}

Status Status::with_hint(std::string_view hint) const {
  if (!rep_) return *this;
  Rep rep = *rep_;
  rep.hint = hint;
  Status hinted;
  hinted.rep_ = std::make_shared<const Rep>(std::move(rep));
  return hinted;
}

Status Status::with_cause(std::string_view cause) const {
  if (!rep_) return *this;
  Rep rep = *rep_;
  rep.cause = cause;
  Status caused;
  caused.rep_ = std::make_shared<const Rep>(std::move(rep));
  return caused;
}

std::string Status::to_string() const {
  if (!rep_) return "Ok";
  std::string text(error_class(rep_->code).name);
  text += ": ";
  if (!rep_->where.empty()) text += rep_->where + ": ";
  text += rep_->message;
  if (!rep_->hint.empty()) text += " (" + rep_->hint + ")";
  if (!rep_->cause.empty()) text += "\n  cause: " + rep_->cause;
  return text;
}

Error::Error(Status status) : status_(std::move(status)), what_(status_.to_string()) {}

const char* Error::what() const noexcept {
  return what_.c_str();
}

void detail::throw_error(const Status& status) {
  throw Error(status);
}

}  // namespace tern
