// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/error.h"

namespace tern {
namespace {

class NullLogger final : public Logger {
 public:
  void log(LogLevel /*level*/, std::string_view /*component*/, std::string_view /*message*/) noexcept override {}
  [[nodiscard]] LogLevel level() const noexcept override { return LogLevel::kError; }
};

spdlog::level::level_enum spdlog_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kDebug:
      return spdlog::level::debug;
  }
  return spdlog::level::err;
}

class StderrLogger final : public Logger {
 public:
  explicit StderrLogger(LogLevel level)
      : level_(level), spdlog_("tern", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {
    spdlog_.set_level(spdlog_level(level));
    spdlog_.set_pattern("%H:%M:%S.%e %^%l%$ %v");
  }

  void log(LogLevel level, std::string_view component, std::string_view message) noexcept override {
    spdlog_.log(spdlog_level(level), "{}: {}", component, message);  // spdlog swallows its own exceptions
  }
  [[nodiscard]] LogLevel level() const noexcept override { return level_; }

 private:
  LogLevel level_;
  spdlog::logger spdlog_;
};

}  // namespace

std::shared_ptr<Logger> null_logger() {
  return std::make_shared<NullLogger>();
}

std::shared_ptr<Logger> stderr_logger(LogLevel level) {
  return std::make_shared<StderrLogger>(level);
}

Result<LogLevel> parse_log_level(std::string_view text) {
  if (text == "error") return LogLevel::kError;
  if (text == "warning") return LogLevel::kWarning;
  if (text == "info") return LogLevel::kInfo;
  if (text == "debug") return LogLevel::kDebug;
  return make_error(StatusCode::kConfigError, "unknown log level '{}'", text)
      .with_hint("error, warning, info or debug");
}

}  // namespace tern
