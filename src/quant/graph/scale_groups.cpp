// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/scale_groups.h"

#include <cstddef>
#include <map>
#include <numeric>

#include "quant/graph/operators.h"

namespace tern {
namespace {

/// Union-find over names; the smaller number leads, and paths are halved on the way.
class NameSets {
 public:
  std::size_t find(std::string_view name) {
    const auto [place, added] = numbers_.emplace(name, parents_.size());
    if (added) parents_.push_back(place->second);
    std::size_t i = place->second;
    while (parents_[i] != i)
      i = parents_[i] = parents_[parents_[i]];
    return i;
  }
  void join(std::string_view a, std::string_view b) {
    const std::size_t first = find(a), second = find(b);
    parents_[std::max(first, second)] = std::min(first, second);
  }

 private:
  std::map<std::string_view, std::size_t> numbers_;
  std::vector<std::size_t> parents_;
};

}  // namespace

std::vector<std::vector<std::string>> scale_groups(const GraphEdit& edit, const std::vector<std::string>& tensors,
                                                   const std::set<std::string_view>& within) {
  NameSets sets;
  for (int i = 0; i < edit.node_count(); ++i) {
    const onnx::NodeProto& node = edit.node(i);
    if (!moves_values(node)) continue;
    for (const std::string& output : node.output()) {
      if (!within.contains(output)) continue;
      for (int k = 0; k < data_inputs(node); ++k)
        sets.join(node.input(k), output);
    }
  }
  std::map<std::size_t, std::vector<std::string>> found;
  for (const std::string& tensor : tensors)
    found[sets.find(tensor)].push_back(tensor);
  std::vector<std::vector<std::string>> groups;
  for (auto& [leader, names] : found)
    if (names.size() > 1) groups.push_back(std::move(names));
  return groups;
}

}  // namespace tern
