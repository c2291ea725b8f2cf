// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "model/text.h"
#include "quant/graph/activation_scales.h"
#include "quant/graph/int8_weights.h"
#include "quant/graph/placement.h"
#include "quant/graph/tensor_values.h"
#include "tern/quant_search.h"

namespace tern {
namespace {

constexpr float kLeastLevel = -128, kLargestLevel = 127;

double decibels(double noise_to_signal) {
  return noise_to_signal > 0 ? -10 * std::log10(noise_to_signal) : std::numeric_limits<double>::infinity();
}

}  // namespace

Result<SensitivityMeter> SensitivityMeter::create(const Model& model, const TensorRanges& ranges,
                                                  const QuantizeOptions& options) {
  GraphEdit edit(model);
  SensitivityMeter meter;
  const auto prepare = [&]() -> Status {
    TERN_RETURN_IF_ERROR(prepare_for_quantization(edit));
    TERN_ASSIGN_OR_RETURN(Placement placement, place_quantizers(edit, options));
    meter.plan_ = std::move(placement.plan);
    TERN_ASSIGN_OR_RETURN(meter.scales_, activation_scales(meter.plan_, ranges));
    return {};
  };
  if (const Status status = prepare(); !status.ok()) return status.at(edit.label());
  for (const auto& layer : meter.plan_.layers) {
    const onnx::TensorProto& weight = *edit.constant(layer.weight);
    const std::vector<float> values = float_values(weight);
    const std::vector<std::int64_t> dims = dims_of(weight);
    const int most = options.reduce_range ? kReducedWeightLevels : kWeightLevels;
    meter.weight_noise_.push_back(
        relative_noise(quantize_weights(values, dims, layer.axis, most), values, dims, layer.axis));
  }
  return meter;
}

Status SensitivityMeter::observe(std::string_view tensor, std::span<const float> values) {
  const auto scale = scales_.find(tensor);
  if (scale == scales_.end())
    return make_error(StatusCode::kInputError, "the plan has no tensor {}", in_quotes(tensor));
  Power sum;
  for (const float value : values) {
    if (!std::isfinite(value)) return make_error(StatusCode::kInputError, "a value is {}", value).at(in_quotes(tensor));
    const float level = std::clamp(std::nearbyint(value / scale->second), kLeastLevel, kLargestLevel);
    const double error = static_cast<double>(value) - static_cast<double>(level) * static_cast<double>(scale->second);
    sum.signal += static_cast<double>(value) * static_cast<double>(value);
    sum.noise += error * error;
  }
  Power& power = tensors_[std::string(tensor)];
  power.signal += sum.signal;
  power.noise += sum.noise;
  power.seen = true;
  return {};
}

void SensitivityMeter::merge(const SensitivityMeter& other) {
  for (const auto& [tensor, power] : other.tensors_) {
    Power& mine = tensors_[tensor];
    mine.signal += power.signal;
    mine.noise += power.noise;
    mine.seen = mine.seen || power.seen;
  }
}

Result<std::vector<LayerSensitivity>> SensitivityMeter::layers() const {
  std::vector<LayerSensitivity> result;
  for (std::size_t i = 0; i < plan_.layers.size(); ++i) {
    const auto& layer = plan_.layers[i];
    const auto power = tensors_.find(layer.input);
    if (power == tensors_.end() || !power->second.seen) {
      return make_error(StatusCode::kInputError, "the tensor {}, which {} reads, was never observed",
                        in_quotes(layer.input), in_quotes(layer.node))
          .with_hint("run the float model with the plan's tensors exposed");
    }
    const double activation = power->second.signal > 0 ? power->second.noise / power->second.signal : 0;
    result.push_back(
        {layer.node, decibels(activation), decibels(weight_noise_[i]), decibels(activation + weight_noise_[i])});
  }
  std::ranges::stable_sort(result, {}, &LayerSensitivity::sqnr_db);
  return result;
}

}  // namespace tern
