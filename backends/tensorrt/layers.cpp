// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "layers.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <nlohmann/json.hpp>

namespace tern::trt_backend {
namespace {

using nlohmann::json;

// Narrowest first.
constexpr std::array<std::string_view, 5> kNarrowest{"i8", "fp8", "f16", "bf16", "f32"};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Of "Channel major FP16 format where channel % 8 == 0", "Half", "Row major Int8 format": TensorRT has no fixed vocabulary.
std::string_view type_in(const std::string& format) {
  const std::string text = lower(format);
  const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
  if (has("uint8")) return {};
  if (has("int8")) return "i8";
  if (has("fp8") || has("float8")) return "fp8";
  if (has("bf16") || has("bfloat16")) return "bf16";
  if (has("fp16") || has("half") || has("float16")) return "f16";
  if (has("fp32") || has("float")) return "f32";
  return {};
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string_view narrowest(const json& layer, const char* key) {
  std::string_view best;
  const auto list = layer.find(key);
  if (list == layer.end() || !list->is_array()) return best;
  for (const json& tensor : *list) {
    if (!tensor.is_object()) continue;
    std::string format = text_of(tensor, "Format/Datatype");
    if (format.empty()) format = text_of(tensor, "Datatype");
    const std::string_view type = type_in(format);
    if (!type.empty() && std::ranges::find(kNarrowest, type) < std::ranges::find(kNarrowest, best)) best = type;
  }
  return best;
}

}  // namespace

std::optional<std::string> layer_precision(std::string_view text) {
  const json layer = json::parse(text, nullptr, false);
  if (!layer.is_object()) return "other";
  const std::string type = lower(text_of(layer, "LayerType")), name = text_of(layer, "Name");
  for (const std::string_view moves : {"reformat", "noop", "constant", "signal", "wait", "shapehostto", "shuffle"}) {
    if (type.find(moves) != std::string::npos) return std::nullopt;
  }
  std::string_view precision = narrowest(layer, "Inputs");
  if (precision.empty()) precision = narrowest(layer, "Outputs");
  const bool hides = type.find("myelin") != std::string::npos || name.find("ForeignNode") != std::string::npos;
  if (hides && (precision.empty() || precision == "f32")) return "fused";
  return std::string(precision.empty() ? "other" : precision);
}

bool is_wider(Precision got, Precision asked) noexcept {
  const auto bits = [](Precision precision) {
    switch (precision) {
      case Precision::kAuto:
      case Precision::kF32:
        return 32;
      case Precision::kF16:
      case Precision::kBF16:
        return 16;
      case Precision::kMixed:
      case Precision::kI8:
        return 8;
    }
    return 32;
  };
  return bits(got) > bits(asked);
}

Precision built_precision(Precision asked, const LayerPrecisions& layers) {
  const Precision otherwise = asked == Precision::kI8 ? Precision::kF32 : asked;
  const Precision got = engine_precision(layers).value_or(otherwise);
  return asked == Precision::kMixed && got != Precision::kF32 ? asked : got;
}

std::optional<Precision> engine_precision(const LayerPrecisions& layers) {
  if (layers.contains("i8")) return Precision::kI8;
  if (layers.contains("f16")) return Precision::kF16;
  if (layers.contains("bf16")) return Precision::kBF16;
  if (layers.contains("f32") && !layers.contains("fused")) return Precision::kF32;
  return std::nullopt;
}

}  // namespace tern::trt_backend
