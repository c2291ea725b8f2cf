// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/fold_batch_norm.h"

#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include "quant/graph/tensor_values.h"
#include "tern/quantize.h"

namespace tern {
namespace {

constexpr float kDefaultEpsilon = 1e-5F;

/// y = factor * x + offset, for each channel.
struct Affine {
  std::vector<double> factor, offset;
};

std::optional<Affine> affine_of(const GraphEdit& edit, const onnx::NodeProto& norm) {
  if (norm.input_size() != 5 || norm.output_size() != 1 || int_attribute(norm, "training_mode", 0) != 0) return {};
  std::vector<std::vector<float>> parts;  // scale, bias, mean, variance
  for (int i = 1; i < 5; ++i) {
    const onnx::TensorProto* tensor = edit.constant(norm.input(i));
    if (tensor == nullptr) return {};
    parts.push_back(float_values(*tensor));
    if (parts.back().empty() || parts.back().size() != parts.front().size()) return {};
  }
  const onnx::AttributeProto* epsilon = find_attribute(norm, "epsilon");
  Affine affine;
  for (std::size_t c = 0; c < parts[0].size(); ++c) {
    const double variance =
        static_cast<double>(parts[3][c]) + static_cast<double>(epsilon != nullptr ? epsilon->f() : kDefaultEpsilon);
    const double factor = static_cast<double>(parts[0][c]) / std::sqrt(variance);
    affine.factor.push_back(factor);
    affine.offset.push_back(static_cast<double>(parts[1][c]) - static_cast<double>(parts[2][c]) * factor);
    if (!std::isfinite(factor) || !std::isfinite(affine.offset.back())) return {};
  }
  return affine;
}

/// Which output channel each weight belongs to.
struct Layout {
  std::size_t channels = 0;  ///< of the output
  std::size_t inner = 1;     ///< consecutive weights of one channel
  std::size_t along = 0;     ///< channels that follow each other along the weights' channel axis
  std::size_t block = 0;     ///< weights of one group (ConvTranspose): the next group has other channels

  [[nodiscard]] std::size_t channel(std::size_t weight) const noexcept {
    return weight / inner % along + weight / block * along;
  }
};

std::optional<Layout> layout_of(const onnx::NodeProto& layer, const std::vector<std::int64_t>& dims) {
  std::size_t count = 1;
  for (const std::int64_t dim : dims)
    count *= static_cast<std::size_t>(dim);
  if (count == 0) return {};
  const std::string_view op = standard_op(layer);
  std::size_t axis = 0, groups = 1;
  if (op == "ConvTranspose") {
    axis = 1;
    groups = static_cast<std::size_t>(int_attribute(layer, "group", 1));
    if (dims.size() < 3 || groups == 0 || static_cast<std::size_t>(dims[0]) % groups != 0) return {};
  } else if (op == "Gemm") {
    const onnx::AttributeProto* alpha = find_attribute(layer, "alpha");
    const onnx::AttributeProto* beta = find_attribute(layer, "beta");
    if (dims.size() != 2 || (alpha != nullptr && alpha->f() != 1) || (beta != nullptr && beta->f() != 1)) return {};
    axis = int_attribute(layer, "transB", 0) != 0 ? 0 : 1;
  } else if (op != "Conv" || dims.size() < 3) {
    return {};
  }
  Layout layout;
  for (std::size_t i = axis + 1; i < dims.size(); ++i)
    layout.inner *= static_cast<std::size_t>(dims[i]);
  layout.along = static_cast<std::size_t>(dims[axis]);
  layout.channels = layout.along * groups;
  layout.block = count / groups;
  return layout;
}

void fold_one(GraphEdit& edit, int norm_index, std::set<std::string, std::less<>>& replaced) {
  const onnx::NodeProto& norm = edit.node(norm_index);
  if (norm.input_size() == 0) return;
  const int maker = edit.maker(norm.input(0));
  if (maker < 0 || edit.uses(norm.input(0)).size() != 1 || edit.is_output(norm.input(0)) ||
      edit.is_read_inside(norm.input(0)))
    return;
  onnx::NodeProto& layer = edit.node(maker);
  const std::string_view op = standard_op(layer);
  if ((op != "Conv" && op != "ConvTranspose" && op != "Gemm") || layer.input_size() < 2 || layer.output_size() != 1)
    return;
  const onnx::TensorProto* weight = edit.constant(layer.input(1));
  const auto affine = affine_of(edit, norm);
  if (weight == nullptr || !affine) return;
  const std::vector<std::int64_t> dims = dims_of(*weight);
  std::vector<float> weights = float_values(*weight);
  const auto layout = layout_of(layer, dims);
  if (weights.empty() || !layout || layout->channels != affine->factor.size()) return;
  std::vector<float> bias(layout->channels, 0.0F);
  if (layer.input_size() > 2 && !layer.input(2).empty()) {
    const onnx::TensorProto* given = edit.constant(layer.input(2));
    if (given == nullptr) return;
    bias = float_values(*given);
    if (bias.size() != layout->channels) return;
  }
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(static_cast<double>(weights[i]) * affine->factor[layout->channel(i)]);
  for (std::size_t c = 0; c < bias.size(); ++c)
    bias[c] = static_cast<float>(static_cast<double>(bias[c]) * affine->factor[c] + affine->offset[c]);

  replaced.insert(layer.input().begin() + 1, layer.input().end());
  replaced.insert(norm.input().begin() + 1, norm.input().end());
  onnx::TensorProto& new_weight = edit.new_initializer(layer.input(1) + "_folded");
  set_floats(new_weight, dims, weights);
  layer.set_input(1, new_weight.name());
  onnx::TensorProto& new_bias = edit.new_initializer(name_of(layer) + "_bias_folded");
  set_floats(new_bias, std::vector{static_cast<std::int64_t>(bias.size())}, bias);
  if (layer.input_size() < 3) layer.add_input("");
  layer.set_input(2, new_bias.name());
  layer.set_output(0, norm.output(0));
  edit.remove(norm_index);
}

}  // namespace

void fold_batch_norm(GraphEdit& edit) {
  std::set<std::string, std::less<>> replaced;
  for (int i = 0; i < edit.node_count(); ++i)
    if (standard_op(edit.node(i)) == "BatchNormalization") fold_one(edit, i, replaced);
  edit.commit(replaced);
}

Result<Model> fold_batch_norm(const Model& model) {
  GraphEdit edit(model);
  fold_batch_norm(edit);
  return edit.finish();
}

}  // namespace tern
