// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "cuda/failure.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

namespace tern::cuda {
namespace {

using dev::CudaFailureCode;

std::atomic<unsigned> failed_release_count{0};

CudaFailureCode classify(cudaError_t error) noexcept {
  switch (error) {  // NOLINT(clang-diagnostic-switch-enum): CUDA has more than a hundred, and more with every version
    case cudaErrorInsufficientDriver: {
      // The runtime says so too when there is no driver at all, which then has the version 0.
      int driver = 0;
      return cudaDriverGetVersion(&driver) == cudaSuccess && driver != 0 ? CudaFailureCode::kDriverTooOld
                                                                         : CudaFailureCode::kNoDriver;
    }
    case cudaErrorStubLibrary:  // the linker's stand-in for libcuda
      return CudaFailureCode::kNoDriver;
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
      return CudaFailureCode::kDriverTooOld;
    case cudaErrorNoDevice:
      return CudaFailureCode::kNoDevice;
    case cudaErrorInvalidDevice:
      return CudaFailureCode::kNoSuchDevice;
    case cudaErrorMemoryAllocation:
      return CudaFailureCode::kOutOfMemory;
    default:
      return CudaFailureCode::kFailed;
  }
}

std::int32_t fill(dev::CudaFailure& failure, CudaFailureCode code, const char* text) noexcept {
  failure.code = code;
  const std::size_t length = std::min(std::strlen(text), sizeof(failure.text) - 1);
  std::memcpy(failure.text, text, length);
  failure.text[length] = '\0';
  return static_cast<std::int32_t>(code);
}

}  // namespace

void check(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // the runtime keeps the error, and the next call that asks would find this one
  throw CudaError(classify(error),
                  std::string(call) + ": " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) + ")");
}

void note(cudaError_t error) noexcept {
  if (error == cudaSuccess || error == cudaErrorCudartUnloading) return;
  cudaGetLastError();
  failed_release_count.fetch_add(1, std::memory_order_relaxed);
}

unsigned failed_releases() noexcept {
  return failed_release_count.load(std::memory_order_relaxed);
}

std::int32_t describe_exception(dev::CudaFailure& failure) noexcept {
  try {
    throw;
  } catch (const CudaError& error) {
    return fill(failure, error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return fill(failure, CudaFailureCode::kOutOfMemory, "the host is out of memory");
  } catch (const std::exception& error) {
    return fill(failure, CudaFailureCode::kFailed, error.what());
  } catch (...) {
    return fill(failure, CudaFailureCode::kFailed, "an unknown exception");
  }
}

}  // namespace tern::cuda
