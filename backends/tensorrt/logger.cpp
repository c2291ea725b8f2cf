// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "logger.h"

#include <algorithm>

namespace tern::trt_backend {
namespace {

thread_local CapturedLog* this_threads_log = nullptr;

/// The logs that hear every thread.
struct Listeners {
  std::mutex mutex;
  std::vector<CapturedLog*> logs;
};

Listeners& listeners() {
  static auto* const kListeners = new Listeners;  // never destroyed: TensorRT may log while the process ends
  return *kListeners;
}

LogLevel level_of(nvinfer1::ILogger::Severity severity) noexcept {
  switch (severity) {
    case nvinfer1::ILogger::Severity::kINTERNAL_ERROR:
    case nvinfer1::ILogger::Severity::kERROR:
      return LogLevel::kError;
    case nvinfer1::ILogger::Severity::kWARNING:
      return LogLevel::kWarning;
    case nvinfer1::ILogger::Severity::kINFO:
      return LogLevel::kInfo;
    case nvinfer1::ILogger::Severity::kVERBOSE:
      return LogLevel::kDebug;
  }
  return LogLevel::kDebug;
}

class TrtLogger final : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const char* message) noexcept override {
    if (message == nullptr) return;
    const LogLevel level = level_of(severity);
    if (this_threads_log != nullptr) return this_threads_log->add(level, message);
    if (level == LogLevel::kDebug) return;
    const std::lock_guard lock(listeners().mutex);
    for (CapturedLog* log : listeners().logs)
      log->add(level, message);
  }
};

}  // namespace

nvinfer1::ILogger& trt_logger() noexcept {
  static auto* const kLogger = new TrtLogger;
  return *kLogger;
}

CapturedLog::CapturedLog(std::shared_ptr<Logger> sink, Scope scope)
    : sink_(std::move(sink)), scope_(scope), outer_(this_threads_log) {
  if (scope_ == Scope::kAllThreads) {
    const std::lock_guard lock(listeners().mutex);
    listeners().logs.push_back(this);
  }
  this_threads_log = this;
}

CapturedLog::~CapturedLog() {
  this_threads_log = outer_;
  if (scope_ == Scope::kAllThreads) {
    const std::lock_guard lock(listeners().mutex);
    std::erase(listeners().logs, this);
  }
}

std::string CapturedLog::text() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const std::string& line : lines_)
    text += (text.empty() ? "" : "\n") + line;
  return text;
}

void CapturedLog::add(LogLevel level, std::string_view line) noexcept {
  if (sink_ != nullptr && level <= sink_->level()) sink_->log(level, "tensorrt", line);
  if (level > LogLevel::kWarning) return;
  try {
    const std::lock_guard lock(mutex_);
    if (lines_.size() == kMaxLines) lines_.erase(lines_.begin());
    lines_.emplace_back(line.substr(0, kMaxLineBytes));
  } catch (...) {  // NOLINT(bugprone-empty-catch): no memory for a log line is no reason to fail
  }
}

}  // namespace tern::trt_backend
