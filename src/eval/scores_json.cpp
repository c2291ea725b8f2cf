// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "tern/eval.h"

namespace tern {
namespace {

using Json = nlohmann::ordered_json;

Json score(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// Names may hold bytes that are not UTF-8.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string DetectionScores::to_json() const {
  Json classes = Json::object();
  for (const PerClass& c : per_class)
    classes[c.name] = {{"objects", c.objects}, {"ap", score(c.ap)}, {"ap50", score(c.ap50)}, {"ap75", score(c.ap75)}};
  return text_of(
      {{"images", images}, {"ap", score(ap)}, {"ap50", score(ap50)}, {"ap75", score(ap75)}, {"per_class", classes}});
}

std::string SegmentationScores::to_json() const {
  Json classes = Json::object();
  for (const PerClass& c : per_class)
    classes[c.name] = {{"pixels", c.pixels}, {"iou", score(c.iou)}};
  return text_of({{"images", images}, {"miou", score(miou)}, {"per_class", classes}});
}

std::string ClassificationScores::to_json() const {
  Json classes = Json::object();
  for (const PerClass& c : per_class)
    classes[c.name] = {{"images", c.images}, {"correct", c.correct}, {"top1", score(c.top1)}};
  return text_of({{"images", images}, {"correct", correct}, {"top1", score(top1)}, {"per_class", classes}});
}

}  // namespace tern
