// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "tern/log.h"

namespace tern::ort_backend {

/// Hears from ONNX Runtime's log how many nodes each provider got while a session is made: version 21 of its API has no other way to
/// ask. Passes every line on.
class PlacementLog final : public Logger {
 public:
  explicit PlacementLog(std::shared_ptr<Logger> next) : next_(std::move(next)) {}
  void log(LogLevel level, std::string_view component, std::string_view message) noexcept override;
  /// kDebug: the lines stand among the verbose ones.
  [[nodiscard]] LogLevel level() const noexcept override { return LogLevel::kDebug; }
  /// Provider ("CPUExecutionProvider") -> number of nodes.
  [[nodiscard]] std::map<std::string, int> nodes() const;

 private:
  std::shared_ptr<Logger> next_;
  mutable std::mutex mutex_;
  std::map<std::string, int> nodes_;
};

}  // namespace tern::ort_backend
