// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary text as instances.json and as labels.json. What is accepted can be scored.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "eval/labels.h"

namespace {

bool is_inside(const std::filesystem::path& file) {
  return file.is_relative() && !file.empty() && *file.begin() != "..";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::string> kNames{"car", "truck"};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto samples = tern::parse_instances(text, kNames); samples.ok()) {
    tern::DetectionEvaluator evaluator(kNames);
    for (const tern::DetectionSample& sample : *samples) {
      if (!is_inside(sample.image)) std::abort();
      std::vector<tern::Detection> found;
      for (const tern::LabelledBox& b : sample.boxes) {
        found.push_back({static_cast<float>(b.x), static_cast<float>(b.y), static_cast<float>(b.x + b.width),
                         static_cast<float>(b.y + b.height), 0.5F, b.class_id});
      }
      if (!evaluator.add(sample.boxes, found).ok()) std::abort();
    }
    const auto ap = evaluator.scores().ap;
    if (ap && !(*ap >= 0 && *ap <= 1 + 1e-9)) std::abort();
  }
  if (const auto samples = tern::parse_class_labels(text, kNames); samples.ok()) {
    for (const tern::ClassificationSample& sample : *samples) {
      if (!is_inside(sample.image) || sample.class_id < 0 || sample.class_id > 1) std::abort();
      if (sample.region && !is_inside(*sample.region)) std::abort();
    }
  }
  return 0;
}
