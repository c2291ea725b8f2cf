// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/log_ring.h"

#include <algorithm>
#include <exception>

#include "base/error.h"

namespace tern {
namespace {

std::string_view name_of(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kError:
      return "error";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kDebug:
      return "debug";
  }
  return "?";
}

}  // namespace

LogRing::LogRing(std::shared_ptr<Logger> next, std::size_t lines) : next_(std::move(next)), limit_(lines) {}

void LogRing::log(LogLevel level, std::string_view component, std::string_view message) noexcept {
  if (level <= next_->level()) next_->log(level, component, message);
  try {
    std::string line = fmt::format("{} {}: {}", name_of(level), component, message);
    const std::scoped_lock lock(mutex_);
    if (lines_.size() == limit_) lines_.pop_front();
    lines_.push_back(std::move(line));
  } catch (const std::exception&) {
    return;  // no memory for a log line: the line is lost, the caller's work is not
  }
}

LogLevel LogRing::level() const noexcept {
  return std::max(next_->level(), LogLevel::kWarning);
}

std::string LogRing::text() const {
  const std::scoped_lock lock(mutex_);
  std::string text;
  for (const std::string& line : lines_)
    text += (text.empty() ? "" : "\n") + line;
  return text;
}

void LogRing::clear() noexcept {
  const std::scoped_lock lock(mutex_);
  lines_.clear();
}

}  // namespace tern
