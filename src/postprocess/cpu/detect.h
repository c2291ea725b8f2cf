// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "postprocess/cpu/kernels.h"
#include "postprocess/cpu/nms.h"
#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/results.h"
#include "tern/status.h"

namespace tern {

/// Decodes detector outputs, one image at a time. The decoding functions return false for NaN or infinity.
class DetectionDecoder {
 public:
  /// `rows`: (4 + classes) x anchors, see OutputKind::kYolo.
  [[nodiscard]] Result<bool> yolo(const OutputContract& contract, const float* rows, std::size_t anchors,
                                  const Geometry& geometry, std::vector<Detection>& result);
  /// `rows`: count x 6, see OutputKind::kEnd2End.
  [[nodiscard]] Result<bool> end2end(const OutputContract& contract, std::span<const float> rows,
                                     const Geometry& geometry, std::vector<Detection>& result);

 private:
  YoloCandidates candidates_;
  ScoreOrder order_;
  KeptBoxes kept_;
};

}  // namespace tern
