// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "tern/export.h"
#include "tern/status.h"

namespace tern {

/// TensorRT's levels, so that a backend's lines keep their meaning.
enum class LogLevel : std::uint8_t { kError, kWarning, kInfo, kDebug };

/// Where log lines go. The library never prints by itself: it reports through the Logger it was given.
///
/// Implementations must be callable from any thread and must not throw.
class TERN_API Logger {
 public:
  virtual ~Logger() = default;
  /// `component` names the speaker: "engine", "openvino".
  virtual void log(LogLevel level, std::string_view component, std::string_view message) noexcept = 0;
  /// Lines above this level are not formatted at all.
  [[nodiscard]] virtual LogLevel level() const noexcept = 0;
};

/// Drops everything. The default.
[[nodiscard]] TERN_API std::shared_ptr<Logger> null_logger();
/// Lines on standard error (spdlog), coloured on a terminal.
[[nodiscard]] TERN_API std::shared_ptr<Logger> stderr_logger(LogLevel level);
/// "error", "warning", "info", "debug".
[[nodiscard]] TERN_API Result<LogLevel> parse_log_level(std::string_view text);

}  // namespace tern
