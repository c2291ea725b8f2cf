// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "pipeline/crops.h"
#include "pipeline/model_task.h"
#include "tern/contract.h"
#include "tern/pipeline_spec.h"

namespace tern {

/// A model's place in the graph, now that its contract and those of its inputs are known.
struct PlacedModel {
  ModelPlace place{};
  CropRule crop_rule{};
  std::vector<std::size_t> croppers{};  ///< models that work on crops of this one's boxes
};

/// Checks that each model is of the task that its place needs. `contracts` in the order of spec.models. ConfigError names the model: crops of
/// what finds no boxes, a mask of what segments nothing or not to the frame's size, a mask missing or too many, a segmenter on crops, a
/// class that its model does not have.
[[nodiscard]] Result<std::vector<PlacedModel>> place_models(const PipelineSpec& spec,
                                                            const std::vector<const Contract*>& contracts);

}  // namespace tern
