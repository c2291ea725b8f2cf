// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/image.h"
#include "tern/tensor.h"

namespace tern {

/// Preprocessor's definition in plain double arithmetic, pixel by pixel: what the fast implementations are held
/// against.
///
/// The channels of input pixel (x, y), before they are stored in the contract's dtype. `region` is null without a mask
/// channel. REQUIRES: valid views in host memory, `geometry` made from them and `contract`, (x, y) inside the input.
[[nodiscard]] std::array<double, 4> reference_pixel(const InputContract& contract, const Geometry& geometry,
                                                    const ImageView& image, const ImageView* region, int x, int y);

/// Fills `out`, one image: (1, C, H, W) or (1, H, W, C) of the contract's dtype, contiguous, in host memory.
void reference_image(const InputContract& contract, const Geometry& geometry, const ImageView& image,
                     const ImageView* region, const TensorView& out);

}  // namespace tern
