// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "precision.h"

#include <algorithm>

#include "base/error.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

bool is_quantised(const Model& model) {
  return std::ranges::any_of(
      model.op_counts(), [](const auto& op) { return op.first == "QuantizeLinear" || op.first == "DequantizeLinear"; });
}

/// Whether most of the model's floating weights are f16. A few (shapes of a resize, thresholds) are f32 in every export.
bool is_half(const Model& model) {
  std::uint64_t half = 0, single = 0;
  for (const InitializerInfo& info : model.initializers()) {
    if (info.dtype == DType::kF16) half += info.bytes;
    if (info.dtype == DType::kF32) single += info.bytes;
  }
  return half > single;
}

/// TensorRT's parser takes u8 for i8 without a word: values above 127 steps are then cut off.
Status check_quantizers(const Model& model) {
  const std::vector<std::string> others = model.quantizers_beside_i8();
  if (others.empty()) return {};
  return make_error(StatusCode::kConfigError,
                    "{} of the model's QuantizeLinear nodes give u8 (the first: '{}'); TensorRT computes with i8, "
                    "centred on 0",
                    others.size(), others.front())
      .at("precision")
      .with_hint("quantise the float model to signed 8 bits with a zero point of 0 (i8)");
}

Status refuse(Precision asked, std::string_view reason, std::string_view offered, std::string_view hint) {
  return make_error(StatusCode::kConfigError, "precision {}: {}; TensorRT {} can run this model in {}",
                    to_string(asked), reason, compat::kMajor, offered)
      .at("precision")
      .with_hint(hint);
}

constexpr std::string_view kLeaveIt = "leave the precision at auto, or give the model in f32";
constexpr std::string_view kTakeI8 = "ask for i8 or auto, or give the model in f32";
constexpr std::string_view kQuantise = "give a model with QuantizeLinear and DequantizeLinear nodes";

}  // namespace

Result<PrecisionPlan> plan_precision(Precision asked, const Model& model, bool fast_f16) {
  const bool quantised = is_quantised(model), half = is_half(model);
  // A model with types of its own keeps them; strongly typed, so that TensorRT cannot do otherwise.
  const bool flags_may_choose = !compat::always_strongly_typed() && !half;
  const std::string_view offered = quantised ? "i8" : half ? "f16" : flags_may_choose && fast_f16 ? "f32, f16" : "f32";
  PrecisionPlan plan{
      .precision = Precision::kF32, .strongly_typed = !flags_may_choose, .was_asked = asked != Precision::kAuto};
  if (quantised) TERN_RETURN_IF_ERROR(check_quantizers(model));
  switch (asked) {
    case Precision::kAuto:
      plan.precision = quantised                                ? Precision::kI8
                       : half || (flags_may_choose && fast_f16) ? Precision::kF16
                                                                : Precision::kF32;
      return plan;
    case Precision::kF32:
      if (quantised) return refuse(asked, "the model is quantised", offered, kTakeI8);
      if (half) return refuse(asked, "the model's weights are f16", offered, kLeaveIt);
      return plan;
    case Precision::kF16:
      if (quantised) return refuse(asked, "the model is quantised", offered, kTakeI8);
      if (!half && !flags_may_choose) {
        return refuse(asked, "TensorRT 11 takes every type from the model, and this one is f32", offered,
                      "convert the ONNX file to f16, or use TensorRT 10");
      }
      if (!half && !fast_f16) return refuse(asked, "this GPU is no faster in it", offered, "ask for f32 or auto");
      plan.precision = asked;
      return plan;
    case Precision::kI8:
      if (!quantised) return refuse(asked, "the model is not quantised", offered, kQuantise);
      plan.precision = asked;
      return plan;
    case Precision::kBF16:
    case Precision::kMixed:
      break;
  }
  return refuse(asked, "not offered by the TensorRT backend", offered,
                quantised ? kTakeI8 : "ask for f32, f16, i8 or auto");
}

}  // namespace tern::trt_backend
