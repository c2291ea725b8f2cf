// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tern/export.h"

// Plain C++: what the host fills and reads and the CUDA kernels work with.

namespace tern {

class Shape;
class Status;
template <typename T>
class Result;
enum class DType : std::uint8_t;
struct Detection;
struct Geometry;
struct OutputContract;

namespace cuda {

/// What all frames of a detector share; passed to the kernels by value.
struct DetectPlan {
  /// The kernels keep a place for each detection in fast memory.
  static constexpr int kMostDetections = 1024;

  std::int32_t is_yolo;  ///< 1: (N, 4 + classes, anchors), 0: (N, anchors, 6)
  std::int32_t is_half;  ///< 1: f16, 0: f32
  std::int32_t classes;
  std::int32_t anchors;      ///< rows of an end-to-end output
  std::int32_t limit;        ///< detections an image may have: the contract's, or as many as there are anchors
  std::int32_t class_aware;  ///< 1: boxes suppress those of their class alone
};

/// What an image brings; read by the GPU when the kernels run, so that a captured launch goes on serving.
struct DetectImage {
  double scale_x, scale_y, offset_x, offset_y;  ///< Geometry's
  std::int32_t src_width, src_height;           ///< boxes are clipped to it
  float score_threshold, nms_iou;
};

/// How decoding an image ended. The faults are made by Fault; 0 is none.
struct DetectHeader {
  std::uint64_t bad_value;   ///< the first NaN or infinity, by its index in the image's part of the output
  std::uint64_t bad_score;   ///< the first score above 1, by anchor (row)
  std::uint64_t bad_class;   ///< the first row whose class is none (end-to-end)
  std::uint32_t candidates;  ///< scores above the threshold
  std::uint32_t rows;        ///< detections
};

/// tern::Detection, as the kernels write it.
struct DetectRow {
  float x1, y1, x2, y2, score;
  std::int32_t class_id;
};

/// ContractError when `contract` or an output of `shape` (any batch) and `dtype` is not what Postprocessor::detect() takes, or
/// when max_detections is above DetectPlan::kMostDetections.
[[nodiscard]] TERN_API Result<DetectPlan> make_detect_plan(const OutputContract& contract, const Shape& shape,
                                                           DType dtype);
[[nodiscard]] TERN_API DetectImage make_detect_image(const OutputContract& contract, const Geometry& geometry) noexcept;

/// Device memory that the kernels work in.
[[nodiscard]] TERN_API std::size_t detect_scratch_bytes(const DetectPlan& plan, std::size_t images) noexcept;
/// The headers of all images, then plan.limit rows for each.
[[nodiscard]] TERN_API std::size_t detect_result_bytes(const DetectPlan& plan, std::size_t images) noexcept;

/// Results of the first detections.size() of `images` images from the bytes that the kernels left in host memory. The Status is
/// that of Postprocessor::detect() for an output of `shape`: InferenceError for NaN, infinity, scores above 1 and classes that
/// are none. Allocates nothing where the vectors have had their full size before.
[[nodiscard]] TERN_API Status read_detections(const OutputContract& contract, const Shape& shape,
                                              const DetectPlan& plan, const void* results, std::size_t images,
                                              std::span<std::vector<Detection>> detections);

}  // namespace cuda
}  // namespace tern
