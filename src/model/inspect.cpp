// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/inspect.h"

#include <nlohmann/json.hpp>

#include "model/model_rep.h"

namespace tern {
namespace {

using Json = nlohmann::ordered_json;

Json describe_values(const std::vector<ValueInfo>& values) {
  Json list = Json::array();
  for (const ValueInfo& value : values) {
    Json shape;  // null: not even the rank is known
    if (value.has_shape) {
      shape = Json::array();
      for (const std::int64_t dim : value.shape.dims())
        shape.push_back(dim == Shape::kDynamic ? Json() : Json(dim));
    }
    list.push_back({{"name", value.name},
                    {"dtype", to_string(value.dtype)},
                    {"shape", std::move(shape)},
                    {"symbols", value.symbols}});
  }
  return list;
}

Json describe_initializers(const Model& model) {
  std::uint64_t bytes = 0;
  Json by_type = Json::object();
  for (const InitializerInfo& initializer : model.initializers()) {
    bytes += initializer.bytes;
    Json& type = by_type[initializer.dtype_name];
    if (type.is_null()) type = {{"count", 0}, {"bytes", 0}};
    type["count"] = type["count"].get<std::uint64_t>() + 1;
    type["bytes"] = type["bytes"].get<std::uint64_t>() + initializer.bytes;
  }
  return {{"count", model.initializers().size()},
          {"bytes", bytes},
          {"external_bytes", model.rep().external_bytes},
          {"by_type", std::move(by_type)}};
}

}  // namespace

std::string inspect_json(const Model& model, const Contract* contract) {
  std::size_t nodes = 0;
  Json ops = Json::object();
  for (const auto& [op, count] : model.op_counts()) {
    ops[op] = count;
    nodes += count;
  }
  Json root{{"name", model.stem()},
            {"content_hash", model.content_hash()},
            {"file_bytes", model.rep().file_bytes},
            {"ir_version", model.ir_version()},
            {"opset", model.opset()},
            {"producer", model.producer()},
            {"parameters", model.parameter_count()},
            {"nodes", nodes},
            {"ops", std::move(ops)},
            {"inputs", describe_values(model.inputs())},
            {"outputs", describe_values(model.outputs())},
            {"initializers", describe_initializers(model)},
            {"metadata", model.metadata()}};
  if (contract != nullptr) {
    root["contract"] = Json::parse(contract->to_json());
    root["contract_hash"] = contract->hash();
    Json origins = Json::object();
    for (const auto& [path, origin] : contract->origins) {
      origins[path] = {{"source", to_string(origin.source)}, {"detail", origin.detail}};
    }
    root["origins"] = std::move(origins);
  }
  return root.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tern
