// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInferRuntime.h>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tern/log.h"

namespace tern::trt_backend {

/// The one logger that every TensorRT object of this plugin is given. TensorRT keeps the first it sees for the whole process,
/// so it must never die; where lines go is decided by the CapturedLog that is alive.
[[nodiscard]] nvinfer1::ILogger& trt_logger() noexcept;

/// Keeps what TensorRT writes while this object lives, for the cause of an error, and passes it on to a Logger.
///
/// It hears its own thread; with kAllThreads also threads that TensorRT started, as the builder does. Lines of another
/// thread's operation do not reach it, where that operation has a CapturedLog of its own. Must be destroyed by the thread that made
/// it, in reverse order.
class CapturedLog {
 public:
  enum class Scope { kThisThread, kAllThreads };
  CapturedLog(std::shared_ptr<Logger> sink, Scope scope);
  ~CapturedLog();
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  /// Errors, and the warnings beside them: the newest kMaxLines, oldest first.
  [[nodiscard]] std::string text() const;
  void add(LogLevel level, std::string_view line) noexcept;

 private:
  static constexpr std::size_t kMaxLines = 40, kMaxLineBytes = 2000;
  std::shared_ptr<Logger> sink_;
  Scope scope_;
  CapturedLog* outer_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace tern::trt_backend
