// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/model_task.h"
#include "tern/pipeline_latency.h"

namespace tern {

/// How long batches of 1, 2, 4, ... up to `max_batch` items of width x height take: the median of some runs after one that does not
/// count. Pixels are a pattern, and half of each mask is inside.
[[nodiscard]] Result<LatencyCurve> measure_curve(ModelTask& task, bool has_masks, int width, int height, int max_batch);

}  // namespace tern
