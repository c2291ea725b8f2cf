// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "log.h"

namespace tern::ort_backend {
namespace {

thread_local LogRing* this_threads_ring = nullptr;

LogLevel level_of(OrtLoggingLevel level) noexcept {
  switch (level) {
    case ORT_LOGGING_LEVEL_FATAL:
    case ORT_LOGGING_LEVEL_ERROR:
      return LogLevel::kError;
    case ORT_LOGGING_LEVEL_WARNING:
      return LogLevel::kWarning;
    case ORT_LOGGING_LEVEL_INFO:
      return LogLevel::kInfo;
    case ORT_LOGGING_LEVEL_VERBOSE:
      return LogLevel::kDebug;
  }
  return LogLevel::kDebug;
}

void write(void* /*param*/, OrtLoggingLevel level, const char* /*category*/, const char* /*log_id*/,
           const char* /*location*/, const char* message) noexcept {
  if (this_threads_ring != nullptr && message != nullptr)
    this_threads_ring->log(level_of(level), "onnxruntime", message);
}

}  // namespace

Ort::Env& environment() {
  static auto* const kEnvironment = new Ort::Env(ORT_LOGGING_LEVEL_WARNING, "tern", write, nullptr);
  return *kEnvironment;
}

LogScope::LogScope(LogRing& ring) noexcept : outer_(this_threads_ring) {
  this_threads_ring = &ring;
}

LogScope::~LogScope() {
  this_threads_ring = outer_;
}

}  // namespace tern::ort_backend
