// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "tern/log.h"

namespace tern {

/// Cuts what another process prints into lines, passes them to a logger at debug level, and keeps the last of them. Control
/// characters are taken out and long lines cut: the text is not to be trusted with memory, nor with a terminal.
class LogTail {
 public:
  static constexpr std::size_t kLines = 20, kLineBytes = 500;

  LogTail(std::shared_ptr<Logger> logger, std::string component)
      : logger_(std::move(logger)), component_(std::move(component)) {}

  void feed(std::string_view text);
  /// Ends a line that has no line end.
  void finish();
  /// The last lines, oldest first, with '\n' between them.
  [[nodiscard]] std::string text() const;

 private:
  void end_line();

  std::shared_ptr<Logger> logger_;
  std::string component_, line_;
  std::deque<std::string> lines_;
};

}  // namespace tern
