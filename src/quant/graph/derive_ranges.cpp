// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "quant/graph/layers.h"
#include "quant/graph/operators.h"
#include "quant/graph/placement.h"
#include "tern/quantize.h"

namespace tern {
namespace {

std::optional<float> range_of(const TensorRanges& ranges, std::string_view tensor) {
  const auto found = ranges.find(tensor);
  if (found == ranges.end()) return std::nullopt;
  return found->second;
}

/// x * sigmoid(x), from either side: the tensor x; "" otherwise.
std::string_view gated_by_itself(const GraphEdit& edit, const onnx::NodeProto& node) {
  if (standard_op(node) != "Mul" || node.input_size() != 2) return {};
  for (const int gate : {0, 1}) {
    const int maker = edit.maker(node.input(gate));
    const std::string& value = node.input(1 - gate);
    if (maker >= 0 && standard_op(edit.node(maker)) == "Sigmoid" && edit.node(maker).input(0) == value) return value;
  }
  return {};
}

/// The largest magnitude that the node can give for inputs within their ranges; none where one is not known.
std::optional<float> bound_of(const GraphEdit& edit, const onnx::NodeProto& node, const TensorRanges& ranges) {
  const std::string_view op = standard_op(node);
  if (const std::string_view value = gated_by_itself(edit, node); !value.empty()) {
    const auto range = range_of(ranges, value);
    if (!range) return std::nullopt;
    return *range / (1 + std::exp(-*range));  // the negative side gives less
  }
  const bool sums = op == "Add" && node.input_size() == 2;
  if (!sums && op != "Relu" && op != "HardSwish" && !moves_values(node)) return std::nullopt;
  float bound = 0;
  for (int i = 0; i < (sums ? 2 : data_inputs(node)); ++i) {
    const auto range = range_of(ranges, node.input(i));
    if (!range) return std::nullopt;
    bound = sums ? bound + *range : std::max(bound, *range);
  }
  return bound;
}

/// The least range of the concatenations that hold all values of the tensor; infinite where there is none.
float range_of_concatenation(const GraphEdit& edit, std::string_view tensor, const TensorRanges& ranges) {
  float least = std::numeric_limits<float>::infinity();
  for (const TensorUse& use : edit.uses(tensor)) {
    const onnx::NodeProto& reader = edit.node(use.node);
    if (standard_op(reader) == "Concat") least = std::min(least, range_of(ranges, reader.output(0)).value_or(least));
  }
  return least;
}

}  // namespace

Result<TensorRanges> derive_ranges(const Model& model, const TensorRanges& ranges, const QuantizeOptions& options) {
  GraphEdit edit(model);
  const Status prepared = prepare_for_quantization(edit);
  if (!prepared.ok()) return prepared.at(edit.label());
  const auto placement = place_quantizers(edit, options);
  if (!placement.ok()) return placement.status().at(edit.label());
  const std::set<std::string_view> before = tensors_before(edit, {placement->nodes.begin(), placement->nodes.end()});

  TensorRanges known = ranges, derived;
  for (int i = 0; i < edit.node_count(); ++i) {
    const onnx::NodeProto& node = edit.node(i);
    const auto bound = bound_of(edit, node, known);
    if (!bound) continue;
    for (const std::string& output : node.output()) {
      if (!before.contains(output) || known.contains(output)) continue;
      const float range = std::min(*bound, range_of_concatenation(edit, output, ranges));
      known.emplace(output, range);
      derived.emplace(output, range);
    }
  }
  return derived;
}

}  // namespace tern
