// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/golden_compare.h"
#include "tern/golden.h"

namespace tern {

/// Compares outputs and results with their reference and writes a row into the report for each measure.
class GoldenMeasure {
 public:
  /// Both must outlive this.
  GoldenMeasure(const GoldenTolerance& tolerance, GoldenReport& report) noexcept
      : tolerance_(tolerance), report_(report) {}
  /// The frame that the rows after this belong to.
  void start_frame(int frame) noexcept { frame_ = frame; }

  /// One output tensor; `contract` where it is the one that is decoded, else null. False when values are not finite, and it is
  /// not to be decoded. GoldenCheckError when shape or type are not the reference's.
  [[nodiscard]] Result<bool> tensor(const std::string& what, const TensorView& found, const TensorView& reference,
                                    const OutputContract* contract);
  /// Decoded results. `suffix` stands behind "boxes", "mask" or "class".
  void decoded(std::string_view suffix, const DecodedFrame& found, const DecodedFrame& reference,
               const OutputContract& contract);

 private:
  void floats(const std::string& what, std::span<const float> found, std::span<const float> reference);
  void boxes(const std::string& what, const DecodedFrame& found, const DecodedFrame& reference,
             const OutputContract& contract);
  void masks(const std::string& what, const Segmentation& found, const Segmentation& reference);
  void classes(const std::string& what, const Classification& found, const Classification& reference);
  void at_least(const std::string& what, std::string_view measure, double found, double wanted);
  void at_most(const std::string& what, std::string_view measure, double found, double wanted);

  const GoldenTolerance& tolerance_;
  GoldenReport& report_;
  int frame_ = 0;
  std::vector<float> found_scratch_, reference_scratch_;
};

}  // namespace tern
