// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/cpu/nms.h"

#include <cmath>

#include "base/error.h"
#include "tern/postprocess.h"

namespace tern {

Result<std::vector<std::uint32_t>> nms(std::span<const Detection> boxes, float iou, bool class_aware,
                                       std::size_t max_keep) {
  if (!(iou >= 0 && iou <= 1))
    return make_error(StatusCode::kInputError, "the IoU threshold is {}; it must be in 0..1", iou);
  ScoreOrder order;
  order.clear(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Detection& b = boxes[i];
    for (const float value : {b.x1, b.y1, b.x2, b.y2, b.score}) {
      if (!std::isfinite(value)) return make_error(StatusCode::kInputError, "box {} has the number {}", i, value);
    }
    order.push(b.score, static_cast<std::uint32_t>(i));
  }
  std::vector<std::uint32_t> kept;
  if (max_keep == 0) return kept;
  KeptBoxes suppressors;
  suppressors.clear(0);
  order.for_each([&](std::uint32_t i) {
    const Detection& b = boxes[i];
    const KeptBoxes::Box box{b.x1, b.y1, b.x2, b.y2, class_aware ? b.class_id : 0};
    if (suppressors.overlap(box, iou)) return true;
    suppressors.push(box);
    kept.push_back(i);
    return kept.size() < max_keep;
  });
  return kept;
}

}  // namespace tern
