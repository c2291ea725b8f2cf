// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/model.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <system_error>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "model/external_data.h"
#include "model/graph_check.h"
#include "model/model_identity.h"
#include "model/model_rep.h"
#include "model/onnx_types.h"
#include "model/sniff.h"
#include "model/tensor_data.h"
#include "model/text.h"
#include "model/wire_scan.h"

namespace tern {
namespace {

constexpr std::uint64_t kProtobufLimit = std::numeric_limits<std::int32_t>::max();
constexpr std::string_view kExportHint = "check the file with onnx.checker.check_model, or export it again";

bool is_default_domain(std::string_view domain) {
  return domain.empty() || domain == "ai.onnx";
}

Status check_header(const onnx::ModelProto& proto) {
  if (!proto.has_graph()) {
    return make_error(StatusCode::kModelError, "the file has no graph: it is truncated, or not an ONNX model")
        .with_hint("copy or download the file again");
  }
  if (proto.ir_version() < 1 || proto.ir_version() > std::numeric_limits<int>::max()) {
    return make_error(StatusCode::kModelError,
                      "the file names no valid IR version: it is damaged, or not an ONNX model")
        .with_hint(kExportHint);
  }
  return {};
}

Status decode(std::span<const std::byte> bytes, const ModelLimits& limits, onnx::ModelProto& proto) {
  const std::uint64_t limit = std::min(limits.max_file_bytes, kProtobufLimit);
  if (bytes.size() > limit) {
    return make_error(StatusCode::kModelError, "the model has {} bytes; the limit is {}", bytes.size(), limit)
        .with_hint("save the weights as external data, beside the model");
  }
  TERN_RETURN_IF_ERROR(scan_onnx(bytes, limits));
  google::protobuf::io::ArrayInputStream array(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream stream(&array);
  stream.SetTotalBytesLimit(static_cast<int>(kProtobufLimit));
  stream.SetRecursionLimit(3 * limits.max_nesting + 32);  // scan_onnx() stops earlier
  if (!proto.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return make_error(StatusCode::kModelError, "not an ONNX file, or a damaged one").with_hint(kExportHint);
  }
  proto.clear_training_info();  // no part of inference
  return check_header(proto);
}

Result<int> find_opset(const onnx::ModelProto& proto) {
  std::int64_t opset = 0;
  for (const auto& import : proto.opset_import()) {
    if (!is_default_domain(import.domain())) continue;
    if (opset != 0 && opset != import.version()) {
      return make_error(StatusCode::kModelError, "the model imports two opsets, {} and {}", opset, import.version())
          .with_hint(kExportHint);
    }
    opset = import.version();
  }
  if (opset == 0) {
    return make_error(StatusCode::kModelError, "the model names no opset (opset_import of the default domain)")
        .with_hint(kExportHint);
  }
  if (opset < Model::kMinOpset || opset > std::numeric_limits<int>::max()) {
    return make_error(StatusCode::kModelError, "the model uses opset {}; tern needs {} or newer", opset,
                      Model::kMinOpset)
        .with_hint("export it again with a newer opset, or convert it with onnx.version_converter");
  }
  return static_cast<int>(opset);
}

Result<ValueInfo> read_value(const onnx::ValueInfoProto& proto, std::string_view role) {
  const std::string where = fmt::format("{} {}", role, in_quotes(proto.name()));
  if (!proto.type().has_tensor_type()) {
    return make_error(StatusCode::kModelError, "it is not a tensor")
        .at(where)
        .with_hint("tern runs models of tensors only");
  }
  const auto& tensor = proto.type().tensor_type();
  const OnnxType* type = find_onnx_type(tensor.elem_type());
  if (type == nullptr || !type->dtype) {
    return make_error(StatusCode::kModelError, "elements of {} are not supported", onnx_type_name(tensor.elem_type()))
        .at(where)
        .with_hint("cast it inside the model to a type such as FLOAT");
  }
  ValueInfo value;
  value.name = proto.name();
  value.dtype = *type->dtype;
  value.has_shape = tensor.has_shape();
  std::vector<std::int64_t> dims;
  for (const auto& dim : tensor.shape().dim()) {
    // Some exporters write -1 for a dimension that is not known.
    dims.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : Shape::kDynamic);
    value.symbols.push_back(dim.dim_param());
  }
  const Result<Shape> shape = Shape::from(dims);
  if (!shape) return make_error(StatusCode::kModelError, "it has {}", shape.status().message()).at(where);
  value.shape = *shape;
  return value;
}

Status read_interface(Model::Rep& rep) {
  const onnx::GraphProto& graph = rep.proto.graph();
  std::set<std::string_view> initializers;
  for (const auto& tensor : graph.initializer())
    initializers.insert(tensor.name());
  for (const auto& input : graph.input()) {
    if (initializers.contains(input.name())) continue;
    TERN_ASSIGN_OR_RETURN(ValueInfo value, read_value(input, "input"));
    rep.inputs.push_back(std::move(value));
  }
  for (const auto& output : graph.output()) {
    TERN_ASSIGN_OR_RETURN(ValueInfo value, read_value(output, "output"));
    rep.outputs.push_back(std::move(value));
  }
  if (rep.outputs.empty()) {
    return make_error(StatusCode::kModelError, "the graph has no outputs").with_hint(kExportHint);
  }
  return {};
}

Status read_metadata(Model::Rep& rep) {
  for (const auto& entry : rep.proto.metadata_props()) {
    const auto [place, added] = rep.metadata.emplace(entry.key(), entry.value());
    if (!added && place->second != entry.value()) {
      return make_error(StatusCode::kModelError, "the metadata hold {} twice, with different values",
                        in_quotes(entry.key()))
          .with_hint("keep one of them");
    }
  }
  return {};
}

std::string op_name(const onnx::NodeProto& node) {
  return is_default_domain(node.domain()) ? node.op_type() : node.domain() + "::" + node.op_type();
}

/// Calls `visit` for every node, those of subgraphs too.
template <typename Visit>
void for_each_node(const onnx::GraphProto& graph, const Visit& visit) {
  for (const auto& node : graph.node()) {
    visit(node);
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) for_each_node(attribute.g(), visit);
      for (const auto& subgraph : attribute.graphs())
        for_each_node(subgraph, visit);
    }
  }
}

