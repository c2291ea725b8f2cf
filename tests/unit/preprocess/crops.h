// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "preprocess/cuda/image_params.h"
#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/image.h"
#include "tern/tensor.h"
#include "unit/preprocess/images.h"

namespace tern {

/// "" or where `out` (one f32 NCHW image of three channels) is not what the crop's pixels give. The expected values come
/// from the reference on three gray images, one for each channel or for Y, U and V with chroma repeated, and from the
/// colour matrix of the definition: a chroma plane cannot be cut at an odd pixel.
[[nodiscard]] std::string crop_difference(const InputContract& contract, const Geometry& geometry,
                                          const ImageView& image, const cuda::Crop& crop, const TensorView& out);

/// True when the words around row[offset] are the same read as words and read as bytes.
[[nodiscard]] bool same_words(const std::uint8_t* row, int offset, int row_bytes);

template <typename Random>
[[nodiscard]] cuda::Crop random_crop(const ImageView& image, Random& random) {
  const auto below = [&random](int end) { return static_cast<int>(random() % static_cast<unsigned>(end)); };
  cuda::Crop crop;
  crop.x = below(image.width);
  crop.y = below(image.height);
  crop.width = 1 + below(image.width - crop.x);
  crop.height = 1 + below(image.height - crop.y);
  return crop;
}

/// About 0.4 of the pixels become 1; the rest keep what they had.
template <typename Random>
void randomize_mask(TestImage& mask, Random& random) {
  const int pixels = mask.view().width * mask.view().height;
  const auto bytes =
      static_cast<std::size_t>(mask.view().planes[0].stride) * static_cast<std::size_t>(mask.view().height - 1) +
      static_cast<std::size_t>(mask.view().width);
  for (int i = 0; i < pixels / 2; ++i)
    mask.plane(0)[random() % bytes] = 1;
}

}  // namespace tern
