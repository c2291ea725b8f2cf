// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "quant/graph/graph_edit.h"
#include "quant/graph/node_filter.h"
#include "quant/graph/operators.h"
#include "tern/quantize.h"

namespace tern {

/// What becomes of one node.
struct F16Decision {
  enum class Kind : std::uint8_t {
    kAny,  ///< has no f32 tensors, or reads what it is given (Shape, Cast): left as it is
    kF16,
    kF32,
  };
  Kind kind = Kind::kAny;
  std::string reason{};  ///< of kF32
};

/// A decision for every node of the main graph, by the rules of convert_to_f16().
[[nodiscard]] std::vector<F16Decision> decide_f16(const GraphEdit& edit, const TensorTypes& types,
                                                  const F16Options& options, const NodeFilter& filter);

/// An input that stays f32 in an f16 node: the scales of a Resize.
[[nodiscard]] bool is_f32_input(const onnx::NodeProto& node, int input);

}  // namespace tern
