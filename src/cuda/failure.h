// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>
#include <exception>
#include <string>

#include "tern/dev/cuda_plugin.h"

namespace tern::cuda {

/// A CUDA call that failed. Thrown inside this library; guard() ends it at the plugin's boundary.
class CudaError : public std::exception {
 public:
  CudaError(dev::CudaFailureCode code, std::string text) : code_(code), text_(std::move(text)) {}
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
  [[nodiscard]] dev::CudaFailureCode code() const noexcept { return code_; }

 private:
  dev::CudaFailureCode code_;
  std::string text_;
};

/// Throws unless `error` is success. `call` says what was tried: "cudaMalloc of 64 bytes".
void check(cudaError_t error, const char* call);
/// The same for destructors: counts the failure instead. A runtime that is shutting down has freed everything itself.
void note(cudaError_t error) noexcept;
/// Failures that note() counted in this process. Not 0: memory or a handle was not given back.
[[nodiscard]] unsigned failed_releases() noexcept;

/// Fills `failure` from the exception now being handled; returns its code.
std::int32_t describe_exception(dev::CudaFailure& failure) noexcept;

/// Runs `body`; 0, or the code of what it threw.
template <typename Body>
std::int32_t guard(dev::CudaFailure& failure, const Body& body) noexcept {
  try {
    body();
    failure = {};
    return 0;
  } catch (...) {
    return describe_exception(failure);
  }
}

}  // namespace tern::cuda
