// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "precision.h"

#include "base/error.h"
#include "tern/dev/backend.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

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
constexpr std::string_view kTakeI8 = "ask for i8, mixed or auto, or give the model in f32";
constexpr std::string_view kCalibrate =
    "calibrate it (tern calib) and name the result as the build's calibration, or give a model with QuantizeLinear and "
    "DequantizeLinear nodes";

using Plans = std::vector<PrecisionPlan>;
constexpr bool kFlagsMayChoose = !compat::always_strongly_typed();

/// A model with types of its own keeps them; strongly typed, so that TensorRT cannot do otherwise.
Result<Plans> plan_half(Precision asked) {
  if (asked == Precision::kAuto || asked == Precision::kF16)
    return Plans{{.precision = Precision::kF16, .strongly_typed = true}};
  return refuse(asked, "the model's weights are f16", "f16", kLeaveIt);
}

Result<Plans> plan_quantised(Precision asked, const Model& model) {
  TERN_RETURN_IF_ERROR(check_quantizers(model));
  if (asked == Precision::kMixed) return Plans{{.precision = asked, .strongly_typed = true, .convert_to_f16 = true}};
  if (asked == Precision::kAuto || asked == Precision::kI8)
    return Plans{{.precision = Precision::kI8, .strongly_typed = !kFlagsMayChoose || is_half(model)}};
  return refuse(asked, "the model is quantised", "i8, mixed", kTakeI8);
}

PrecisionPlan f16_plan() {
  return {.precision = Precision::kF16, .strongly_typed = !kFlagsMayChoose, .convert_to_f16 = !kFlagsMayChoose};
}

PrecisionPlan i8_plan(PrecisionMeans::Ranges ranges) {
  if (kFlagsMayChoose && ranges == PrecisionMeans::Ranges::kCache)
    return {.precision = Precision::kI8, .use_cache = true};
  return {.precision = Precision::kI8,
          .strongly_typed = !kFlagsMayChoose,
          .insert_qdq = true,
          .convert_to_f16 = !kFlagsMayChoose};
}

Result<Plans> plan_float(Precision asked, const PrecisionMeans& means) {
  const bool has_ranges = means.ranges != PrecisionMeans::Ranges::kNone;
  const PrecisionPlan f32{.precision = Precision::kF32, .strongly_typed = !kFlagsMayChoose};
  std::string offered = means.fast_f16 ? "f32, f16, mixed" : "f32";
  if (has_ranges) offered += ", i8";
  switch (asked) {
    case Precision::kAuto: {
      Plans plans;
      if (has_ranges) plans.push_back(i8_plan(means.ranges));
      if (means.fast_f16) plans.push_back(f16_plan());
      plans.push_back(f32);
      return plans;
    }
    case Precision::kF32:
      return Plans{f32};
    case Precision::kF16:
      if (means.fast_f16) return Plans{f16_plan()};
      return refuse(asked, "this GPU is no faster in it", offered, "ask for f32 or auto");
    case Precision::kI8:
      if (has_ranges) return Plans{i8_plan(means.ranges)};
      return refuse(asked, "the model is not quantised, and no calibration is given", offered, kCalibrate);
    case Precision::kMixed:
      if (means.fast_f16)
        return Plans{{.precision = asked, .strongly_typed = true, .insert_qdq = has_ranges, .convert_to_f16 = true}};
      return refuse(asked, "this GPU is no faster in f16", offered, "ask for f32 or auto");
    case Precision::kBF16:
      break;
  }
  return refuse(asked, "not offered by the TensorRT backend", offered, "ask for f32, f16, i8, mixed or auto");
}

}  // namespace

Result<std::vector<PrecisionPlan>> plan_precision(Precision asked, const Model& model, const PrecisionMeans& means) {
  const bool is_float_asked = asked == Precision::kF32 || asked == Precision::kF16 || asked == Precision::kBF16;
  if (means.ranges != PrecisionMeans::Ranges::kNone && (is_float_asked || dev::is_quantised(model) || is_half(model))) {
    return make_error(
               StatusCode::kConfigError, "a calibration makes i8 of a model in f32; {}",
               is_float_asked ? fmt::format("{} is asked for", to_string(asked)) : "this one has types of its own")
        .at("calibration")
        .with_hint("leave the calibration out, or ask for i8, mixed or auto with the float model");
  }
  auto plans = dev::is_quantised(model) ? plan_quantised(asked, model)
               : is_half(model)         ? plan_half(asked)
                                        : plan_float(asked, means);
  if (!plans.ok()) return plans;
  for (PrecisionPlan& plan : *plans)
    plan.was_asked = asked != Precision::kAuto;
  return plans;
}

bool may_step_down(const Status& status) noexcept {
  return status.code() == StatusCode::kEngineBuildError;
}

}  // namespace tern::trt_backend
