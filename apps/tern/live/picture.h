// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

#include "media/convert.h"
#include "tern/pipeline_io.h"
#include "tern/pipeline_snapshot.h"

namespace tern {

/// The frame of `result` with what all models found on it: classes of pixels, boxes with labels, crops with their class, and the class
/// of the whole frame, by the name of its model, in the lower left corner. Of models that are not done nothing is drawn.
///
/// `bgr` becomes CV_8UC3 of the frame's size, or smaller, of the same shape, where the frame is wider than `max_width` (0: never smaller);
/// its memory is used again. InputError for pixels on a GPU. REQUIRES: models[i] is what made result.models[i].
[[nodiscard]] Status draw_result(const FrameResult& result, const std::vector<PipelineModelInfo>& models, int max_width,
                                 BgrConverter& converter, cv::Mat& bgr);

}  // namespace tern
