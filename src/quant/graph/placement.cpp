// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/placement.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/error.h"
#include "model/text.h"
#include "quant/graph/fold_batch_norm.h"
#include "quant/graph/layers.h"
#include "quant/graph/opset.h"
#include "quant/graph/scale_groups.h"

namespace tern {
namespace {

constexpr std::array<std::string_view, 3> kTargets{"tensorrt", "openvino", "onnxruntime"};

bool is_quantised(std::string_view op) {
  return op == "QuantizeLinear" || op == "DequantizeLinear" || op == "DynamicQuantizeLinear" ||
         op.starts_with("QLinear") || op == "ConvInteger" || op == "MatMulInteger";
}

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

Status refuse_quantised(const Nodes& nodes) {
  for (const onnx::NodeProto& node : nodes) {
    if (is_quantised(node.op_type())) {
      return make_error(StatusCode::kModelError, "the model is quantised already")
          .at(describe(node))
          .with_hint("give the float model that it was made from");
    }
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) TERN_RETURN_IF_ERROR(refuse_quantised(attribute.g().node()));
      for (const auto& inner : attribute.graphs())
        TERN_RETURN_IF_ERROR(refuse_quantised(inner.node()));
    }
  }
  return {};
}

/// Finds where int8 is read: at the layers with weights, and where a float value between them would cost a kernel its int8.
class Placer {
 public:
  Placer(const GraphEdit& edit, const QuantizeOptions& options, const NodeFilter& filter)
      : edit_(edit), options_(options), filter_(filter), types_(infer_types(edit)) {}

  Result<Placement> place();

 private:
  using Readers = std::map<std::string, std::vector<TensorUse>, std::less<>>;

  Status take_layers();
  void take_residuals();
  void take_average_pools();
  void take_layer_outputs();
  void take_all_uses();
  void list_tensors();
  void read(const std::string& tensor, TensorUse use);
  [[nodiscard]] bool ends_quantised_layer(std::string_view tensor) const;
  [[nodiscard]] bool is_float(std::string_view tensor) const {
    return type_of(types_, tensor) == onnx::TensorProto::FLOAT && edit_.constant(tensor) == nullptr;
  }

  const GraphEdit& edit_;
  const QuantizeOptions& options_;
  const NodeFilter& filter_;
  TensorTypes types_;
  std::set<int> quantised_;
  std::set<std::string_view> before_;  ///< tensors from which a quantised layer is reached
  Placement placement_;
};

Status Placer::take_layers() {
  for (WeightedLayer& layer : find_layers(edit_, types_, filter_, options_.keep_head_float)) {
    const onnx::NodeProto& node = edit_.node(layer.node);
    if (!layer.reason.empty()) {
      placement_.plan.float_layers.push_back({name_of(node), node.op_type(), std::move(layer.reason)});
      continue;
    }
    placement_.plan.layers.push_back({name_of(node), node.op_type(), node.input(0), node.input(1), layer.axis});
    placement_.nodes.push_back(layer.node);
    quantised_.insert(layer.node);
    read(node.input(0), {layer.node, 0});
  }
  before_ = tensors_before(edit_, quantised_);
  if (!quantised_.empty()) return {};
  const auto& left = placement_.plan.float_layers;
  Status status =
      left.empty() ? make_error(StatusCode::kModelError, "the model has no layer with weights to quantise")
                   : make_error(StatusCode::kModelError, "none of the {} layers with weights can be quantised; {}: {}",
                                left.size(), in_quotes(left.front().node), left.front().reason);
  return status.with_hint("int8 is for Conv, ConvTranspose, Gemm and MatMul with constant f32 weights");
}

void Placer::read(const std::string& tensor, TensorUse use) {
  std::vector<TensorUse>& uses = placement_.readers[tensor];
  const auto same = [&](const TensorUse& other) { return other.node == use.node && other.input == use.input; };
  if (std::ranges::none_of(uses, same)) uses.push_back(use);
}

// The layer's output itself, or behind an activation function, which runtimes fuse with it.
bool Placer::ends_quantised_layer(std::string_view tensor) const {
  constexpr int kMostOperators = 4;
  for (int step = 0; step < kMostOperators; ++step) {
    const int maker = edit_.maker(tensor);
    if (maker < 0) return false;
    if (quantised_.contains(maker)) return true;
    const onnx::NodeProto& node = edit_.node(maker);
    const std::string_view op = standard_op(node);
    if (op == "Mul" && node.input_size() == 2) {  // x * sigmoid(x), from either side
      const auto gates = [&](int gate, int value) {
        const int made = edit_.maker(node.input(gate));
        return made >= 0 && edit_.node(made).input_size() > 0 && edit_.node(made).input(0) == node.input(value);
      };
      if (!gates(1, 0) && !gates(0, 1)) return false;
      tensor = node.input(gates(1, 0) ? 0 : 1);
    } else if (op == "Relu" || op == "LeakyRelu" || op == "Clip" || op == "HardSwish" || op == "Sigmoid" ||
               op == "Tanh" || op == "PRelu" || op == "Elu") {
      tensor = node.input(0);
    } else {
      return false;
    }
  }
  return false;
}

