// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "tern/golden.h"
#include "tern/postprocess.h"
#include "tern/tensor.h"

namespace tern {

/// Floats of any type, or integers of any type.
[[nodiscard]] bool is_float(DType dtype) noexcept;
/// The elements as f32 (f64 is rounded), in `scratch` where they are of another type. REQUIRES: is_float, contiguous, on the CPU.
[[nodiscard]] std::span<const float> as_floats(const TensorView& tensor, std::vector<float>& scratch);
/// No NaN and no infinity; true for integers. REQUIRES: contiguous, on the CPU.
[[nodiscard]] bool is_finite(const TensorView& tensor);

/// How far two lists of floats of equal length are apart. Not finite where they are not.
struct FloatDistance {
  double cosine = 1;    ///< 1 for two lists of zeros, 0 when one of them is
  double absolute = 0;  ///< largest absolute difference
  double relative =
      0;  ///< `absolute` over the reference's largest absolute value; infinite when that is 0 and they differ
};
[[nodiscard]] FloatDistance distance(std::span<const float> found, std::span<const float> reference) noexcept;

/// The highest score of an end2end output, or 0. REQUIRES: floats, contiguous, on the CPU.
[[nodiscard]] float best_score(const TensorView& end2end);

/// Part of the elements that are equal; 1 for no elements. REQUIRES: same integer type and shape, contiguous, on the CPU.
[[nodiscard]] double part_equal(const TensorView& found, const TensorView& reference) noexcept;

/// Intersection over union; 0 where both are empty.
[[nodiscard]] double box_iou(const Detection& a, const Detection& b) noexcept;

/// What detections have in common with the reference's.
struct BoxAgreement {
  std::size_t reference = 0, missing = 0;  ///< reference detections that count, and those of them without a counterpart
  std::size_t found = 0, extra = 0;        ///< found detections that count, and those of them without a counterpart
  double lowest_iou = 1, largest_score_difference = 0;  ///< of the pairs
};
/// Pairs each reference detection, best score first, with the free found one of its class that overlaps it most (by at least
/// kPairIou); the two are counterparts when they are within `tolerance`. A detection without a pair counts only where its score
/// is above `edge` by more than the tolerance: below, it may rightly be missing on one side. (`edge`: the score threshold, or
/// the lowest score that max_detections left.)
[[nodiscard]] BoxAgreement compare_boxes(std::span<const Detection> found, std::span<const Detection> reference,
                                         double edge, const GoldenTolerance& tolerance);

/// Results of one frame.
struct DecodedFrame {
  std::vector<Detection> boxes{};
  Segmentation mask{};
  Classification classes{};
};

/// Decodes one frame's output as the contract says, in pixels of the frame's image (of the input, where there was none).
class GoldenDecoder {
 public:
  [[nodiscard]] static Result<GoldenDecoder> create(const Contract& contract);
  /// The same but for the score threshold.
  [[nodiscard]] Result<GoldenDecoder> with_threshold(float threshold) const;
  /// `output`: one row. Errors as Postprocessor's.
  [[nodiscard]] Status decode(const GoldenFrame& frame, const TensorView& output, DecodedFrame& decoded);
  [[nodiscard]] const Contract& contract() const noexcept { return contract_; }
  /// Whether there is anything in it to compare.
  [[nodiscard]] bool finds_something(const DecodedFrame& decoded) const noexcept;

 private:
  GoldenDecoder(Contract contract, Postprocessor postprocessor)
      : contract_(std::move(contract)), postprocessor_(std::move(postprocessor)) {}
  [[nodiscard]] Result<Geometry> geometry_of(const GoldenFrame& frame) const;

  Contract contract_;
  Postprocessor postprocessor_;
  std::vector<float> scratch_;
};

}  // namespace tern
