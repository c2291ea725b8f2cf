// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "tern/pipeline_io.h"
#include "tern/pipeline_snapshot.h"
#include "tern/pipeline_spec.h"

namespace tern::test {

/// A pipeline with two sources and a model of each sort, and what it found on one frame of 8x4 pixels of the second source.
struct SampleResult {
  SampleResult() {
    spec.sources.resize(2);
    spec.sources[0].name = "north";
    spec.sources[1].name = "south";
    for (const PipelineModelInfo& model : models)
      spec.models.emplace_back().name = model.name;
    spec.models[2].crops_of = "detect";
    spec.models[3].crops_of = "detect";
    const Nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
    result.source = 1;
    result.sequence = 41;
    result.frame.view = ImageView::packed(pixels.data(), 8, 4, PixelFormat::kBgr);
    result.frame.index = 40;
    result.captured = now - std::chrono::milliseconds(30);
    result.deadline = result.captured + std::chrono::milliseconds(100);
    result.ended = result.captured + std::chrono::microseconds(25125);
    result.models.resize(models.size());
    for (ModelResult& model : result.models) {
      model.is_done = true;
      model.batch = 2;
      model.times = {std::chrono::microseconds(100), std::chrono::microseconds(2000), std::chrono::microseconds(50)};
    }
    result.models[0].detections = {{1, 0.5F, 5, 3.25F, 0.75F, 1}};
    result.models[1].segmentation = {8, 4, std::vector<std::uint8_t>(32, 1)};
    result.models[1].segmentation.classes[0] = Segmentation::kBackground;
    CropResult crop{1, 0, 5, 4, 0, {{0.5F, 1.5F}, {0.25F, 0.75F}, 1}, {{2, 1, 4, 3, 0.5F, 0}}};
    result.models[2].crops = {crop, crop};
    result.models[2].crop_count = 1;
    result.models[3].crops = {crop};
    result.models[3].crop_count = 1;
    result.models[4].classification = crop.classification;
    result.models[5].is_done = false;
  }

  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(std::size_t{8} * 4 * 3, 100);
  PipelineSpec spec{};
  std::vector<PipelineModelInfo> models{
      {"detect", Task::kDetect, {"car", "truck"}},   {"segment", Task::kSegment, {"ground", "road"}},
      {"blocked", Task::kClassify, {"no", "yes"}},   {"parts", Task::kDetect, {"wheel"}},
      {"weather", Task::kClassify, {"sun", "rain"}}, {"small", Task::kDetect, {"car"}}};
  FrameResult result{};
};

}  // namespace tern::test
