// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "quant/graph/graph_edit.h"
#include "tern/status.h"

namespace tern {

/// Lifts the model to opset `to` (13..19) of ONNX's own domain, where it is below. Every node computes what it did: attributes
/// that became inputs become constants, defaults that changed are written out. ModelError names the node where that cannot be
/// shown (operators that are not known, Softmax over an unknown rank, model functions).
[[nodiscard]] Status lift_opset(GraphEdit& edit, int to);

}  // namespace tern
