// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <new>
#include <utility>

#include <openvino/core/except.hpp>
#include <openvino/runtime/exception.hpp>

#include "base/error.h"
#include "tern/status.h"

namespace tern::ov_backend {

/// Runs `call` and turns what OpenVINO throws into a Status of `code`; OpenVINO's own message becomes the cause.
template <typename Call>
[[nodiscard]] Status guard(StatusCode code, std::string_view what, Call&& call) noexcept {
  try {
    std::forward<Call>(call)();
    return {};
  } catch (const ov::Cancelled&) {
    return {StatusCode::kCancelled, "the inference was cancelled"};
  } catch (const std::bad_alloc&) {
    return make_error(StatusCode::kOutOfMemoryError, "{}: no memory", what);
  } catch (const std::exception& error) {
    return make_error(code, "{}", what).with_cause(error.what());
  } catch (...) {
    return make_error(code, "{}: OpenVINO threw an unknown exception", what);
  }
}

}  // namespace tern::ov_backend
