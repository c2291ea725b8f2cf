// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "cuda/pattern.h"

namespace tern::cuda {

void fill_with_pattern(std::span<std::uint32_t> words) {
  for (std::size_t i = 0; i < words.size(); ++i)
    words[i] = sent_word(static_cast<std::uint32_t>(i));
}

std::optional<std::size_t> first_wrong_answer(std::span<const std::uint32_t> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    if (words[i] != answer_word(sent_word(index), index)) return i;
  }
  return std::nullopt;
}

}  // namespace tern::cuda
