// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/results.h"
#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

/// Turns output tensors into results, in source-image pixels.
///
/// | kind            | tensor                | result                                                                |
/// |-----------------|-----------------------|-----------------------------------------------------------------------|
/// | kYolo           | (N, 4 + C, anchors)   | best class of each anchor (the first of equals) where its score >     |
/// |                 |                       | score_threshold; nms() by nms_iou; the max_detections best; mapped    |
/// | kEnd2End        | (N, K, 6), any K      | rows with score > score_threshold; the max_detections best; mapped    |
/// | kSegmentation   | (N, C, H, W), any HxW | see segment()                                                         |
/// | kClassification | (N, C)                | the values, their softmax where they are logits, the first of the     |
/// |                 |                       | largest                                                               |
///
/// dtype f32 or f16 (converted exactly), row-major, contiguous, in host memory. Only read; nothing is done in place.
/// Detections come best first, of equal scores the one that stands first in the tensor. "Mapped" means: brought to
/// source pixels by the Geometry, clipped to the image, and dropped where no area is left.
///
/// Errors: ContractError for a shape or dtype that is not the contract's. InferenceError for values that no working
/// model gives: NaN or infinity anywhere in the tensor, scores above 1 (kYolo, kEnd2End), class ids that are not whole
/// or not in 0..C-1 (kEnd2End, in rows above the threshold). They name tensor, index, batch row. InputError for
/// arguments that do not fit each other. After an error the contents of the results are unspecified.
///
/// Synchronous, on the calling thread. One call at a time: scratch memory is kept between calls, and with the same
/// shapes and results passed again nothing is allocated.
class TERN_API Postprocessor {
 public:
  /// ContractError when `contract` is not usable (class count, thresholds outside 0..1, max_detections below 1).
  [[nodiscard]] static Result<Postprocessor> create(const OutputContract& contract);
  Postprocessor(Postprocessor&& other) noexcept;
  Postprocessor& operator=(Postprocessor&& other) noexcept;
  ~Postprocessor();

  /// kYolo, kEnd2End. `geometry` and `results` have one entry for each row of the batch.
  [[nodiscard]] Status detect(const TensorView& output, std::span<const Geometry> geometry,
                              std::span<std::vector<Detection>> results);

  /// kSegmentation. The label of an output pixel is the class with the largest logit (the first of equals), or
  /// kBackground where its softmax is not above score_threshold (a threshold of 0 never gives kBackground).
  ///
  /// Without return_to_input_size the labels are the result. With it, source pixel (x, y) lies at
  ///   u = ((x + 0.5) * scale_x + offset_x) * W / dst_width - 0.5
  /// of the output's pixel centres (v likewise), clamped to the pixels that the image touches, so that padding never
  /// bleeds in. Where the labels of the four pixels around (u, v) agree, that is the result; elsewhere their logits are
  /// blended, l = (l00 * (1-b) + l10 * b) * (1-a) + (l01 * (1-b) + l11 * b) * a in f32 (a, b: the fractions of u, v;
  /// l01 is right of l00), and labelled by the same rule. Since the regions of equal label are convex in the logits,
  /// this is bilinear interpolation of the logits at the cost of a copy. Source pixels that kCenterCrop cut away are
  /// kBackground.
  [[nodiscard]] Status segment(const TensorView& output, std::span<const Geometry> geometry,
                               std::span<Segmentation> results);

  /// kClassification.
  [[nodiscard]] Status classify(const TensorView& output, std::span<Classification> results);

 private:
  struct State;
  explicit Postprocessor(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

/// Greedy non-maximum suppression: in order of score (the lower index first among equals), a box is kept unless its
/// intersection over union with a box kept before (of the same class, when `class_aware`) is greater than `iou`.
/// Returns the indices of the first `max_keep` kept boxes, in that order.
///
/// The same set as torchvision.ops.nms and, class-aware, as its exact per-class batched_nms; all arithmetic in f32.
/// Boxes without area neither suppress nor are suppressed. InputError when a number is not finite or `iou` is not in
/// 0..1.
[[nodiscard]] TERN_API Result<std::vector<std::uint32_t>> nms(
    std::span<const Detection> boxes, float iou, bool class_aware,
    std::size_t max_keep = std::numeric_limits<std::size_t>::max());

}  // namespace tern
