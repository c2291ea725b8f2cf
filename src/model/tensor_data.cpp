// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/tensor_data.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "model/onnx_types.h"
#include "model/text.h"

namespace tern {
namespace {

constexpr std::string_view kExportHint = "the file is damaged or was edited wrongly: export the model again";

// Elements of the field that belongs to the tensor's type.
std::uint64_t typed_entries(const onnx::TensorProto& tensor, TypedField field) {
  switch (field) {
    case TypedField::kFloat:
      return static_cast<std::uint64_t>(tensor.float_data_size());
    case TypedField::kInt32:
      return static_cast<std::uint64_t>(tensor.int32_data_size());
    case TypedField::kInt64:
      return static_cast<std::uint64_t>(tensor.int64_data_size());
    case TypedField::kUint64:
      return static_cast<std::uint64_t>(tensor.uint64_data_size());
    case TypedField::kDouble:
      return static_cast<std::uint64_t>(tensor.double_data_size());
    case TypedField::kString:
      return static_cast<std::uint64_t>(tensor.string_data_size());
  }
  return 0;
}

std::uint64_t all_typed_entries(const onnx::TensorProto& tensor) {
  std::uint64_t sum = 0;
  for (const TypedField field : {TypedField::kFloat, TypedField::kInt32, TypedField::kInt64, TypedField::kUint64,
                                 TypedField::kDouble, TypedField::kString}) {
    sum += typed_entries(tensor, field);
  }
  return sum;
}

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
  return value / by + (value % by != 0 ? 1 : 0);
}

Result<std::uint64_t> element_count(const Shape& shape) {
  const Result<std::int64_t> elements = shape.elements();
  // 2^56 elements of at most 128 bits: later products cannot overflow, and no file holds as many.
  if (!elements || *elements > (std::int64_t{1} << 56)) {
    return make_error(StatusCode::kModelError, "a stored tensor of shape {} fits no file", shape.to_string())
        .with_hint(kExportHint);
  }
  return static_cast<std::uint64_t>(*elements);
}

class Walker {
 public:
  Walker(ExternalData& external, StoredTensors& found) : external_(external), found_(found) {}

  Status graph(onnx::GraphProto& graph);
  Status nodes(google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes);

 private:
  // The tensor's number of bytes as raw data (strings: their sum).
  Result<std::uint64_t> tensor(onnx::TensorProto& tensor, const std::string& hash_name);
  Status attribute(onnx::AttributeProto& attribute, const std::string& node_name);
  Status initializer(onnx::TensorProto& tensor);

  ExternalData& external_;
  StoredTensors& found_;
};

Result<std::uint64_t> Walker::tensor(onnx::TensorProto& tensor, const std::string& hash_name) {
  const OnnxType* type = find_onnx_type(tensor.data_type());
  if (type == nullptr) {
    return make_error(StatusCode::kModelError, "element type {} is unknown", tensor.data_type())
        .with_hint("the file is damaged, or made by a newer ONNX than this tern knows");
  }
  if (tensor.has_segment()) {
    return make_error(StatusCode::kModelError, "tensors stored in segments are not supported").with_hint(kExportHint);
  }
  const auto& dims = tensor.dims();
  Result<Shape> shape = Shape::from({dims.data(), static_cast<std::size_t>(dims.size())});
  if (!shape || !shape->is_static()) {
    return make_error(StatusCode::kModelError, "a stored tensor cannot have {}",
                      shape ? "shape " + shape->to_string() : shape.status().message());
  }
  TERN_ASSIGN_OR_RETURN(const std::uint64_t elements, element_count(*shape));
  const std::uint64_t raw_bytes = divide_up(elements * static_cast<std::uint64_t>(type->bits), 8);

  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    if (type->field == TypedField::kString || tensor.has_raw_data() || all_typed_entries(tensor) > 0) {
      return make_error(StatusCode::kModelError, "the tensor has external data and others too").with_hint(kExportHint);
    }
    TERN_RETURN_IF_ERROR(external_.load(tensor, raw_bytes));
    found_.external.emplace_back(hash_name, &tensor);
    return raw_bytes;
  }
  const std::uint64_t typed = all_typed_entries(tensor);
  if (tensor.has_raw_data() && (typed > 0 || type->field == TypedField::kString)) {
    return make_error(StatusCode::kModelError, "the tensor's data are stored twice").with_hint(kExportHint);
  }
  if (typed != typed_entries(tensor, type->field)) {
    return make_error(StatusCode::kModelError, "the tensor is {}, but its data are of another type", type->name)
        .with_hint(kExportHint);
  }
  const std::uint64_t want = tensor.has_raw_data()
                                 ? raw_bytes
                                 : divide_up(elements * static_cast<std::uint64_t>(type->per_entry_num),
                                             static_cast<std::uint64_t>(type->per_entry_den));
  const std::uint64_t have = tensor.has_raw_data() ? tensor.raw_data().size() : typed;
  if (have != want) {
    return make_error(StatusCode::kModelError, "shape {} of {} needs {} {}, but {} are stored", shape->to_string(),
                      type->name, want, tensor.has_raw_data() ? "bytes" : "values", have)
        .with_hint(kExportHint);
  }
  if (type->field != TypedField::kString) return raw_bytes;
  std::uint64_t bytes = 0;
  for (const std::string& text : tensor.string_data())
    bytes += text.size();
  return bytes;
}

