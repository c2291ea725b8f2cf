// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/host_device.h"

/// Before a loop: how often nvcc repeats its body.
#if defined(__CUDA_ARCH__)
#define TERN_PRAGMA(text) _Pragma(#text)
#define TERN_UNROLL(times) TERN_PRAGMA(unroll times)
#else
#define TERN_UNROLL(times)
#endif

namespace tern::cuda {

// Algorithms for one block of threads are written as steps that every thread does, with a barrier behind each, over a `Block`
// that runs them. DeviceBlock is the block that the thread is in. Tests run the same steps on the CPU, one thread after another
// in any order, since within a step no thread may read what another one writes.

/// `Thread` is what a thread keeps from one step to the next.
template <typename Thread>
class DeviceBlock {
 public:
  /// step(thread index, Thread&)
  template <typename Step>
  TERN_HOST_DEVICE void each([[maybe_unused]] const Step& step) {
#if defined(__CUDA_ARCH__)
    step(threadIdx.x, thread_);
    __syncthreads();
#endif
  }
  /// Bit t % 32 of words[t / 32] becomes test(t, Thread&), for the threads of the whole block.
  template <typename Test>
  TERN_HOST_DEVICE void ballot([[maybe_unused]] std::uint32_t* words, [[maybe_unused]] const Test& test) {
#if defined(__CUDA_ARCH__)
    const std::uint32_t word = __ballot_sync(0xFFFFFFFFU, test(threadIdx.x, thread_));
    if (threadIdx.x % 32U == 0) words[threadIdx.x / 32U] = word;
    __syncthreads();
#endif
  }

 private:
  [[maybe_unused]] Thread thread_{};
};

/// Adds to what other threads may add to as well; what was there before.
TERN_HOST_DEVICE inline std::uint32_t add_shared(std::uint32_t& sum, std::uint32_t value) {
#if defined(__CUDA_ARCH__)
  return atomicAdd(&sum, value);
#else
  const std::uint32_t before = sum;
  sum += value;
  return before;
#endif
}

/// The larger one stays in what other threads may raise as well.
TERN_HOST_DEVICE inline void raise_shared(std::uint64_t& largest, std::uint64_t value) {
#if defined(__CUDA_ARCH__)
  static_assert(sizeof(unsigned long long) == sizeof(std::uint64_t));
  atomicMax(reinterpret_cast<unsigned long long*>(&largest), static_cast<unsigned long long>(value));
#else
  if (value > largest) largest = value;
#endif
}

TERN_HOST_DEVICE inline std::uint32_t count_bits(std::uint32_t word) {
#if defined(__CUDA_ARCH__)
  return static_cast<std::uint32_t>(__popc(word));
#else
  return static_cast<std::uint32_t>(__builtin_popcount(word));
#endif
}

/// REQUIRES: not 0.
TERN_HOST_DEVICE inline std::uint32_t lowest_bit(std::uint32_t word) {
#if defined(__CUDA_ARCH__)
  return static_cast<std::uint32_t>(__ffs(static_cast<int>(word)) - 1);
#else
  return static_cast<std::uint32_t>(__builtin_ctz(word));
#endif
}

TERN_HOST_DEVICE inline bool has_bit(const std::uint32_t* words, std::uint32_t index) {
  return (words[index / 32U] >> (index % 32U) & 1U) != 0;
}

/// Bits set before bit `index`.
TERN_HOST_DEVICE inline std::uint32_t count_before(const std::uint32_t* words, std::uint32_t index) {
  std::uint32_t count = count_bits(words[index / 32U] & ((1U << (index % 32U)) - 1U));
  for (std::uint32_t w = 0; w < index / 32U; ++w)
    count += count_bits(words[w]);
  return count;
}

TERN_HOST_DEVICE inline std::uint32_t count_all(const std::uint32_t* words, std::uint32_t size) {
  std::uint32_t count = 0;
  for (std::uint32_t w = 0; w < size; ++w)
    count += count_bits(words[w]);
  return count;
}

}  // namespace tern::cuda
