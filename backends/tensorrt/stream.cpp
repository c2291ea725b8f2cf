// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "stream.h"

#include <thread>

#include "guard.h"

namespace tern::trt_backend {
namespace {

using std::chrono::steady_clock;

/// Polled without sleeping for this long: most inferences end sooner, and a sleep would add its own latency.
constexpr std::chrono::microseconds kSpin{500};
constexpr std::chrono::microseconds kNap{50};

/// cudaEventQuery(). "Not ready" is no failure, but the runtime keeps it as one, and a launch that asks for the last error would
/// find it.
cudaError_t query(const cuda::Event& event) noexcept {
  const cudaError_t state = cudaEventQuery(event.get());
  if (state == cudaErrorNotReady) cudaGetLastError();
  return state;
}

}  // namespace

bool has_passed(const cuda::Event& event) noexcept {
  return query(event) != cudaErrorNotReady;
}

Status wait_for(const cuda::Event& event, const WaitOptions& options) {
  if (!options.deadline && !options.stop.stop_possible()) {
    return guard(StatusCode::kInferenceError, "the GPU failed while running the model",
                 [&] { cuda::check(cudaEventSynchronize(event.get()), "cudaEventSynchronize"); });
  }
  const auto start = steady_clock::now();
  while (true) {
    const cudaError_t state = query(event);
    if (state != cudaErrorNotReady) {
      return guard(StatusCode::kInferenceError, "the GPU failed while running the model",
                   [&] { cuda::check(state, "cudaEventQuery"); });
    }
    if (options.stop.stop_requested()) return {StatusCode::kCancelled, "stopped during the inference"};
    const auto now = steady_clock::now();
    if (options.deadline && now >= *options.deadline)
      return {StatusCode::kTimeout, "the deadline passed during the inference"};
    if (now - start < kSpin) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kNap);
    }
  }
}

Status CudaStream::synchronize() {
  return guard(StatusCode::kInferenceError, "the GPU failed while running the work of a stream",
               [&] { stream_.synchronize(); });
}

}  // namespace tern::trt_backend
