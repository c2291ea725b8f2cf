// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "tern/export.h"

// Plain C++: what the host fills and the CUDA kernels read. Neither CUDA's headers nor libtern's large ones are needed here.

namespace tern {

struct Geometry;
struct ImageView;
struct InputContract;
class Status;

namespace cuda {

/// How many bytes and planes a pixel has. kBgr and kRgb are kPacked3; which of the two is in ImageParams::reversed.
enum class SourceKind : std::int32_t { kGray, kPacked3, kPacked4, kNv12, kI420 };
enum class ElementKind : std::int32_t { kF32, kF16, kU8 };
enum class SampleKind : std::int32_t { kPoint, kLinear, kArea };

/// Rows of bytes, in memory that the GPU reads: its own, or pinned host memory.
struct PlaneParams {
  const std::uint8_t* data;
  std::int64_t stride;  ///< bytes
};

/// One axis of Geometry, for the crop.
struct AxisParams {
  double scale, offset;
  std::int32_t source;             ///< pixels of the crop
  std::int32_t inner, inner_size;  ///< output pixels outside [inner, inner + inner_size) are padding
  std::int32_t odd;                ///< 1: the crop begins at an odd pixel, in the middle of a chroma pixel; else 0
};

/// All that the kernels need to know of one image: a block of plain memory, read by the GPU when the kernel runs, so that
/// a captured launch goes on serving when frames of other sizes, crops, formats and addresses come.
struct ImageParams {
  PlaneParams planes[3];  ///< they begin at the crop: kI420's U and V, kNv12's UV at the crop's first chroma pixel
  PlaneParams mask;       ///< data null: the mask channel is 0 (only without a mask channel)
  AxisParams x, y;
  SourceKind source;
  std::int32_t reversed;            ///< 1: the source's first channel is the output's last
  float mul[3], add[3];             ///< normalisation, in the order of the output channels
  float luma[3];                    ///< gray from colour: weights in source order
  float red[4], green[4], blue[4];  ///< of Y, U, V and 1
};

/// What all images of a launch share; passed by value.
struct OutputParams {
  void* data;                  ///< device memory; images * channels * height * width elements, aligned to its elements
  std::int32_t width, height;  ///< of the model's input
  std::int32_t colors;         ///< 1 or 3
  std::int32_t has_mask;       ///< 1: one channel more, after the colours
  std::int32_t is_planar;      ///< 1: NCHW, 0: NHWC
  ElementKind element;
  SampleKind sample;
  float padding[4];  ///< normalised, by output channel
};

/// A rectangle of an image in whole pixels, inside it.
struct Crop {
  int x = 0, y = 0, width = 0, height = 0;
};

/// Fills `params` for `image`, or for `crop` of it: the result is that of an image which holds the crop's pixels alone
/// (nothing outside is read; chroma stays where it was). `mask` is null without a mask channel, else a kGray image of
/// the whole image's size. `geometry` maps the crop, so add the crop's corner to what it gives back.
///
/// InputError names what is wrong: an invalid view, a crop that leaves the image, a mask where none belongs. `contract`
/// has passed check_contract(). The views' memory is not read; that the GPU can read it is the caller's promise.
/// Allocates nothing unless it fails. Any thread.
[[nodiscard]] TERN_API Status make_image_params(const InputContract& contract, const ImageView& image,
                                                const ImageView* mask, const std::optional<Crop>& crop,
                                                const OutputParams& out, ImageParams& params, Geometry& geometry);

/// The launch constants of `contract` for an input of width x height at `data`. ContractError when a field is out of
/// its range, InputError when the size is.
[[nodiscard]] TERN_API Status make_output_params(const InputContract& contract, int width, int height, void* data,
                                                 OutputParams& out);

}  // namespace cuda
}  // namespace tern
