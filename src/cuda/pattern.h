// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>
#include <optional>
#include <span>

#include "base/host_device.h"

namespace tern::cuda {

/// Word `index` of what the self-test sends: every bit changes often, and no two words near each other are equal.
TERN_HOST_DEVICE constexpr std::uint32_t sent_word(std::uint32_t index) {
  return (index ^ (index >> 15U)) * 0x2C1B3C6DU + 0x9E3779B9U;
}
/// What the kernel makes of word `index`. It depends on the place too, so that words that changed places are found.
TERN_HOST_DEVICE constexpr std::uint32_t answer_word(std::uint32_t word, std::uint32_t index) {
  const std::uint32_t mixed = word ^ (index * 0x85EBCA6BU);
  return (mixed << 7U) | (mixed >> 25U);
}

void fill_with_pattern(std::span<std::uint32_t> words);
/// Index of the first word that is not the kernel's answer to the pattern.
[[nodiscard]] std::optional<std::size_t> first_wrong_answer(std::span<const std::uint32_t> words);

/// Enqueues the kernel on `stream`: answers[i] = answer_word(words[i], i). Both are device memory.
cudaError_t enqueue_answers(const std::uint32_t* words, std::uint32_t* answers, std::size_t count, cudaStream_t stream);

}  // namespace tern::cuda
