// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/result_line.h"

#include <chrono>
#include <cstddef>

#include <fmt/chrono.h>

#include "result_json.h"

namespace tern {
namespace {

double to_ms(Nanoseconds duration) {
  return rounded(std::chrono::duration<double, std::milli>(duration).count(), 3);
}

// A moment of the steady clock as UTC.
std::string utc(Nanoseconds moment) {
  using std::chrono::steady_clock;
  using std::chrono::system_clock;
  const auto ago = steady_clock::now().time_since_epoch() - moment;
  const auto time = std::chrono::floor<std::chrono::milliseconds>(
      system_clock::now() - std::chrono::duration_cast<system_clock::duration>(ago));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

Json crop_json(const CropResult& crop, const PipelineModelInfo& model) {
  Json json{{"detection", crop.detection}, {"box", {crop.x, crop.y, crop.x + crop.width, crop.y + crop.height}}};
  if (model.task == Task::kDetect) {
    json["detections"] = detections_json(crop.detections, model.classes);
  } else {
    json.update(classification_json(crop.classification, model.classes));
  }
  return json;
}

Json model_json(const ModelResult& found, const PipelineSpec::Model& spec, const PipelineModelInfo& model) {
  if (!found.is_done) return nullptr;
  Json json{{"batch", found.batch},
            {"times_ms",
             {{"preprocess", to_ms(found.times.preprocess)},
              {"infer", to_ms(found.times.infer)},
              {"postprocess", to_ms(found.times.postprocess)}}}};
  if (!spec.crops_of.empty()) {
    Json crops = Json::array();
    for (std::size_t i = 0; i < found.crop_count; ++i)
      crops.push_back(crop_json(found.crops[i], model));
    json["crops"] = std::move(crops);
    return json;
  }
  switch (model.task) {
    case Task::kDetect:
      json["detections"] = detections_json(found.detections, model.classes);
      break;
    case Task::kSegment:
      json.update(segmentation_json(found.segmentation, model.classes));
      break;
    case Task::kClassify:
      json.update(classification_json(found.classification, model.classes));
      break;
  }
  return json;
}

}  // namespace

std::string result_line(const FrameResult& result, const PipelineSpec& spec,
                        const std::vector<PipelineModelInfo>& models) {
  const SourceFrame& frame = result.frame;
  Json json;
  json["source"] = spec.sources[static_cast<std::size_t>(result.source)].name;
  json["sequence"] = result.sequence;
  json["frame"] = frame.index;
  json["time_s"] = frame.time_s ? Json(rounded(*frame.time_s, 6)) : Json(nullptr);
  json["file"] = frame.file.empty() ? Json(nullptr) : Json(frame.file);
  json["width"] = frame.view.width;
  json["height"] = frame.view.height;
  json["captured"] = utc(result.captured);
  json["end"] = to_string(result.end);
  json["age_ms"] = to_ms(result.ended - result.captured);
  json["deadline_ms"] = to_ms(result.deadline - result.captured);
  if (!result.failure.ok()) json["failure"] = result.failure.to_string();
  Json& found = json["models"] = Json::object();
  for (std::size_t i = 0; i < models.size(); ++i)
    found[models[i].name] = model_json(result.models[i], spec.models[i], models[i]);
  return to_line(json);
}

}  // namespace tern
