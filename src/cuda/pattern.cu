// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "cuda/pattern.h"

namespace tern::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr std::size_t kLargestGrid = 65535;

/// Any grid covers any count: each thread goes on by the size of the grid.
__global__ void answer_kernel(const std::uint32_t* words, std::uint32_t* answers, std::size_t count) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step)
    answers[i] = answer_word(words[i], static_cast<std::uint32_t>(i));
}

}  // namespace

cudaError_t enqueue_answers(const std::uint32_t* words, std::uint32_t* answers, std::size_t count,
                            cudaStream_t stream) {
  const std::size_t blocks = (count + kThreads - 1) / kThreads;
  const auto grid = static_cast<unsigned>(blocks < kLargestGrid ? blocks : kLargestGrid);
  answer_kernel<<<grid, kThreads, 0, stream>>>(words, answers, count);
  return cudaGetLastError();
}

}  // namespace tern::cuda
