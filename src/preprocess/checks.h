// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tern/contract.h"
#include "tern/image.h"
#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

/// Height and width of an input tensor.
struct InputSize {
  int width = 0, height = 0;
};

/// ContractError when a field cannot be used or a channel of 0..255 would leave the dtype's finite range.
[[nodiscard]] Status check_contract(const InputContract& contract);

/// InputError when `contract` does not allow an input tensor of this size.
[[nodiscard]] Status check_input_size(const InputContract& contract, std::int64_t width, std::int64_t height);

/// The height and width of `out`; InputError when it cannot take `images` images under `contract`. Host memory and CUDA
/// memory are both fine here.
[[nodiscard]] Result<InputSize> check_output(const InputContract& contract, const TensorView& out, std::size_t images);

/// InputError when a call with `images` images may not have `regions` region masks.
[[nodiscard]] Status check_regions(const InputContract& contract, std::size_t images, std::size_t regions);

/// InputError when `image` with `region` (null: none) is not usable on `device`, without a word of which image it is.
[[nodiscard]] Status check_image(const InputContract& contract, const ImageView& image, const ImageView* region,
                                 DeviceKind device);

/// InputError, naming the image, when one is not usable on `device`, or when the regions do not fit the images.
[[nodiscard]] Status check_images(const InputContract& contract, std::span<const ImageView> images,
                                  std::span<const ImageView> regions, DeviceKind device);

}  // namespace tern