void hash_number(Sha256& hash, std::uint64_t value) {
  std::array<std::byte, 8> little_endian{};
  for (std::size_t i = 0; i < 8; ++i)
    little_endian[i] = static_cast<std::byte>(value >> (8 * i));
  hash.update(little_endian);
}

std::string hash_content(std::span<const std::byte> file, const StoredTensors& tensors) {
  Sha256 hash;
  hash.update(file);
  for (const auto& [name, tensor] : tensors.external) {
    hash_number(hash, name.size());
    hash.update(name);
    hash_number(hash, tensor->raw_data().size());
    hash.update(tensor->raw_data());
  }
  return to_hex(hash.finish());
}

Status build(Model::Rep& rep, const std::filesystem::path& folder, const ModelLimits& limits) {
  if (Status status = decode(rep.bytes, limits, rep.proto); !status.ok()) {
    const FileGuess guess = guess_file_kind(rep.bytes);
    if (guess.what.empty()) return status;
    return make_error(StatusCode::kModelError, "not an ONNX file: it is {}", guess.what).with_hint(guess.hint);
  }
  rep.file_bytes = rep.bytes.size();
  TERN_ASSIGN_OR_RETURN(rep.opset, find_opset(rep.proto));
  bool reordered = false;
  TERN_RETURN_IF_ERROR(check_graphs(rep.proto, reordered));
  ExternalData external(folder, limits);
  TERN_ASSIGN_OR_RETURN(StoredTensors tensors, check_tensors(rep.proto, external));
  TERN_RETURN_IF_ERROR(read_interface(rep));
  TERN_RETURN_IF_ERROR(read_metadata(rep));
  rep.content_hash = hash_content(rep.bytes, tensors);
  rep.external_bytes = external.total();
  rep.parameter_count = tensors.parameters;
  rep.initializers = std::move(tensors.initializers);
  std::map<std::string, std::size_t> counts;
  for_each_node(rep.proto.graph(), [&](const onnx::NodeProto& node) { ++counts[op_name(node)]; });
  rep.op_counts.assign(counts.begin(), counts.end());
  std::ranges::stable_sort(rep.op_counts, std::ranges::greater{}, &std::pair<std::string, std::size_t>::second);
  if (reordered || !tensors.external.empty()) rep.bytes = {};
  return {};
}

Status serialize(const onnx::ModelProto& proto, std::vector<std::byte>& bytes) {
  const std::size_t size = proto.ByteSizeLong();
  if (size > kProtobufLimit) {
    return make_error(StatusCode::kModelError,
                      "with its external weights inside, the model has {} bytes; protobuf ends at 2 GiB", size)
        .with_hint("use a smaller model, or FP16 weights");
  }
  bytes.resize(size);
  google::protobuf::io::ArrayOutputStream array(bytes.data(), static_cast<int>(size));
  google::protobuf::io::CodedOutputStream stream(&array);
  // Maps do not occur in the schema, but a stable order of bytes is what keys are made of.
  stream.SetSerializationDeterministic(true);
  if (!proto.SerializeToCodedStream(&stream)) {
    return make_error(StatusCode::kInternalError, "the model could not be serialised");
  }
  return {};
}

}  // namespace

Result<Model> Model::from_file(const std::filesystem::path& path, const ModelLimits& limits) {
  // A FIFO would block the reader, a device never end.
  std::error_code error;
  const auto kind = std::filesystem::status(path, error).type();
  if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found &&
      kind != std::filesystem::file_type::none) {
    return make_error(StatusCode::kIoError, "is no regular file").at(path.string());
  }
  auto rep = std::make_shared<Rep>();
  rep->path = path;
  rep->label = path.filename().string();
  rep->stem = path.extension() == ".onnx" ? path.stem().string() : rep->label;
  TERN_ASSIGN_OR_RETURN(rep->bytes,
                        read_file(path, std::min(limits.max_file_bytes, kProtobufLimit), StatusCode::kModelError));
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (const Status status = build(*rep, folder, limits); !status.ok()) return status.at(path.string());
  return Model(std::move(rep));
}

