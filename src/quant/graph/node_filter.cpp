// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/node_filter.h"

#include <algorithm>
#include <fnmatch.h>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

// The name itself comes first: names may hold brackets.
bool matches(const std::string& pattern, const onnx::NodeProto& node) {
  const std::string& name = name_of(node);
  return pattern == name || ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

}  // namespace

Result<NodeFilter> NodeFilter::create(const GraphEdit& edit, std::span<const std::string> nodes,
                                      std::span<const std::string> ops) {
  const auto& all = edit.graph().node();
  for (const std::string& pattern : nodes) {
    if (std::ranges::any_of(all, [&](const auto& node) { return matches(pattern, node); })) continue;
    std::vector<std::string_view> names;
    for (const auto& node : all)
      if (node.op_type() != "Constant") names.emplace_back(name_of(node));
    const std::string_view near = closest(pattern, names);
    return make_error(StatusCode::kConfigError, "no node of the model is called {}", in_quotes(pattern))
        .with_hint(near.empty() ? "`tern inspect` lists operators; patterns may hold * ? []"
                                : fmt::format("did you mean {}?", in_quotes(near)));
  }
  for (const std::string& op : ops) {
    if (std::ranges::any_of(all, [&](const auto& node) { return node.op_type() == op; })) continue;
    return make_error(StatusCode::kConfigError, "the model has no operator {}", in_quotes(op))
        .with_hint("`tern inspect` lists its operators");
  }
  NodeFilter filter;
  filter.nodes_.assign(nodes.begin(), nodes.end());
  filter.ops_.assign(ops.begin(), ops.end());
  return filter;
}

std::string NodeFilter::reason(const onnx::NodeProto& node) const {
  for (const std::string& op : ops_)
    if (node.op_type() == op) return fmt::format("the options keep {} out", op);
  for (const std::string& pattern : nodes_)
    if (matches(pattern, node)) return fmt::format("the options keep {} out", in_quotes(pattern));
  return {};
}

}  // namespace tern
