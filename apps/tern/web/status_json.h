// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "result_json.h"
#include "tern/pipeline_snapshot.h"

namespace tern {

/// /status.json of the live page. docs/schemas/pipeline-status.schema.json is its schema.
[[nodiscard]] Json status_json(const PipelineSnapshot& snapshot);

}  // namespace tern
