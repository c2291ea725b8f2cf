// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "onnx_schema.pb.h"
#include "tern/model.h"

namespace tern {

/// What a Model holds. For modules that edit models: copy `proto`, change the copy, and read the result with
/// Model::from_bytes.
struct Model::Rep {
  std::filesystem::path path;  ///< empty when read from bytes
  std::string label;           ///< for messages: the file name, or the name given with the bytes
  std::string stem;

  /// Checked; external weights are inside, nodes stand in topological order, training information is dropped.
  onnx::ModelProto proto;
  /// The file as read; empty when `proto` differs from it (external weights, nodes out of order).
  std::vector<std::byte> bytes;

  int opset = 0;
  std::vector<ValueInfo> inputs, outputs;
  std::vector<InitializerInfo> initializers;
  std::map<std::string, std::string> metadata;
  std::vector<std::pair<std::string, std::size_t>> op_counts;
  std::uint64_t parameter_count = 0;
  std::uint64_t file_bytes = 0, external_bytes = 0;
  std::string content_hash;

  /// Model::self_contained_bytes() where `bytes` are not: made once, on demand.
  mutable std::once_flag serialize_once;
  mutable std::vector<std::byte> serialized;
  mutable Status serialize_status;
};

}  // namespace tern
