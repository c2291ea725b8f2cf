// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/log_tail.h"

namespace tern {

void LogTail::feed(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      end_line();
    } else if (line_.size() < kLineBytes && byte != '\r') {
      line_ += byte < 0x20 || byte == 0x7F ? ' ' : c;
    }
  }
}

void LogTail::finish() {
  if (!line_.empty()) end_line();
}

void LogTail::end_line() {
  if (line_.find_first_not_of(' ') != std::string::npos) {
    logger_->log(LogLevel::kDebug, component_, line_);
    if (lines_.size() == kLines) lines_.pop_front();
    lines_.push_back(line_);
  }
  line_.clear();
}

std::string LogTail::text() const {
  std::string text;
  for (const std::string& line : lines_)
    text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace tern
