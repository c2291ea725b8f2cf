// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/checks.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "tern/image.h"

namespace tern {
namespace {

constexpr int kMaxMaskClasses = 255;  // a mask is bytes, and 255 is kBackground
/// Of an anchor or pixel index; larger outputs do not occur.
constexpr std::int64_t kMaxRowElements = std::int64_t{1} << 31;

bool fits(const OutputContract& contract, const Shape& shape) noexcept {
  const std::int64_t classes = contract.classes;
  switch (contract.kind) {
    case OutputKind::kYolo:
      return shape.rank() == 3 && shape[1] == 4 + classes;
    case OutputKind::kEnd2End:
      return shape.rank() == 3 && shape[2] == 6;
    case OutputKind::kSegmentation:
      return shape.rank() == 4 && shape[1] == classes && shape[2] > 0 && shape[3] > 0;
    case OutputKind::kClassification:
      return shape.rank() == 2 && shape[1] == classes;
  }
  return false;
}

/// The shape that fits(), as people read it.
std::string wanted_shape(const OutputContract& contract) {
  const std::int64_t classes = contract.classes;
  switch (contract.kind) {
    case OutputKind::kYolo:
      return fmt::format("Nx{}xA (4 box rows and {} classes, A anchors)", 4 + classes, classes);
    case OutputKind::kEnd2End:
      return "NxKx6 (x1, y1, x2, y2, score, class)";
    case OutputKind::kSegmentation:
      return fmt::format("Nx{}xHxW", classes);
    case OutputKind::kClassification:
      return fmt::format("Nx{}", classes);
  }
  return {};
}

}  // namespace

Status check_output_contract(const OutputContract& contract) {
  const auto wrong = [&](std::string message) {
    return Status(StatusCode::kContractError, std::move(message)).at(contract.tensor);
  };
  if (contract.classes < 1) return wrong(fmt::format("it has {} classes; at least 1 is needed", contract.classes));
  if (contract.kind == OutputKind::kSegmentation && contract.classes > kMaxMaskClasses) {
    return wrong(
        fmt::format("a segmentation of {} classes; at most {} fit a mask's byte", contract.classes, kMaxMaskClasses));
  }
  if (!(contract.score_threshold >= 0 && contract.score_threshold <= 1))
    return wrong(fmt::format("score_threshold is {}; it must be in 0..1", contract.score_threshold));
  if (!(contract.nms_iou >= 0 && contract.nms_iou <= 1))
    return wrong(fmt::format("nms_iou is {}; it must be in 0..1", contract.nms_iou));
  if (contract.kind == OutputKind::kSegmentation && !contract.logits && contract.score_threshold > 0) {
    return wrong("score_threshold needs logits, and this output holds probabilities")
        .with_hint("leave score_threshold at 0 for this model");
  }
  if (contract.max_detections < 1)
    return wrong(fmt::format("max_detections is {}; it must be at least 1", contract.max_detections));
  return {};
}

Status check_output_form(const OutputContract& contract, const Shape& shape, DType dtype) {
  if (!fits(contract, shape)) {
    return make_error(StatusCode::kContractError, "the output has shape {}; {} needs {}", shape.to_string(),
                      to_string(contract.kind), wanted_shape(contract))
        .at(contract.tensor);
  }
  if (dtype != DType::kF32 && dtype != DType::kF16) {
    return make_error(StatusCode::kContractError, "the output is {}; f32 and f16 can be read", to_string(dtype))
        .at(contract.tensor);
  }
  return {};
}

Status check_output_tensor(const OutputContract& contract, const TensorView& output, std::size_t rows) {
  const Shape& shape = output.shape();
  TERN_RETURN_IF_ERROR(check_output_form(contract, shape, output.dtype()));
  if (static_cast<std::size_t>(shape[0]) != rows) {
    return make_error(StatusCode::kInputError, "the output has {} batch rows, but {} were expected", shape[0], rows)
        .at(contract.tensor);
  }
  TERN_ASSIGN_OR_RETURN(const std::int64_t elements, shape.elements());
  if (shape[0] > 0 && elements / shape[0] > kMaxRowElements) {
    return make_error(StatusCode::kInputError, "the output's shape {} is too large", shape.to_string())
        .at(contract.tensor);
  }
  if (output.device().kind != DeviceKind::kCpu) {
    return make_error(StatusCode::kInputError, "the output is on {}; it must be in host memory",
                      output.device().to_string())
        .at(contract.tensor);
  }
  if (elements > 0 && output.data() == nullptr)
    return make_error(StatusCode::kInputError, "the output has no memory").at(contract.tensor);
  if (!output.is_contiguous())
    return make_error(StatusCode::kInputError, "the output is not contiguous").at(contract.tensor);
  return {};
}

Status check_geometry(const Geometry& g) {
  const auto side_ok = [](int side) { return side > 0 && side <= ImageView::kMaxSide; };
  const auto inner_ok = [](int first, int length, int side) {
    return first >= 0 && length > 0 && first <= side && length <= side - first;
  };
  const auto scale_ok = [](double scale) { return scale >= 1e-9 && scale <= 1e9; };  // false for NaN
  const auto offset_ok = [](double offset) { return std::abs(offset) <= 1e9; };
  if (side_ok(g.src_width) && side_ok(g.src_height) && side_ok(g.dst_width) && side_ok(g.dst_height) &&
      scale_ok(g.scale_x) && scale_ok(g.scale_y) && offset_ok(g.offset_x) && offset_ok(g.offset_y) &&
      inner_ok(g.inner_x, g.inner_width, g.dst_width) && inner_ok(g.inner_y, g.inner_height, g.dst_height)) {
    return {};
  }
  return make_error(StatusCode::kInputError, "the geometry {}x{} -> {}x{} (scale {}, {}; offset {}, {}) is no map",
                    g.src_width, g.src_height, g.dst_width, g.dst_height, g.scale_x, g.scale_y, g.offset_x, g.offset_y)
      .with_hint("make it with Geometry::make()");
}

Status non_finite_error(const OutputContract& contract, const Shape& shape, std::span<const float> row,
                        std::size_t batch_row) {
  const auto bad = std::ranges::find_if(row, [](float v) { return !std::isfinite(v); });
  return non_finite_error(contract, shape, *bad, static_cast<std::size_t>(bad - row.begin()), batch_row);
}

Status non_finite_error(const OutputContract& contract, const Shape& shape, float value, std::size_t index,
                        std::size_t batch_row) {
  auto rest = static_cast<std::int64_t>(index);
  std::string place;
  for (std::size_t axis = shape.rank(); axis-- > 1;) {
    place = fmt::format(", {}{}", rest % shape[axis], place);
    rest /= shape[axis];
  }
  return make_error(StatusCode::kInferenceError, "the output holds {} at [{}{}], in image {} of the batch", value,
                    batch_row, place, batch_row)
      .at(contract.tensor)
      .with_hint("try a higher precision; if f32 gives it too, the model or its input is damaged");
}

Status score_error(float score, std::string_view where, std::size_t index) {
  return make_error(StatusCode::kInferenceError, "{} {} has the score {}; scores are in 0..1", where, index, score)
      .with_hint("the model must end in a sigmoid, or its output is not what the contract says");
}

Status class_error(float class_id, std::size_t row, int classes) {
  return make_error(StatusCode::kInferenceError, "row {} has the class {}; it must be a whole number in 0..{}", row,
                    class_id, classes - 1)
      .with_hint("the model's class count may differ from the contract's");
}

}  // namespace tern
