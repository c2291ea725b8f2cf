// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "model/onnx_types.h"
#include "model/text.h"
#include "quant/graph/operators.h"
#include "tern/quantize.h"

namespace tern {

Result<Model> expose_tensors(const Model& model, std::span<const std::string> names) {
  GraphEdit edit(model);
  const TensorTypes types = infer_types(edit);
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second || edit.is_output(name)) continue;
    const bool is_input = std::ranges::any_of(model.inputs(), [&](const ValueInfo& v) { return v.name == name; });
    if (edit.maker(name) < 0 && !is_input) {
      return make_error(StatusCode::kInputError, "no node makes the tensor {}", in_quotes(name))
          .at(edit.label())
          .with_hint("names of tensors, not of nodes, are wanted");
    }
    if (const int type = type_of(types, name); type != onnx::TensorProto::FLOAT) {
      return make_error(StatusCode::kInputError, "the tensor {} is {}, not FLOAT", in_quotes(name),
                        type == 0 ? "of an unknown type" : onnx_type_name(type))
          .at(edit.label());
    }
    const auto& stated = edit.graph().value_info();
    const auto found = std::ranges::find(stated, name, &onnx::ValueInfoProto::name);
    onnx::ValueInfoProto& output = *edit.graph().add_output();
    if (found != stated.end()) output = *found;
    output.set_name(name);
    output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  }
  return edit.finish();
}

std::vector<std::string> float_tensors(const Model& model) {
  const GraphEdit edit(model);
  const TensorTypes types = infer_types(edit);
  std::vector<std::string> names;
  const auto take = [&](const std::string& name) {
    if (type_of(types, name) == onnx::TensorProto::FLOAT && edit.constant(name) == nullptr) names.push_back(name);
  };
  for (const ValueInfo& input : model.inputs())
    take(input.name);
  for (int i = 0; i < edit.node_count(); ++i)
    for (const std::string& output : edit.node(i).output())
      take(output);
  return names;
}

}  // namespace tern
