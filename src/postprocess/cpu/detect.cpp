// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/cpu/detect.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "postprocess/checks.h"

namespace tern {
namespace {

/// Brings `box` from input pixels to the source image. False when nothing of it lies there.
bool map_to_source(const Geometry& geometry, Detection& box) {
  const auto clip = [](double v, int side) {
    return static_cast<float>(std::clamp(v, 0.0, static_cast<double>(side)));
  };
  box.score = std::min(box.score, 1.0F);
  box.x1 = clip(geometry.to_source_x(box.x1), geometry.src_width);
  box.x2 = clip(geometry.to_source_x(box.x2), geometry.src_width);
  box.y1 = clip(geometry.to_source_y(box.y1), geometry.src_height);
  box.y2 = clip(geometry.to_source_y(box.y2), geometry.src_height);
  return box.x2 > box.x1 && box.y2 > box.y1;
}

}  // namespace

Result<bool> DetectionDecoder::yolo(const OutputContract& contract, const float* rows, std::size_t anchors,
                                    const Geometry& geometry, std::vector<Detection>& result) {
  result.clear();
  const auto classes = static_cast<std::size_t>(contract.classes);
  if (!scan_yolo(rows, classes, anchors, contract.score_threshold, candidates_)) return false;
  // Room for the worst case, so that memory does not depend on what is seen.
  const std::size_t limit = std::min(static_cast<std::size_t>(contract.max_detections), anchors);
  order_.clear(anchors);
  kept_.clear(limit);
  result.reserve(limit);
  for (std::size_t i = 0; i < candidates_.size; ++i) {
    if (candidates_.score[i] > kLargestScore) return score_error(candidates_.score[i], "anchor", candidates_.anchor[i]);
    order_.push(candidates_.score[i], static_cast<std::uint32_t>(i));
  }
  std::size_t count = 0;
  order_.for_each([&](std::uint32_t i) {
    const float* at = rows + candidates_.anchor[i];
    const float cx = at[0], cy = at[anchors], half_width = at[2 * anchors] / 2, half_height = at[3 * anchors] / 2;
    const int class_id = candidates_.class_id[i];
    const KeptBoxes::Box box{cx - half_width, cy - half_height, cx + half_width, cy + half_height,
                             contract.class_aware_nms ? class_id : 0};
    if (kept_.overlap(box, contract.nms_iou)) return true;
    kept_.push(box);
    Detection d{box.x1, box.y1, box.x2, box.y2, candidates_.score[i], class_id};
    if (map_to_source(geometry, d)) result.push_back(d);
    return ++count < limit;
  });
  return true;
}

Result<bool> DetectionDecoder::end2end(const OutputContract& contract, std::span<const float> rows,
                                       const Geometry& geometry, std::vector<Detection>& result) {
  result.clear();
  if (!all_finite(rows)) return false;
  const std::size_t count = rows.size() / 6;
  const std::size_t limit = std::min(static_cast<std::size_t>(contract.max_detections), count);
  order_.clear(count);
  result.reserve(limit);
  for (std::size_t i = 0; i < count; ++i) {
    const float score = rows[i * 6 + 4];
    const float class_id = rows[i * 6 + 5];
    if (!(score > contract.score_threshold)) continue;
    if (score > kLargestScore) return score_error(score, "row", i);
    if (!(class_id >= 0 && class_id < static_cast<float>(contract.classes)) || class_id != std::floor(class_id)) {
      return class_error(class_id, i, contract.classes);
    }
    order_.push(score, static_cast<std::uint32_t>(i));
  }
  std::size_t taken = 0;
  order_.for_each([&](std::uint32_t i) {
    const float* row = rows.data() + std::size_t{i} * 6;
    Detection d{row[0], row[1], row[2], row[3], row[4], static_cast<int>(row[5])};
    if (map_to_source(geometry, d)) result.push_back(d);
    return ++taken < limit;
  });
  return true;
}

}  // namespace tern
