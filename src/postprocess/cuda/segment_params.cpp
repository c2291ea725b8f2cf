// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/cuda/segment_params.h"

#include "base/error.h"
#include "postprocess/checks.h"
#include "postprocess/cpu/kernels.h"
#include "postprocess/cuda/values.h"
#include "tern/geometry.h"

namespace tern::cuda {
namespace {

SegmentAxis make_axis(int source, int output, int input, double scale, double offset, int inner, int inner_length) {
  // The output pixels that the image touches, in whole numbers: rounding must not add a pixel of padding.
  const std::int64_t pixels = output;
  return {.scale = scale,
          .offset = offset,
          .ratio = static_cast<double>(output) / input,
          .source = source,
          .input = input,
          .first = static_cast<std::int32_t>(inner * pixels / input),
          .last = static_cast<std::int32_t>(((inner + inner_length) * pixels + input - 1) / input) - 1};
}

}  // namespace

Result<SegmentPlan> make_segment_plan(const OutputContract& contract, const Shape& shape, DType dtype) {
  TERN_RETURN_IF_ERROR(check_output_contract(contract));
  if (contract.kind != OutputKind::kSegmentation) {
    return make_error(StatusCode::kContractError, "the contract's output is {}; it cannot be decoded to masks",
                      to_string(contract.kind))
        .at(contract.tensor);
  }
  TERN_RETURN_IF_ERROR(check_output_form(contract, shape, dtype));
  return SegmentPlan{.is_half = dtype == DType::kF16 ? 1 : 0,
                     .classes = contract.classes,
                     .width = static_cast<std::int32_t>(shape[3]),
                     .height = static_cast<std::int32_t>(shape[2]),
                     .resamples = contract.return_to_input_size ? 1 : 0};
}

SegmentImage make_segment_image(const OutputContract& contract, const SegmentPlan& plan, const Geometry& g,
                                std::uint8_t* mask) noexcept {
  const LabelRule rule = LabelRule::of(static_cast<std::size_t>(plan.classes), contract.score_threshold);
  return {
      .mask = mask,
      .x = make_axis(g.src_width, plan.width, g.dst_width, g.scale_x, g.offset_x, g.inner_x, g.inner_width),
      .y = make_axis(g.src_height, plan.height, g.dst_height, g.scale_y, g.offset_y, g.inner_y, g.inner_height),
      .gap = rule.gap,
      .inverse_threshold = rule.inverse_threshold,
  };
}

std::size_t mask_bytes(const SegmentPlan& plan, const Geometry& g) noexcept {
  if (plan.resamples == 0) return plan.pixels();
  return static_cast<std::size_t>(g.src_width) * static_cast<std::size_t>(g.src_height);
}

Status check_segmentation(const OutputContract& contract, const Shape& shape, const SegmentHeader& header,
                          std::size_t image) {
  if (header.bad_value == 0) return {};
  return non_finite_error(contract, shape, Fault::value(header.bad_value), Fault::index(header.bad_value), image);
}

}  // namespace tern::cuda
