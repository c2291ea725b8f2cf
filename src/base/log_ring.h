// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "tern/log.h"

namespace tern {

/// Keeps the last lines that go through it, for the cause of an error, and passes them on. Thread-safe.
class TERN_API LogRing final : public Logger {
 public:
  explicit LogRing(std::shared_ptr<Logger> next, std::size_t lines = 32);
  void log(LogLevel level, std::string_view component, std::string_view message) noexcept override;
  /// At least kWarning, whatever the next logger drops: a failure needs them.
  [[nodiscard]] LogLevel level() const noexcept override;
  /// The lines since the last clear(), oldest first, each with its level; empty when there are none.
  [[nodiscard]] std::string text() const;
  void clear() noexcept;

 private:
  std::shared_ptr<Logger> next_;
  std::size_t limit_;
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;
};

}  // namespace tern
