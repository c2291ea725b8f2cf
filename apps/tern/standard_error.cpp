// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "standard_error.h"

namespace tern {
namespace {

class PatientLogger final : public Logger {
 public:
  explicit PatientLogger(LogLevel level) : logger_(stderr_logger(level)) {}
  void log(LogLevel level, std::string_view component, std::string_view message) noexcept override {
    if (level > logger_->level()) return;
    const std::scoped_lock lock(standard_error_mutex());
    logger_->log(level, component, message);
  }
  [[nodiscard]] LogLevel level() const noexcept override { return logger_->level(); }

 private:
  std::shared_ptr<Logger> logger_;
};

}  // namespace

std::mutex& standard_error_mutex() noexcept {
  static std::mutex mutex;
  return mutex;
}

std::shared_ptr<Logger> patient_stderr_logger(LogLevel level) {
  return std::make_shared<PatientLogger>(level);
}

}  // namespace tern
