// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "tern/export.h"

// Plain C++: what the host fills and reads and the CUDA kernels work with.

namespace tern {

class Shape;
class Status;
template <typename T>
class Result;
enum class DType : std::uint8_t;
struct Geometry;
struct OutputContract;

namespace cuda {

/// What all frames of a segmentation share; passed to the kernels by value.
struct SegmentPlan {
  std::int32_t is_half;  ///< 1: f16, 0: f32
  std::int32_t classes;
  std::int32_t width, height;  ///< of the output
  std::int32_t resamples;      ///< 1: the mask has the source's size, 0: the output's

  [[nodiscard]] TERN_HOST_DEVICE std::size_t pixels() const noexcept {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  }
};

/// Where the pixels of one axis of the source lie on the output's grid.
struct SegmentAxis {
  double scale, offset;      ///< Geometry's
  double ratio;              ///< output pixels per input pixel
  std::int32_t source;       ///< pixels
  std::int32_t input;        ///< pixels; what lies outside was not seen by the model
  std::int32_t first, last;  ///< output pixels that the image touches
};

/// What an image brings; read by the GPU when the kernels run, so that a captured launch goes on serving.
struct SegmentImage {
  std::uint8_t* mask;  ///< device memory, aligned to 4 bytes: mask_bytes() of them
  SegmentAxis x, y;
  float gap, inverse_threshold;  ///< LabelRule's
};

/// How labelling an image ended. The fault is made by Fault; 0 is none.
struct SegmentHeader {
  std::uint64_t bad_value;  ///< the first NaN or infinity, by its index in the image's part of the output
};

/// ContractError when `contract` or an output of `shape` (any batch) and `dtype` is not what Postprocessor::segment() takes.
[[nodiscard]] TERN_API Result<SegmentPlan> make_segment_plan(const OutputContract& contract, const Shape& shape,
                                                             DType dtype);
[[nodiscard]] TERN_API SegmentImage make_segment_image(const OutputContract& contract, const SegmentPlan& plan,
                                                       const Geometry& geometry, std::uint8_t* mask) noexcept;
/// Pixels of the mask of an image with this geometry.
[[nodiscard]] TERN_API std::size_t mask_bytes(const SegmentPlan& plan, const Geometry& geometry) noexcept;
/// The Status of Postprocessor::segment() for the image that stands in row `image` of an output of `shape`.
[[nodiscard]] TERN_API Status check_segmentation(const OutputContract& contract, const Shape& shape,
                                                 const SegmentHeader& header, std::size_t image);

}  // namespace cuda
}  // namespace tern