// An addition behind a layer is fused with it; it runs in int8 where the other side, the residual, is int8 too.
void Placer::take_residuals() {
  for (int i = 0; i < edit_.node_count(); ++i) {
    const onnx::NodeProto& node = edit_.node(i);
    if (standard_op(node) != "Add" || node.input_size() != 2 || node.output_size() != 1) continue;
    if (node.input(0) == node.input(1) || !is_float(node.input(0)) || !is_float(node.input(1))) continue;
    if (!before_.contains(node.output(0)) || !filter_.reason(node).empty()) continue;
    const bool first = ends_quantised_layer(node.input(0)), second = ends_quantised_layer(node.input(1));
    if (!first && !second) continue;
    int residual = first ? 1 : 0;
    // Both sides end a layer: the one that is ready earlier waits in memory.
    if (first && second) residual = edit_.maker(node.input(0)) < edit_.maker(node.input(1)) ? 0 : 1;
    read(node.input(residual), {i, residual});
  }
}

void Placer::take_average_pools() {
  for (int i = edit_.node_count() - 1; i >= 0; --i) {
    const onnx::NodeProto& node = edit_.node(i);
    const std::string_view op = standard_op(node);
    if ((op != "AveragePool" && op != "GlobalAveragePool") || node.input_size() != 1 || node.output_size() != 1)
      continue;
    if (!is_float(node.input(0)) || !placement_.readers.contains(node.output(0)) || !filter_.reason(node).empty())
      continue;
    read(node.input(0), {i, 0});
  }
}

void Placer::take_layer_outputs() {
  for (const int layer : placement_.nodes) {
    const std::string& output = edit_.node(layer).output(0);
    // Gemm and MatMul kernels give float from int8 as well.
    if (edit_.is_output(output) || standard_op(edit_.node(layer)) != "Conv") continue;
    for (const TensorUse& use : edit_.uses(output))
      read(output, use);
  }
}

void Placer::take_all_uses() {
  for (auto& [tensor, uses] : placement_.readers)
    uses = edit_.uses(tensor);
}

void Placer::list_tensors() {
  std::vector<std::pair<std::pair<int, int>, std::string>> places;
  for (const auto& [tensor, uses] : placement_.readers) {
    const int maker = edit_.maker(tensor);
    int output = 0;
    while (maker >= 0 && edit_.node(maker).output(output) != tensor)
      ++output;
    places.push_back({{maker, output}, tensor});
  }
  std::ranges::sort(places);
  for (auto& [place, tensor] : places)
    placement_.plan.tensors.push_back(std::move(tensor));
}

Result<Placement> Placer::place() {
  TERN_RETURN_IF_ERROR(take_layers());
  switch (options_.target) {
    case QuantTarget::kTensorRt:
      take_residuals();
      take_average_pools();
      break;
    case QuantTarget::kOpenVino:
      take_residuals();
      take_average_pools();
      take_all_uses();
      break;
    case QuantTarget::kOnnxRuntime:
      take_layer_outputs();
      break;
  }
  list_tensors();
  if (options_.target == QuantTarget::kTensorRt && options_.share_scales)
    placement_.plan.shared = scale_groups(edit_, placement_.plan.tensors, before_);
  return std::move(placement_);
}

}  // namespace

std::string_view to_string(QuantTarget target) noexcept {
  return kTargets[static_cast<std::size_t>(target)];
}

Result<QuantTarget> parse_quant_target(std::string_view text) {
  const auto found = std::ranges::find(kTargets, text);
  if (found == kTargets.end()) {
    return make_error(StatusCode::kConfigError, "there is no target {} of quantisation", in_quotes(text))
        .with_hint(suggest(text, kTargets));
  }
  return static_cast<QuantTarget>(found - kTargets.begin());
}

Status prepare_for_quantization(GraphEdit& edit) {
  constexpr int kPerAxisOpset = 13;  // of DequantizeLinear with an axis
  TERN_RETURN_IF_ERROR(refuse_quantised(edit.graph().node()));
  for (const auto& function : edit.model().functions())
    TERN_RETURN_IF_ERROR(refuse_quantised(function.node()));
  TERN_RETURN_IF_ERROR(lift_opset(edit, kPerAxisOpset));
  fold_batch_norm(edit);
  return {};
}

Result<Placement> place_quantizers(const GraphEdit& edit, const QuantizeOptions& options) {
  TERN_ASSIGN_OR_RETURN(const NodeFilter filter, NodeFilter::create(edit, options.exclude_nodes, options.exclude_ops));
  return Placer(edit, options, filter).place();
}

Result<QuantizationPlan> plan_quantization(const Model& model, const QuantizeOptions& options) {
  GraphEdit edit(model);
  const auto plan = [&]() -> Result<QuantizationPlan> {
    TERN_RETURN_IF_ERROR(prepare_for_quantization(edit));
    TERN_ASSIGN_OR_RETURN(Placement placement, place_quantizers(edit, options));
    return std::move(placement.plan);
  }();
  if (!plan.ok()) return plan.status().at(edit.label());
  return plan;
}

}  // namespace tern
