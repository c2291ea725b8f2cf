// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api.h"
#include "base/log_ring.h"

namespace tern::ort_backend {

/// The one environment of the process, whose log lines go to the LogScope of the thread that speaks; lines of ONNX Runtime's own
/// threads are dropped. Never destroyed. Throws Ort::Exception.
[[nodiscard]] Ort::Env& environment();

/// While it lives, what ONNX Runtime logs on this thread goes to `ring`. Destroyed by the thread that made it, in reverse order.
class LogScope {
 public:
  explicit LogScope(LogRing& ring) noexcept;
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  LogRing* outer_;
};

}  // namespace tern::ort_backend
