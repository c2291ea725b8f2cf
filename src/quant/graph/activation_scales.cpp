// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/activation_scales.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

std::string reader_of(const QuantizationPlan& plan, const std::string& tensor) {
  const auto layer = std::ranges::find(plan.layers, tensor, &QuantizationPlan::Layer::input);
  if (layer == plan.layers.end()) return "tensor " + in_quotes(tensor);
  return fmt::format("tensor {}, which {} reads", in_quotes(tensor), in_quotes(layer->node));
}

Result<float> range_of(const QuantizationPlan& plan, const TensorRanges& ranges, const std::string& tensor) {
  const auto found = ranges.find(tensor);
  if (found == ranges.end()) {
    return make_error(StatusCode::kInputError, "there is no range for it")
        .at(reader_of(plan, tensor))
        .with_hint("collect statistics of every tensor of the plan, on this model");
  }
  if (!std::isfinite(found->second) || found->second < 0) {
    return make_error(StatusCode::kInputError, "its range is {}", found->second)
        .at(reader_of(plan, tensor))
        .with_hint("a range is the largest |x|: collect statistics again");
  }
  return found->second;
}

}  // namespace

Result<std::map<std::string, float, std::less<>>> activation_scales(const QuantizationPlan& plan,
                                                                    const TensorRanges& ranges) {
  std::map<std::string, float, std::less<>> largest;
  for (const std::string& tensor : plan.tensors) {
    TERN_ASSIGN_OR_RETURN(const float range, range_of(plan, ranges, tensor));
    largest.emplace(tensor, range);
  }
  for (const auto& group : plan.shared) {
    float range = 0;
    for (const std::string& tensor : group)
      range = std::max(range, largest.find(tensor)->second);
    for (const std::string& tensor : group)
      largest.find(tensor)->second = range;
  }
  for (auto& [tensor, value] : largest) {
    if (value == 0) {
      return make_error(StatusCode::kInputError, "its range is 0: nothing but zeros was seen")
          .at(reader_of(plan, tensor))
          .with_hint("calibrate with images of what the model is for, or keep the node that reads it out");
    }
    value = scale_of(value);
  }
  return largest;
}

}  // namespace tern
