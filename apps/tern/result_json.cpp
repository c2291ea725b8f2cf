// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "result_json.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

namespace tern {

double rounded(double value, int decimals) {
  const double unit = std::pow(10.0, decimals);
  return std::round(value * unit) / unit;
}

std::string class_name(int class_id, std::span<const std::string> names) {
  const auto i = static_cast<std::size_t>(class_id);
  return class_id >= 0 && i < names.size() ? names[i] : fmt::format("class{}", class_id);
}

Json frame_json(const Frame& frame, const RunInfo& run, const FrameTimes& times) {
  Json json;
  json["source"] = frame.source.string();
  json["frame"] = frame.index;
  json["time_s"] = frame.time_s ? Json(rounded(*frame.time_s, 6)) : Json(nullptr);
  json["width"] = frame.view.width;
  json["height"] = frame.view.height;
  json["backend"] = run.backend;
  json["engine"] = run.engine_id;
  json["precision"] = run.precision;
  json["times_ms"] = {{"decode", rounded(times.decode, 3)},
                      {"preprocess", rounded(times.preprocess, 3)},
                      {"infer", rounded(times.infer, 3)},
                      {"postprocess", rounded(times.postprocess, 3)},
                      {"draw", rounded(times.draw, 3)}};
  return json;
}

Json detections_json(std::span<const Detection> detections, std::span<const std::string> names) {
  Json list = Json::array();
  for (const Detection& d : detections) {
    list.push_back({{"class_id", d.class_id},
                    {"label", class_name(d.class_id, names)},
                    {"score", rounded(d.score, 6)},
                    {"box", {rounded(d.x1, 3), rounded(d.y1, 3), rounded(d.x2, 3), rounded(d.y2, 3)}}});
  }
  return list;
}

Json segmentation_json(const Segmentation& segmentation, std::span<const std::string> names) {
  std::array<std::int64_t, 256> counts{};
  for (const std::uint8_t id : segmentation.classes)
    ++counts[id];
  const double total = segmentation.classes.empty() ? 1 : static_cast<double>(segmentation.classes.size());
  Json classes = Json::array();
  for (std::size_t i = 0; i < Segmentation::kBackground; ++i) {
    if (counts[i] == 0) continue;
    classes.push_back({{"class_id", i},
                       {"label", class_name(static_cast<int>(i), names)},
                       {"share", rounded(static_cast<double>(counts[i]) / total, 6)}});
  }
  return {{"classes", classes},
          {"background", rounded(static_cast<double>(counts[Segmentation::kBackground]) / total, 6)}};
}

Json classification_json(const Classification& classification, std::span<const std::string> names) {
  Json probabilities = Json::array();
  for (const float p : classification.probabilities)
    probabilities.push_back(rounded(p, 6));
  Json logits = Json::array();
  for (const float v : classification.logits)
    logits.push_back(rounded(v, 6));
  return {{"class_id", classification.class_id},
          {"label", class_name(classification.class_id, names)},
          {"probabilities", probabilities},
          {"logits", logits}};
}

Json thermal_json(const ThermalState& state) {
  const bool is_known = state.is_telemetry_available;
  const auto number = [](bool is_there, double value) { return is_there ? Json(value) : Json(nullptr); };
  return {{"source", state.source},
          {"available", is_known},
          {"temperature_c", number(is_known, state.temperature_c)},
          {"throttled", is_known ? Json(state.throttled) : Json(nullptr)},
          {"reasons", state.reasons},
          {"clock_mhz", number(state.clock_mhz > 0, state.clock_mhz)},
          {"max_clock_mhz", number(state.max_clock_mhz > 0, state.max_clock_mhz)}};
}

std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_document(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tern