Result<Model> Model::from_bytes(std::span<const std::byte> bytes, std::string_view name,
                                const std::filesystem::path& folder, const ModelLimits& limits) {
  auto rep = std::make_shared<Rep>();
  rep->label = name;
  rep->stem = name.ends_with(".onnx") ? name.substr(0, name.size() - 5) : name;
  if (bytes.size() <= limits.max_file_bytes) {
    rep->bytes.assign(bytes.begin(), bytes.end());
    if (const Status status = build(*rep, folder, limits); !status.ok()) return status.at(name);
    return Model(std::move(rep));
  }
  return make_error(StatusCode::kModelError, "the model has {} bytes; the limit is {}", bytes.size(),
                    limits.max_file_bytes)
      .at(name);
}

ModelIdentity identity_of(const Model& model) {
  const Model::Rep& rep = model.rep();
  return {rep.path.string(), rep.label, rep.stem, rep.content_hash};
}

Result<Model> restore_model(std::vector<std::byte> bytes, const ModelIdentity& identity) {
  constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
  constexpr int kDeep = 4096;
  auto rep = std::make_shared<Model::Rep>();
  rep->path = identity.path;
  rep->label = identity.label;
  rep->stem = identity.stem;
  rep->bytes = std::move(bytes);
  const ModelLimits limits{.max_file_bytes = kProtobufLimit,
                           .max_external_bytes = 0,
                           .max_nodes = kAny,
                           .max_initializers = kAny,
                           .max_nesting = kDeep,
                           .max_name_bytes = kAny};
  if (const Status status = build(*rep, {}, limits); !status.ok()) return status.at(identity.label);
  rep->content_hash = identity.content_hash;  // weights that lay beside the file are inside now, so the bytes differ
  return Model(std::move(rep));
}

const std::string& Model::stem() const noexcept {
  return rep_->stem;
}
const std::filesystem::path& Model::path() const noexcept {
  return rep_->path;
}
int Model::ir_version() const noexcept {
  return static_cast<int>(rep_->proto.ir_version());
}
int Model::opset() const noexcept {
  return rep_->opset;
}
const std::string& Model::producer() const noexcept {
  return rep_->proto.producer_name();
}
const std::vector<ValueInfo>& Model::inputs() const noexcept {
  return rep_->inputs;
}
const std::vector<ValueInfo>& Model::outputs() const noexcept {
  return rep_->outputs;
}
const std::vector<InitializerInfo>& Model::initializers() const noexcept {
  return rep_->initializers;
}
const std::map<std::string, std::string>& Model::metadata() const noexcept {
  return rep_->metadata;
}
const std::vector<std::pair<std::string, std::size_t>>& Model::op_counts() const noexcept {
  return rep_->op_counts;
}
std::vector<std::string> Model::node_names(std::string_view op) const {
  std::vector<std::string> names;
  for_each_node(rep_->proto.graph(), [&](const onnx::NodeProto& node) {
    if (op_name(node) == op) names.push_back(node.name());
  });
  return names;
}

std::vector<std::string> Model::quantizers_beside_i8() const {
  std::set<std::string_view> signed_zeros;
  for (const InitializerInfo& info : rep_->initializers) {
    if (info.dtype == DType::kI8) signed_zeros.insert(info.name);
  }
  const auto asks_for_i8 = [](const onnx::AttributeProto& a) {
    return a.name() == "output_dtype" && a.i() == onnx::TensorProto::INT8;
  };
  std::vector<std::string> names;
  for_each_node(rep_->proto.graph(), [&](const onnx::NodeProto& node) {
    if (op_name(node) != "QuantizeLinear") return;
    const bool has_zero = node.input_size() > 2 && !node.input(2).empty();
    const bool gives_i8 =
        has_zero ? signed_zeros.contains(node.input(2)) : std::ranges::any_of(node.attribute(), asks_for_i8);
    if (!gives_i8) names.push_back(node.name());
  });
  return names;
}

std::uint64_t Model::parameter_count() const noexcept {
  return rep_->parameter_count;
}
const std::string& Model::content_hash() const noexcept {
  return rep_->content_hash;
}

Result<std::span<const std::byte>> Model::self_contained_bytes() const {
  const Rep& rep = *rep_;
  if (!rep.bytes.empty()) return std::span<const std::byte>(rep.bytes);
  std::call_once(rep.serialize_once,
                 [&rep] { rep.serialize_status = serialize(rep.proto, rep.serialized).at(rep.label); });
  if (!rep.serialize_status.ok()) return rep.serialize_status;
  return std::span<const std::byte>(rep.serialized);
}

}  // namespace tern
