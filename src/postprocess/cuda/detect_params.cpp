// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/cuda/detect_params.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/error.h"
#include "postprocess/checks.h"
#include "postprocess/cuda/detect_scratch.h"
#include "postprocess/cuda/values.h"
#include "tern/results.h"

namespace tern::cuda {

static_assert(sizeof(DetectRow) == sizeof(Detection) && std::is_trivially_copyable_v<Detection> &&
              offsetof(DetectRow, x1) == offsetof(Detection, x1) &&
              offsetof(DetectRow, x2) == offsetof(Detection, x2) &&
              offsetof(DetectRow, score) == offsetof(Detection, score) &&
              offsetof(DetectRow, class_id) == offsetof(Detection, class_id));

namespace {

/// What went wrong in one image, in the order in which Postprocessor::detect() finds it.
Status check_header(const OutputContract& contract, const Shape& shape, const DetectHeader& header, std::size_t image) {
  if (header.bad_value != 0)
    return non_finite_error(contract, shape, Fault::value(header.bad_value), Fault::index(header.bad_value), image);
  const bool is_yolo = contract.kind == OutputKind::kYolo;
  // The larger fault is the earlier row. Of one row, the score is looked at first.
  const bool is_score = header.bad_score != 0 &&
                        (header.bad_class == 0 || Fault::index(header.bad_score) <= Fault::index(header.bad_class));
  const auto where = [&](const Status& status) {
    return status.at(fmt::format("{}, batch row {}", contract.tensor, image));
  };
  if (is_score) {
    return where(
        score_error(Fault::value(header.bad_score), is_yolo ? "anchor" : "row", Fault::index(header.bad_score)));
  }
  if (header.bad_class != 0)
    return where(class_error(Fault::value(header.bad_class), Fault::index(header.bad_class), contract.classes));
  return {};
}

}  // namespace

Result<DetectPlan> make_detect_plan(const OutputContract& contract, const Shape& shape, DType dtype) {
  TERN_RETURN_IF_ERROR(check_output_contract(contract));
  if (contract.kind != OutputKind::kYolo && contract.kind != OutputKind::kEnd2End) {
    return make_error(StatusCode::kContractError, "the contract's output is {}; it cannot be decoded to boxes",
                      to_string(contract.kind))
        .at(contract.tensor);
  }
  TERN_RETURN_IF_ERROR(check_output_form(contract, shape, dtype));
  const bool is_yolo = contract.kind == OutputKind::kYolo;
  const std::int64_t anchors = shape[is_yolo ? 2 : 1];
  if (anchors < 0) {
    return make_error(StatusCode::kContractError, "the output's shape {} is open", shape.to_string())
        .at(contract.tensor);
  }
  if (contract.max_detections > DetectPlan::kMostDetections && anchors > DetectPlan::kMostDetections) {
    return make_error(StatusCode::kContractError, "max_detections is {}; at most {} are decoded on a GPU",
                      contract.max_detections, DetectPlan::kMostDetections)
        .at(contract.tensor);
  }
  return DetectPlan{.is_yolo = is_yolo ? 1 : 0,
                    .is_half = dtype == DType::kF16 ? 1 : 0,
                    .classes = contract.classes,
                    .anchors = static_cast<std::int32_t>(anchors),
                    .limit = static_cast<std::int32_t>(std::min<std::int64_t>(contract.max_detections, anchors)),
                    .class_aware = contract.class_aware_nms ? 1 : 0};
}

DetectImage make_detect_image(const OutputContract& contract, const Geometry& g) noexcept {
  return {.scale_x = g.scale_x,
          .scale_y = g.scale_y,
          .offset_x = g.offset_x,
          .offset_y = g.offset_y,
          .src_width = g.src_width,
          .src_height = g.src_height,
          .score_threshold = contract.score_threshold,
          .nms_iou = contract.nms_iou};
}

std::size_t detect_scratch_bytes(const DetectPlan& plan, std::size_t images) noexcept {
  return images * Candidates::bytes(plan.anchors);
}

std::size_t detect_result_bytes(const DetectPlan& plan, std::size_t images) noexcept {
  return images * (sizeof(DetectHeader) + static_cast<std::size_t>(plan.limit) * sizeof(DetectRow));
}

Status read_detections(const OutputContract& contract, const Shape& shape, const DetectPlan& plan, const void* results,
                       std::size_t images, std::span<std::vector<Detection>> detections) {
  const auto* headers = static_cast<const std::byte*>(results);
  const std::byte* rows = headers + images * sizeof(DetectHeader);
  const auto limit = static_cast<std::size_t>(plan.limit);
  for (std::size_t i = 0; i < detections.size(); ++i) {
    DetectHeader header{};
    std::memcpy(&header, headers + i * sizeof(header), sizeof(header));
    TERN_RETURN_IF_ERROR(check_header(contract, shape, header, i));
    if (header.rows > limit) {
      return make_error(StatusCode::kInferenceError, "the GPU gave {} detections where {} are possible", header.rows,
                        limit)
          .at(fmt::format("{}, batch row {}", contract.tensor, i));
    }
    detections[i].reserve(limit);  // so that memory does not depend on what is seen
    detections[i].resize(header.rows);
    if (header.rows > 0) {
      std::memcpy(static_cast<void*>(detections[i].data()), rows + i * limit * sizeof(DetectRow),
                  header.rows * sizeof(DetectRow));
    }
  }
  return {};
}

}  // namespace tern::cuda
