// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/checks.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/error.h"

namespace tern {
namespace {

/// The largest finite value of the dtypes an input can have; 0 for the others.
double largest_finite(DType dtype) noexcept {
  if (dtype == DType::kF32) return std::numeric_limits<float>::max();
  if (dtype == DType::kF16) return 65504;
  if (dtype == DType::kU8) return std::numeric_limits<double>::max();  // clamped
  return 0;
}

Status check_side(const char* what, std::int64_t side, int fixed, const InputContract& contract) {
  if (fixed > 0 && side != fixed) {
    return make_error(StatusCode::kInputError, "the tensor's {} is {}, the contract's {}", what, side, fixed);
  }
  const std::int64_t most =
      contract.max_side > 0 ? std::min(contract.max_side, ImageView::kMaxSide) : std::int64_t{ImageView::kMaxSide};
  const std::int64_t least = std::max(contract.min_side, 1);
  if (fixed <= 0 && (side < least || side > most)) {
    return make_error(StatusCode::kInputError, "the tensor's {} is {}; the contract allows {} to {}", what, side, least,
                      most);
  }
  return {};
}

Status check_pixels(const ImageView& image, DeviceKind device) {
  TERN_RETURN_IF_ERROR(image.validate());
  if (image.device.kind == device) return {};
  return make_error(StatusCode::kInputError, "the pixels lie in {} memory", image.device.to_string());
}

Status check_region(const ImageView& image, const ImageView& region, DeviceKind device) {
  TERN_RETURN_IF_ERROR(region.validate());
  if (region.format != PixelFormat::kGray) {
    return make_error(StatusCode::kInputError, "the mask's format is {}; masks are gray", to_string(region.format));
  }
  if (region.width != image.width || region.height != image.height) {
    return make_error(StatusCode::kInputError, "the mask has {}x{} pixels, its image {}x{}", region.width,
                      region.height, image.width, image.height);
  }
  if (region.device.kind != device) {
    return make_error(StatusCode::kInputError, "the mask lies in {} memory", region.device.to_string());
  }
  return {};
}

}  // namespace

Status check_contract(const InputContract& contract) {
  if (largest_finite(contract.dtype) == 0) {
    return make_error(StatusCode::kContractError, "dtype {} cannot be an image input; f32, f16 and u8 can",
                      to_string(contract.dtype));
  }
  if (contract.pad_value < 0 || contract.pad_value > 255) {
    return make_error(StatusCode::kContractError, "pad_value is {}; it must be in 0..255", contract.pad_value);
  }
  if (contract.width < 0 || contract.height < 0 || contract.width > ImageView::kMaxSide ||
      contract.height > ImageView::kMaxSide) {
    return make_error(StatusCode::kContractError, "the input's size {}x{} is not in 0..{}", contract.width,
                      contract.height, ImageView::kMaxSide);
  }
  for (std::size_t c = 0; c < static_cast<std::size_t>(contract.color_channels()); ++c) {
    const double mul = contract.scale / contract.std[c];
    const double add = -contract.mean[c] / contract.std[c];
    const double largest = std::max(std::abs(add), std::abs(255 * mul + add));
    // Written so that NaN fails too.
    if (!(contract.std[c] != 0 && std::isfinite(mul) && std::isfinite(add) &&
          largest <= largest_finite(contract.dtype) && std::abs(mul) <= std::numeric_limits<float>::max() / 1024 &&
          std::abs(add) <= std::numeric_limits<float>::max() / 1024)) {
      return make_error(StatusCode::kContractError,
                        "scale {}, mean {} and std {} of channel {} take 0..255 to values that {} cannot hold",
                        contract.scale, contract.mean[c], contract.std[c], c, to_string(contract.dtype));
    }
  }
  return {};
}

Status check_input_size(const InputContract& contract, std::int64_t width, std::int64_t height) {
  TERN_RETURN_IF_ERROR(check_side("height", height, contract.height, contract));
  return check_side("width", width, contract.width, contract);
}

Result<InputSize> check_output(const InputContract& contract, const TensorView& out, std::size_t images) {
  const Shape& shape = out.shape();
  const bool planar = contract.layout == TensorLayout::kNchw;
  if (out.empty()) return make_error(StatusCode::kInputError, "the tensor has no memory");
  if (out.dtype() != contract.dtype) {
    return make_error(StatusCode::kInputError, "the tensor's dtype is {}, the contract's {}", to_string(out.dtype()),
                      to_string(contract.dtype));
  }
  if (shape.rank() != 4 || shape[planar ? 1 : 3] != contract.channels()) {
    return make_error(
        StatusCode::kInputError, "the tensor's shape is {}; the contract asks for {}", shape.to_string(),
        planar ? fmt::format("Nx{}xHxW", contract.channels()) : fmt::format("NxHxWx{}", contract.channels()));
  }
  if (shape[0] < 0 || static_cast<std::size_t>(shape[0]) != images) {
    return make_error(StatusCode::kInputError, "the tensor takes {} images; {} were given", shape[0], images);
  }
  const std::int64_t height = shape[planar ? 2 : 1];
  const std::int64_t width = shape[planar ? 3 : 2];
  TERN_RETURN_IF_ERROR(check_input_size(contract, width, height));
  if (!out.is_contiguous()) return make_error(StatusCode::kInputError, "the tensor is not contiguous");
  if (reinterpret_cast<std::uintptr_t>(out.data()) % size_of(out.dtype()) != 0) {
    return make_error(StatusCode::kInputError, "the tensor's memory is not aligned to its {} elements",
                      to_string(out.dtype()));
  }
  return InputSize{static_cast<int>(width), static_cast<int>(height)};
}

Status check_regions(const InputContract& contract, std::size_t images, std::size_t regions) {
  if (contract.mask_channel && regions != images) {
    return make_error(StatusCode::kInputError, "the model takes a region mask for each image; {} masks for {} images",
                      regions, images);
  }
  if (contract.mask_channel || regions == 0) return {};
  return make_error(StatusCode::kInputError, "{} region masks were given to a model that takes none", regions);
}

Status check_image(const InputContract& contract, const ImageView& image, const ImageView* region, DeviceKind device) {
  TERN_RETURN_IF_ERROR(check_regions(contract, 1, region == nullptr ? 0 : 1));
  TERN_RETURN_IF_ERROR(check_pixels(image, device));
  return region == nullptr ? Status() : check_region(image, *region, device).at("region");
}

Status check_images(const InputContract& contract, std::span<const ImageView> images,
                    std::span<const ImageView> regions, DeviceKind device) {
  if (images.empty()) return make_error(StatusCode::kInputError, "no images were given");
  TERN_RETURN_IF_ERROR(check_regions(contract, images.size(), regions.size()));
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (const Status status = check_pixels(images[i], device); !status.ok())
      return status.at(fmt::format("image {}", i));
    if (regions.empty()) continue;
    if (const Status status = check_region(images[i], regions[i], device); !status.ok()) {
      return status.at(fmt::format("region {}", i));
    }
  }
  return {};
}

}  // namespace tern
