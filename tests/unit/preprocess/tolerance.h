// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/image.h"
#include "tern/tensor.h"

namespace tern {

/// "" or where and how `out`, one image in host memory, differs from the reference by more than Preprocessor's definition
/// allows.
[[nodiscard]] std::string difference(const InputContract& contract, const Geometry& geometry, const ImageView& image,
                                     const ImageView* region, const TensorView& out);

/// What was tested, for messages.
[[nodiscard]] std::string describe(const InputContract& contract, const ImageView& image, const Geometry& geometry);

/// How far an element of channel `channel` may lie from the value `exact`.
[[nodiscard]] double bound(const InputContract& contract, std::size_t channel, double exact);

/// Element `i` as a number.
[[nodiscard]] double element(const TensorView& out, std::size_t i);

/// Combination `index` of 0 to kRuleCombinations - 1: resize, interpolation, colour, layout, dtype and mask; pad side,
/// rounding and normalisation come from `random`.
inline constexpr int kRuleCombinations = 4 * 3 * 3 * 2 * 3 * 2;
template <typename Random>
[[nodiscard]] InputContract contract_of_rules(int index, Random& random) {
  constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kU8};
  const auto pick = [&index](int choices) {
    const int choice = index % choices;
    index /= choices;
    return choice;
  };
  InputContract contract;
  contract.resize = ResizeRule(pick(4));
  contract.interpolation = Interpolation(pick(3));
  contract.color = ColorOrder(pick(3));
  contract.layout = TensorLayout(pick(2));
  contract.dtype = kTypes[pick(3)];
  contract.mask_channel = pick(2) != 0;
  contract.pad_side = PadSide(random() % 2);
  contract.rounding = Rounding(random() % 3);
  if (contract.dtype == DType::kU8) {
    contract.scale = random() % 2 == 0 ? 1 : 1.3;
    contract.mean = {0, 11.5, 3, 0};
  } else if (random() % 2 == 0) {
    contract.mean = {0.485, 0.456, 0.406, 9};
    contract.std = {0.229, 0.224, -0.225, 9};
  }
  return contract;
}

}  // namespace tern