Status Walker::initializer(onnx::TensorProto& proto) {
  const std::string where = "initialiser " + in_quotes(proto.name());
  const bool external = proto.data_location() == onnx::TensorProto::EXTERNAL;
  const Result<std::uint64_t> bytes = tensor(proto, proto.name());
  if (!bytes) return bytes.status().at(where);
  const OnnxType& type = *find_onnx_type(proto.data_type());  // tensor() found it
  InitializerInfo info;
  info.name = proto.name();
  info.dtype = type.dtype;
  info.dtype_name = type.name;
  info.shape = *Shape::from({proto.dims().data(), static_cast<std::size_t>(proto.dims().size())});
  info.bytes = *bytes;
  info.external = external;
  if (type.floating) found_.parameters += static_cast<std::uint64_t>(*info.shape.elements());
  found_.initializers.push_back(std::move(info));
  return {};
}

Status Walker::attribute(onnx::AttributeProto& attribute, const std::string& node_name) {
  if (attribute.has_sparse_tensor() || attribute.sparse_tensors_size() > 0) {
    return make_error(StatusCode::kModelError, "sparse tensors are not supported")
        .with_hint("export the model with dense weights");
  }
  const std::string name = node_name + "." + attribute.name();
  if (attribute.has_t()) TERN_RETURN_IF_ERROR(tensor(*attribute.mutable_t(), name).status());
  for (auto& t : *attribute.mutable_tensors())
    TERN_RETURN_IF_ERROR(tensor(t, name).status());
  if (attribute.has_g()) TERN_RETURN_IF_ERROR(graph(*attribute.mutable_g()));
  for (auto& g : *attribute.mutable_graphs())
    TERN_RETURN_IF_ERROR(graph(g));
  return {};
}

Status Walker::nodes(google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes) {
  for (onnx::NodeProto& node : nodes) {
    for (onnx::AttributeProto& a : *node.mutable_attribute()) {
      // A node without a name is known by what it makes.
      const std::string& name = node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
      const Status status = attribute(a, name);
      if (!status.ok())
        return status.at(
            fmt::format("node {} ({}): {}", in_quotes(name), in_quotes(node.op_type()), in_quotes(a.name())));
    }
  }
  return {};
}

Status Walker::graph(onnx::GraphProto& graph) {
  if (graph.sparse_initializer_size() > 0) {
    return make_error(StatusCode::kModelError, "sparse initialisers are not supported")
        .at("initialiser " + in_quotes(graph.sparse_initializer(0).values().name()))
        .with_hint("export the model with dense weights");
  }
  for (onnx::TensorProto& t : *graph.mutable_initializer())
    TERN_RETURN_IF_ERROR(initializer(t));
  return nodes(*graph.mutable_node());
}

}  // namespace

Result<StoredTensors> check_tensors(onnx::ModelProto& model, ExternalData& external) {
  StoredTensors found;
  Walker walker(external, found);
  TERN_RETURN_IF_ERROR(walker.graph(*model.mutable_graph()));
  for (onnx::FunctionProto& function : *model.mutable_functions()) {
    const Status status = walker.nodes(*function.mutable_node());
    if (!status.ok()) return status.at("function " + in_quotes(function.name()));
  }
  std::ranges::stable_sort(found.external, {}, [](const auto& entry) -> const std::string& { return entry.first; });
  return found;
}

}  // namespace tern
