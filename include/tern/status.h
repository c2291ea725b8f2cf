// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "tern/export.h"

namespace tern {

/// The classes of failure. Each has one row in error_classes(), which maps it to exit codes, HTTP, gRPC and Python.
enum class StatusCode : std::uint8_t {
  kOk,
  kModelError,             ///< the ONNX file is damaged, unsupported or beyond the limits
  kContractError,          ///< how pixels become input, or output becomes results, is unknown or contradictory
  kConfigError,            ///< an option, flag or configuration key is wrong
  kInputError,             ///< an image, video, tensor or data set given by the caller cannot be used
  kIoError,                ///< the file system refused: missing, not permitted, disk full
  kBackendError,           ///< no backend can run here, or a plugin does not fit
  kEngineBuildError,       ///< a backend could not compile the model
  kEngineGateError,        ///< a stored engine was refused before use
  kOutOfMemoryError,       ///< a memory budget would be exceeded
  kCalibrationCacheError,  ///< a calibration cache is not to be trusted
  kGoldenCheckError,       ///< an engine does not reproduce its reference
  kInferenceError,         ///< a backend failed while running, or gave NaN or infinity
  kTimeout,                ///< a deadline passed
  kCancelled,              ///< a stop was asked for
  kInternalError,          ///< a bug in tern
};

/// One row of the table that gives each failure its name in every language tern speaks.
struct ErrorClass {
  StatusCode code;
  std::string_view name;     ///< "ModelError"; the Python class has the same name
  int exit_code;             ///< of the `tern` program
  int http;                  ///< HTTP status
  std::string_view grpc;     ///< gRPC canonical code
  std::string_view summary;  ///< one line for help texts
};

/// All rows, ordered by code; row i belongs to StatusCode(i).
[[nodiscard]] TERN_API std::span<const ErrorClass> error_classes() noexcept;
/// The row of `code`.
[[nodiscard]] TERN_API const ErrorClass& error_class(StatusCode code) noexcept;

/// Success, or a failure that says what went wrong, where, and what to do about it.
///
/// Copying is cheap (shared, immutable). Success allocates nothing.
class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  TERN_API Status(StatusCode code, std::string message);

  [[nodiscard]] bool ok() const noexcept { return rep_ == nullptr; }
  [[nodiscard]] StatusCode code() const noexcept { return rep_ ? rep_->code : StatusCode::kOk; }
  [[nodiscard]] TERN_API const std::string& message() const noexcept;
  /// File, node, tensor or flag that the failure is about; empty when the message says it all.
  [[nodiscard]] TERN_API const std::string& where() const noexcept;
  /// What the user can do; may be empty.
  [[nodiscard]] TERN_API const std::string& hint() const noexcept;
  /// What the backend itself said (its message and captured log lines); may be empty.
  [[nodiscard]] TERN_API const std::string& cause() const noexcept;

  /// The same failure, located. An earlier location is kept behind the new one ("model.onnx: node 'a'").
  [[nodiscard]] TERN_API Status at(std::string_view where) const;
  [[nodiscard]] TERN_API Status with_hint(std::string_view hint) const;
  [[nodiscard]] TERN_API Status with_cause(std::string_view cause) const;

  /// "ModelError: where: message (hint)", with the cause on lines of its own.
  [[nodiscard]] TERN_API std::string to_string() const;

 private:
  struct Rep {
    StatusCode code;
    std::string message, where, hint, cause;
  };
  std::shared_ptr<const Rep> rep_;
};

/// What Result::value() throws, for those who like exceptions. No function of tern throws it otherwise.
class TERN_API Error : public std::exception {
 public:
  explicit Error(Status status);
  [[nodiscard]] const char* what() const noexcept override;
  [[nodiscard]] const Status& status() const noexcept { return status_; }

 private:
  Status status_;
  std::string what_;
};

namespace detail {
[[noreturn]] TERN_API void throw_error(const Status& status);
}

/// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  /// Success, or the failure.
  [[nodiscard]] Status status() const { return ok() ? Status() : std::get<1>(state_); }

  /// The value; throws tern::Error when there is none.
  [[nodiscard]] T& value() & {
    if (!ok()) detail::throw_error(std::get<1>(state_));
    return std::get<0>(state_);
  }
  [[nodiscard]] const T& value() const& {
    if (!ok()) detail::throw_error(std::get<1>(state_));
    return std::get<0>(state_);
  }
  [[nodiscard]] T value() && {
    if (!ok()) detail::throw_error(std::get<1>(state_));
    return std::move(std::get<0>(state_));
  }

  /// The value; REQUIRES: ok().
  [[nodiscard]] T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  [[nodiscard]] T* operator->() noexcept { return std::get_if<0>(&state_); }
  [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace tern

/// Returns the failure of `expr` (a Status) to the caller.
#define TERN_RETURN_IF_ERROR(expr)                                  \
  do {                                                              \
    if (::tern::Status tern_status_ = (expr); !tern_status_.ok()) { \
      return tern_status_;                                          \
    }                                                               \
  } while (false)

#define TERN_DETAIL_PASTE(a, b) a##b
#define TERN_DETAIL_CONCAT(a, b) TERN_DETAIL_PASTE(a, b)
// `lhs` may declare a variable and `tmp` does, so neither stands in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define TERN_DETAIL_ASSIGN_OR_RETURN(tmp, lhs, expr) \
  auto tmp = (expr);                                 \
  if (!tmp.ok()) return tmp.status();                \
  lhs = std::move(*tmp)
// NOLINTEND(bugprone-macro-parentheses)

/// `TERN_ASSIGN_OR_RETURN(auto x, f());`: the value of a Result, or its failure to the caller.
#define TERN_ASSIGN_OR_RETURN(lhs, expr) \
  TERN_DETAIL_ASSIGN_OR_RETURN(TERN_DETAIL_CONCAT(tern_result_, __LINE__), lhs, expr)
