// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "quant/graph/graph_edit.h"
#include "tern/status.h"

namespace tern {

/// Which nodes the user keeps out of an edit, by name, pattern or operator.
class NodeFilter {
 public:
  /// ConfigError for a name, pattern or operator that no node has.
  [[nodiscard]] static Result<NodeFilter> create(const GraphEdit& edit, std::span<const std::string> nodes,
                                                 std::span<const std::string> ops);
  /// Why the node is kept out; empty when it is not.
  [[nodiscard]] std::string reason(const onnx::NodeProto& node) const;

 private:
  std::vector<std::string> nodes_, ops_;
};

}  // namespace tern
