// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "cuda/failure.h"
#include "tern/status.h"

namespace tern::trt_backend {

/// Runs `call`, which returns nothing or a Status, and turns what it throws into a Status of `code`; CUDA's own message
/// becomes the cause. TensorRT itself throws nothing: it returns false or null and writes to its log.
template <typename Call>
[[nodiscard]] Status guard(StatusCode code, std::string_view what, Call&& call) noexcept {
  try {
    if constexpr (std::is_same_v<std::invoke_result_t<Call>, Status>) {
      return std::forward<Call>(call)();
    } else {
      std::forward<Call>(call)();
      return {};
    }
  } catch (const cuda::CudaError& error) {
    const bool is_memory = error.code() == dev::CudaFailureCode::kOutOfMemory;
    return make_error(is_memory ? StatusCode::kOutOfMemoryError : code, "{}{}", what,
                      is_memory ? ": the GPU is out of memory" : "")
        .with_cause(error.what());
  } catch (const std::bad_alloc&) {
    return make_error(StatusCode::kOutOfMemoryError, "{}: no memory", what);
  } catch (const std::exception& error) {
    return make_error(code, "{}", what).with_cause(error.what());
  } catch (...) {
    return make_error(code, "{}: an unknown exception", what);
  }
}

}  // namespace tern::trt_backend
