// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/external_data.h"
#include "onnx_schema.pb.h"
#include "tern/model.h"

namespace tern {

/// What check_tensors() learnt about the tensors stored in a model.
struct StoredTensors {
  std::vector<InitializerInfo> initializers;
  /// Tensors that came from external data, with the name they are hashed under, sorted by it.
  std::vector<std::pair<std::string, const onnx::TensorProto*>> external;
  std::uint64_t parameters = 0;  ///< elements of initialisers of floating type
};

/// Checks every tensor stored in the model (initialisers and node attributes, subgraphs and functions too): its type is
/// known, its data fit its type and dimensions. External data are read and put inside. ModelError names node and
/// tensor.
[[nodiscard]] Result<StoredTensors> check_tensors(onnx::ModelProto& model, ExternalData& external);

}  // namespace tern
