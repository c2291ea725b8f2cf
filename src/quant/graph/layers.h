// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "quant/graph/graph_edit.h"
#include "quant/graph/node_filter.h"
#include "quant/graph/operators.h"

namespace tern {

/// A node with weights: Conv, ConvTranspose, Gemm or MatMul.
struct WeightedLayer {
  int node = 0;
  std::string reason;  ///< why it stays float; empty: it is quantised
  int axis = -1;       ///< of its weights' output channels; -1: one scale for all
};

/// The layers with weights of the main graph, in its order. `keep_head_float`: those from which no other one is reached stay
/// float. A layer that reads what a Softmax gives decodes (the box distances of DFL): it stays float and is no other one.
[[nodiscard]] std::vector<WeightedLayer> find_layers(const GraphEdit& edit, const TensorTypes& types,
                                                     const NodeFilter& filter, bool keep_head_float);

/// Tensors from which one of these nodes is reached. Valid until commit().
[[nodiscard]] std::set<std::string_view> tensors_before(const GraphEdit& edit, const std::set<int>& nodes);

}  // namespace tern
