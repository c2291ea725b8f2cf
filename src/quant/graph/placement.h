// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quant/graph/graph_edit.h"
#include "tern/quantize.h"

namespace tern {

/// A plan, with what the public one does not tell: where in the graph it stands.
struct Placement {
  QuantizationPlan plan;
  std::vector<int> nodes;  ///< of plan.layers
  /// For each of plan.tensors, the inputs that read it as int8.
  std::map<std::string, std::vector<TensorUse>, std::less<>> readers;
};

/// Opset at least 13, batch norms folded: what plan_quantization() and quantize() start from.
[[nodiscard]] Status prepare_for_quantization(GraphEdit& edit);
/// REQUIRES: a prepared graph.
[[nodiscard]] Result<Placement> place_quantizers(const GraphEdit& edit, const QuantizeOptions& options);

}  // namespace tern
