// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tern/pipeline_io.h"
#include "tern/pipeline_snapshot.h"
#include "tern/pipeline_spec.h"

namespace tern {

/// What a pipeline found on one frame, as one line of JSON without its line end. docs/pipelines.md explains it,
/// docs/schemas/pipeline-result.schema.json is its schema. REQUIRES: result comes from a pipeline of `spec` with `models`.
[[nodiscard]] std::string result_line(const FrameResult& result, const PipelineSpec& spec,
                                      const std::vector<PipelineModelInfo>& models);

}  // namespace tern
