// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "media/frame.h"
#include "tern/results.h"
#include "tern/thermal.h"

namespace tern {

// The JSON lines of detect, segment and classify. docs/json-lines.md explains them, docs/schemas/result.schema.json is their
// schema; tests hold the program's lines against it.

using Json = nlohmann::ordered_json;

/// Milliseconds of one frame in each stage; a batch's time is shared out evenly.
struct FrameTimes {
  double decode = 0, preprocess = 0, infer = 0, postprocess = 0, draw = 0;
};

/// What every line begins with.
[[nodiscard]] Json frame_json(const Frame& frame, const RunInfo& run, const FrameTimes& times);
[[nodiscard]] Json detections_json(std::span<const Detection> detections, std::span<const std::string> names);
/// Classes that have pixels, with their share; "background" is the share of pixels without a class.
[[nodiscard]] Json segmentation_json(const Segmentation& segmentation, std::span<const std::string> names);
[[nodiscard]] Json classification_json(const Classification& classification, std::span<const std::string> names);

/// What is not known is null.
[[nodiscard]] Json thermal_json(const ThermalState& state);

/// One line. Bytes that are not UTF-8 (file names may have them) become U+FFFD.
[[nodiscard]] std::string to_line(const Json& json);
/// Indented, for files that people read too.
[[nodiscard]] std::string to_document(const Json& json);

/// `value` with `decimals` digits after the point, so that lines stay short.
[[nodiscard]] double rounded(double value, int decimals);
[[nodiscard]] std::string class_name(int class_id, std::span<const std::string> names);

}  // namespace tern
