// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "onnx_schema.pb.h"
#include "tern/status.h"

namespace tern {

/// Checks how the nodes of a model hang together, in the main graph, its subgraphs and the model's functions: names are
/// UTF-8; no tensor is made twice; every input is made by a node, an initialiser, a graph input or, in a subgraph, an
/// outer graph; every output exists; nothing goes in a circle. ModelError names node and tensor.
///
/// ONNX asks for nodes in topological order, but not every exporter obeys. Nodes out of order are sorted (stable);
/// `reordered` says so.
[[nodiscard]] Status check_graphs(onnx::ModelProto& model, bool& reordered);

}  // namespace tern
