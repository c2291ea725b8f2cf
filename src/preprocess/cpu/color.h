// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "tern/contract.h"
#include "tern/image.h"

namespace tern {

/// How resampled source channels become normalised output channels; f32 constants of Preprocessor's definition.
///
/// "Source order" is the order of the bytes in memory: B, G, R of kBgr and kBgra, R, G, B of kRgb and of kNv12 and
/// kI420 once they are converted, the one gray value of kGray.
struct ColorTransform {
  enum class Source : std::uint8_t { kGray, kPacked3, kPacked4, kYuv };

  Source source = Source::kPacked3;
  bool to_gray = false;                         ///< one output channel, not three
  std::array<float, 3> luma{};                  ///< for to_gray: weights in source order
  std::array<std::size_t, 3> plane{};           ///< output channel of each channel in source order
  std::array<float, 3> mul{}, add{};            ///< normalisation, in source order
  std::array<float, 4> red{}, green{}, blue{};  ///< of Y, U, V and 1

  [[nodiscard]] static ColorTransform make(const InputContract& contract, const ImageView& image) noexcept;
};

/// The padding's value of each output channel, normalised; 0 in the mask channel.
[[nodiscard]] std::array<float, 4> normalised_padding(const InputContract& contract) noexcept;

}  // namespace tern
