// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <new>
#include <utility>

#include "base/error.h"
#include "log.h"

namespace tern::ort_backend {

/// Runs `call` and turns what ONNX Runtime throws into a Status of `code`; its own message and the lines it logged meanwhile become
/// the cause.
template <typename Call>
[[nodiscard]] Status guard(StatusCode code, std::string_view what, LogRing& log, Call&& call) noexcept {
  log.clear();
  const LogScope scope(log);
  try {
    std::forward<Call>(call)();
    return {};
  } catch (const std::bad_alloc&) {
    return make_error(StatusCode::kOutOfMemoryError, "{}: no memory", what);
  } catch (const std::exception& error) {
    const std::string lines = log.text();
    return make_error(code, "{}", what).with_cause(error.what() + (lines.empty() ? lines : "\n" + lines));
  } catch (...) {
    return make_error(code, "{}: ONNX Runtime threw an unknown exception", what);
  }
}

}  // namespace tern::ort_backend
