// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "preprocess/cpu/color.h"
#include "preprocess/cpu/output.h"
#include "preprocess/frame_plan.h"
#include "tern/contract.h"
#include "tern/image.h"
#include "tern/tensor.h"

namespace tern {

/// One pass from source pixels to the input tensor: each source row is read at most once for an output row, each output
/// element written once, and between the two lie only buffers of a row. Not thread-safe; memory is kept between images.
class FusedPreprocess {
 public:
  explicit FusedPreprocess(const InputContract& contract) : contract_(contract), output_(contract) {}

  /// Two source rows; equal when one is all that counts, -1 for none.
  struct RowPair {
    int top = -1, bottom = -1;
  };

  /// REQUIRES: what reference_image() does; `plan` from the same contract and sizes.
  void run(const FramePlan& plan, const ImageView& image, const ImageView* region, const TensorView& out);

 private:
  /// The words of one source row (fetch.h), remembered for the next output row.
  struct FetchedRow {
    std::vector<std::uint8_t> words;
    int row = -1;
  };

  void sample(const FramePlan& plan, const ImageView& image, std::size_t row, const std::array<float*, 3>& out);
  void average(const FramePlan& plan, const ImageView& image, std::size_t row, const std::array<float*, 3>& out);
  void sum_rows(const AxisPlan& y, std::size_t row, const ImageView::Plane& plane, int shift, std::size_t begin,
                std::size_t end, float* sums) const noexcept;

  InputContract contract_;
  OutputRows output_;
  ColorTransform transform_;
  bool boxes_ = false;  ///< this image is resampled through sums, not through words

  FetchedRow top_, bottom_;
  std::array<std::vector<float>, 3> sums_;      ///< a row of each plane, summed over source rows
  std::array<std::vector<float>, 3> averages_;  ///< a row of each channel, resampled
};

}  // namespace tern
