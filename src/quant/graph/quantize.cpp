// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/quantize.h"

#include <array>
#include <set>
#include <tuple>

#include "quant/graph/activation_scales.h"
#include "quant/graph/int8_weights.h"
#include "quant/graph/placement.h"
#include "quant/graph/tensor_values.h"

namespace tern {
namespace {

/// Writes a placement into the graph: for each tensor one QuantizeLinear and one DequantizeLinear, which all its readers share.
class QdqWriter {
 public:
  QdqWriter(GraphEdit& edit, const QuantizeOptions& options) : edit_(edit), options_(options) {}

  void activation(const std::string& tensor, float scale, const std::vector<TensorUse>& readers);
  void weight(int node, int axis);
  void commit() { edit_.commit(replaced_); }

 private:
  struct Pair {
    std::string scale, zero;
  };
  Pair parameters(const std::string& tensor, const std::vector<std::int64_t>& dims, const std::vector<float>& scales);
  std::string quantize(const std::string& tensor, const Pair& pair, int axis, int position);
  std::string dequantize(const std::string& tensor, const std::string& levels, const Pair& pair, int axis,
                         int position);

  GraphEdit& edit_;
  const QuantizeOptions& options_;
  std::set<std::string, std::less<>> replaced_;
  std::map<std::pair<std::string, int>, std::string> weights_;  ///< (weight, axis) -> what reads as it
};

QdqWriter::Pair QdqWriter::parameters(const std::string& tensor, const std::vector<std::int64_t>& dims,
                                      const std::vector<float>& scales) {
  onnx::TensorProto& scale = edit_.new_initializer(tensor + "_scale");
  set_floats(scale, dims, scales);
  onnx::TensorProto& zero = edit_.new_initializer(tensor + "_zero_point");
  // ONNX's default is uint8, and ONNX Runtime fuses only where it is written.
  set_int8(zero, dims, std::vector<std::int8_t>(scales.size(), 0));
  return {scale.name(), zero.name()};
}

std::string QdqWriter::quantize(const std::string& tensor, const Pair& pair, int axis, int position) {
  onnx::NodeProto& node = edit_.insert_before(position, "QuantizeLinear", tensor + "_QuantizeLinear");
  for (const std::string& input : {tensor, pair.scale, pair.zero})
    node.add_input(input);
  if (axis >= 0) set_attribute(node, "axis", std::int64_t{axis});
  node.add_output(edit_.unique(tensor + "_q"));
  return node.output(0);
}

std::string QdqWriter::dequantize(const std::string& tensor, const std::string& levels, const Pair& pair, int axis,
                                  int position) {
  onnx::NodeProto& node = edit_.insert_before(position, "DequantizeLinear", tensor + "_DequantizeLinear");
  for (const std::string& input : {levels, pair.scale, pair.zero})
    node.add_input(input);
  if (axis >= 0) set_attribute(node, "axis", std::int64_t{axis});
  node.add_output(edit_.unique(tensor + "_dq"));
  return node.output(0);
}

void QdqWriter::activation(const std::string& tensor, float scale, const std::vector<TensorUse>& readers) {
  const int position = edit_.maker(tensor) + 1;
  const Pair pair = parameters(tensor, {}, {scale});
  const std::string levels = quantize(tensor, pair, -1, position);
  const std::string value = dequantize(tensor, levels, pair, -1, position);
  for (const TensorUse& use : readers)
    edit_.node(use.node).set_input(use.input, value);
}

void QdqWriter::weight(int node, int axis) {
  const std::string name = edit_.node(node).input(1);
  const auto [place, added] = weights_.emplace(std::pair(name, axis), "");
  if (added) {
    const onnx::TensorProto& tensor = *edit_.constant(name);
    const std::vector<std::int64_t> dims = dims_of(tensor);
    const Int8Weights weights = quantize_weights(float_values(tensor), dims, axis,
                                                 options_.reduce_range ? kReducedWeightLevels : kWeightLevels);
    std::vector<std::int64_t> scale_dims;
    if (axis >= 0) scale_dims.push_back(dims[static_cast<std::size_t>(axis)]);
    const Pair pair = parameters(name, scale_dims, weights.scales);
    std::string levels;
    switch (options_.weights) {
      case WeightStorage::kInt8: {
        onnx::TensorProto& stored = edit_.new_initializer(name + "_q");
        set_int8(stored, dims, weights.levels);
        levels = stored.name();
        replaced_.insert(name);
        break;
      }
      case WeightStorage::kFloat:
        levels = quantize(name, pair, axis, node);
        break;
    }
    place->second = dequantize(name, levels, pair, axis, node);
  }
  edit_.node(node).set_input(1, place->second);
}

Status write(GraphEdit& edit, const TensorRanges& ranges, const QuantizeOptions& options,
             QuantizationSummary& summary) {
  TERN_RETURN_IF_ERROR(prepare_for_quantization(edit));
  TERN_ASSIGN_OR_RETURN(Placement placement, place_quantizers(edit, options));
  TERN_ASSIGN_OR_RETURN(summary.scales, activation_scales(placement.plan, ranges));
  QdqWriter writer(edit, options);
  for (std::size_t i = 0; i < placement.nodes.size(); ++i)
    writer.weight(placement.nodes[i], placement.plan.layers[i].axis);
  for (const std::string& tensor : placement.plan.tensors)
    writer.activation(tensor, summary.scales.find(tensor)->second, placement.readers.find(tensor)->second);
  writer.commit();
  summary.plan = std::move(placement.plan);
  return {};
}

}  // namespace

Result<Model> quantize(const Model& model, const TensorRanges& ranges, const QuantizeOptions& options,
                       QuantizationSummary* summary) {
  GraphEdit edit(model);
  QuantizationSummary done;
  if (const Status status = write(edit, ranges, options, done); !status.ok()) return status.at(edit.label());
  TERN_ASSIGN_OR_RETURN(Model result, edit.finish());
  done.opset = result.opset();
  if (summary != nullptr) *summary = std::move(done);
  return result;
}

}  // namespace tern
