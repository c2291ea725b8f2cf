// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "model/model_rep.h"
#include "tern/calib_cache.h"

namespace tern {
namespace {

constexpr float kTiny = 1e-9F, kHuge = 1e6F;
constexpr float kUnitRange = 1.05F;  // Sigmoid and Softmax, with room for TensorRT's half bin
constexpr float kWider = 3;          // calibrators clip input and output apart, but not by that much
constexpr std::size_t kFewTensors = 4;

/// Names that differ in what converters between frameworks change are the same here.
std::string normal_form(std::string_view name) {
  if (name.ends_with(":0")) name.remove_suffix(2);
  while (name.starts_with('/'))
    name.remove_prefix(1);
  std::string form(name);
  for (char& c : form) {
    if (c == '/' || c == ':' || c == '.' || c == '-') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return form;
}

/// The tensors that flow through the main graph: weights are no activations.
std::set<std::string> activations_of(const onnx::GraphProto& graph) {
  std::set<std::string> names, weights;
  for (const auto& weight : graph.initializer())
    weights.insert(weight.name());
  for (const auto& input : graph.input()) {
    if (!weights.contains(input.name())) names.insert(input.name());
  }
  for (const auto& node : graph.node()) {
    if (node.op_type() == "Constant") continue;
    for (const std::string& output : node.output()) {
      if (!output.empty()) names.insert(output);
    }
  }
  return names;
}

/// Pairs names of the cache that are not of the model with tensors that are not of the cache.
void pair_renamed(const std::map<std::string_view, float>& left_over, const std::set<std::string>& tensors,
                  CacheMapping& mapping) {
  std::map<std::string, std::vector<std::string>> in_model, in_cache;
  for (const std::string& tensor : tensors) {
    if (!mapping.ranges.contains(tensor)) in_model[normal_form(tensor)].push_back(tensor);
  }
  for (const auto& [name, range] : left_over)
    in_cache[normal_form(name)].emplace_back(name);
  for (const auto& [form, names] : in_cache) {
    const auto found = in_model.find(form);
    if (names.size() == 1 && found != in_model.end() && found->second.size() == 1) {
      mapping.renamed.push_back({names.front(), found->second.front()});
      mapping.ranges.emplace(found->second.front(), left_over.at(names.front()));
    } else {
      mapping.unknown.insert(mapping.unknown.end(), names.begin(), names.end());
    }
  }
  std::ranges::sort(mapping.unknown);
}

void suspect_scales(CacheMapping& mapping) {
  std::set<float> scales;
  for (const auto& [tensor, range] : mapping.ranges) {
    const float scale = scale_of(range);
    scales.insert(scale);
    if (scale < kTiny || scale > kHuge)
      mapping.suspicious.push_back({tensor, fmt::format("the scale is {:.3g}", scale)});
  }
  if (mapping.ranges.size() >= kFewTensors && scales.size() == 1)
    mapping.suspicious.push_back({"", fmt::format("all {} tensors have one scale", mapping.ranges.size())});
}

void suspect_operators(const onnx::GraphProto& graph, CacheMapping& mapping) {
  for (const auto& node : graph.node()) {
    if (node.input_size() == 0 || node.output_size() == 0) continue;
    const auto output = mapping.ranges.find(node.output(0));
    if (output == mapping.ranges.end()) continue;
    const std::string& op = node.op_type();
    if ((op == "Sigmoid" || op == "Softmax") && output->second > kUnitRange)
      mapping.suspicious.push_back(
          {output->first, fmt::format("the range is {:.4g}, but {} gives 0..1", output->second, op)});
    const auto input = mapping.ranges.find(node.input(0));
    if ((op == "Relu" || op == "MaxPool") && input != mapping.ranges.end() && output->second > kWider * input->second) {
      mapping.suspicious.push_back(
          {output->first,
           fmt::format("the range is {:.4g}, that of the input of {} only {:.4g}", output->second, op, input->second)});
    }
  }
}

}  // namespace

double CacheMapping::coverage() const noexcept {
  if (wanted == 0) return 1;
  return static_cast<double>(wanted - missing.size()) / static_cast<double>(wanted);
}

CacheMapping map_cache(const TensorrtCache& cache, const Model& model, const std::vector<std::string>& wanted) {
  CacheMapping mapping;
  const onnx::GraphProto& graph = model.rep().proto.graph();
  const std::set<std::string> tensors = activations_of(graph);
  const TensorRanges ranges = cache.ranges();
  std::map<std::string_view, float> left_over;
  for (const TensorrtCache::Entry& entry : cache.entries) {
    const float range = ranges.find(entry.tensor)->second;
    if (tensors.contains(entry.tensor)) {
      mapping.matched.push_back(entry.tensor);
      mapping.ranges.emplace(entry.tensor, range);
    } else {
      left_over.emplace(entry.tensor, range);
    }
  }
  pair_renamed(left_over, tensors, mapping);
  mapping.wanted = wanted.size();
  std::ranges::copy_if(wanted, std::back_inserter(mapping.missing),
                       [&](const std::string& tensor) { return !mapping.ranges.contains(tensor); });
  suspect_scales(mapping);
  suspect_operators(graph, mapping);
  return mapping;
}

}  // namespace tern
