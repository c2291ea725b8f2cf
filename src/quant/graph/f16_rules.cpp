// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/f16_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "model/text.h"
#include "quant/graph/tensor_values.h"

namespace tern {
namespace {

using Kind = F16Decision::Kind;
constexpr float kLargestF16 = 65504;
constexpr float kLeastNormalF16 = 6.103515625e-5F;  // 2^-14; below it, steps are no longer relative
constexpr float kLargestLevel = 128;

bool reads_any_type(std::string_view op) {
  return op == "Shape" || op == "Size" || op == "Cast" || op == "Constant";
}

bool is_qdq(std::string_view op) {
  return op == "QuantizeLinear" || op == "DequantizeLinear";
}

class Rules {
 public:
  Rules(const GraphEdit& edit, const TensorTypes& types, const F16Options& options, const NodeFilter& filter)
      : edit_(edit), types_(types), options_(options), filter_(filter) {}

  std::vector<F16Decision> decide();

 private:
  [[nodiscard]] bool is_f32(std::string_view tensor) const {
    return type_of(types_, tensor) == onnx::TensorProto::FLOAT;
  }
  [[nodiscard]] bool has_f32(const onnx::NodeProto& node) const;
  [[nodiscard]] std::string obstacle(const onnx::NodeProto& node) const;
  [[nodiscard]] std::string qdq_obstacle(const onnx::NodeProto& node) const;
  [[nodiscard]] std::string constant_obstacle(const std::string& name) const;
  [[nodiscard]] std::string range_obstacle(const std::string& name) const;
  [[nodiscard]] std::string neighbour_obstacle(const onnx::NodeProto& node) const;
  /// The largest value that a DequantizeLinear can give.
  [[nodiscard]] std::optional<float> dequantised_range(const std::string& name) const;

  const GraphEdit& edit_;
  const TensorTypes& types_;
  const F16Options& options_;
  const NodeFilter& filter_;
  std::vector<F16Decision> decisions_;
};

bool Rules::has_f32(const onnx::NodeProto& node) const {
  const auto is = [&](const std::string& name) { return is_f32(name); };
  return std::ranges::any_of(node.input(), is) || std::ranges::any_of(node.output(), is);
}

std::string Rules::constant_obstacle(const std::string& name) const {
  float least = std::numeric_limits<float>::max(), largest = 0;
  for (const float value : float_values(*edit_.constant(name))) {
    if (!(std::abs(value) <= kLargestF16)) return fmt::format("its constant {} goes beyond f16", in_quotes(name));
    if (value != 0) least = std::min(least, std::abs(value));
    largest = std::max(largest, std::abs(value));
  }
  if (largest > 0 && largest < kLeastNormalF16)
    return fmt::format("its constant {} is below what f16 holds precisely", in_quotes(name));
  return {};
}

std::optional<float> Rules::dequantised_range(const std::string& name) const {
  const int maker = edit_.maker(name);
  if (maker < 0 || standard_op(edit_.node(maker)) != "DequantizeLinear") return std::nullopt;
  const onnx::TensorProto* scale = edit_.constant(edit_.node(maker).input(1));
  const std::vector<float> scales = scale != nullptr ? float_values(*scale) : std::vector<float>();
  if (scales.empty()) return std::nullopt;
  return *std::ranges::max_element(scales) * kLargestLevel;
}

std::string Rules::range_obstacle(const std::string& name) const {
  if (options_.ranges.empty()) return {};
  auto range = dequantised_range(name);
  if (const auto found = options_.ranges.find(name); !range && found != options_.ranges.end()) range = found->second;
  if (!range) return fmt::format("the range of {} is not known", in_quotes(name));
  if (!(*range <= options_.max_abs))
    return fmt::format("{} reaches {:.4g}, above {:g}", in_quotes(name), *range, options_.max_abs);
  return {};
}

// Scales become f16 with what they scale.
std::string Rules::qdq_obstacle(const onnx::NodeProto& node) const {
  const onnx::TensorProto* scale = node.input_size() > 1 ? edit_.constant(node.input(1)) : nullptr;
  if (scale == nullptr || scale->data_type() != onnx::TensorProto::FLOAT) return "its scale is no f32 constant";
  for (const float value : float_values(*scale)) {
    // Normal numbers are exact to 1/2048.
    if (!(value >= kLeastNormalF16 && value * kLargestLevel <= kLargestF16))
      return fmt::format("its scale {:.4g} does not fit f16", value);
  }
  if (standard_op(node) == "QuantizeLinear" && edit_.constant(node.input(0)) == nullptr)
    return range_obstacle(node.input(0));
  if (const int maker = edit_.maker(node.input(0));
      maker >= 0 && decisions_[static_cast<std::size_t>(maker)].kind == Kind::kF32)
    return "what quantises it is f32";
  return {};
}

// f32 that nothing but f32 is near: casts around it would cost more than they save.
std::string Rules::neighbour_obstacle(const onnx::NodeProto& node) const {
  const auto decision = [&](const std::string& name) -> const F16Decision* {
    const int maker = edit_.maker(name);
    return maker < 0 ? nullptr : &decisions_[static_cast<std::size_t>(maker)];
  };
  for (const std::string& input : node.input()) {
    const int maker = edit_.maker(input);
    if (maker < 0 || !is_f32(input)) continue;
    if (standard_op(edit_.node(maker)) == "DequantizeLinear" && decision(input)->kind == Kind::kF32)
      return "a scale before it does not fit f16";
  }
  if (!moves_values(node)) return {};
  for (int k = 0; k < data_inputs(node); ++k) {
    const F16Decision* before = decision(node.input(k));
    if (before == nullptr || before->kind != Kind::kF32) return {};
  }
  return "it moves values that are f32";
}

std::string Rules::obstacle(const onnx::NodeProto& node) const {
  const Operator* row = find_operator(standard_op(node));
  for (const auto& attribute : node.attribute())
    if (attribute.has_g() || attribute.graphs_size() > 0) return "it holds a subgraph";
  if (std::string reason = filter_.reason(node); !reason.empty()) return reason;
  if (is_qdq(standard_op(node))) return qdq_obstacle(node);
  if (row == nullptr || !row->f16) return "ONNX is not known to have this operator in f16";
  for (const auto* names : {&node.input(), &node.output()}) {
    for (const std::string& name : *names)
      if (!name.empty() && type_of(types_, name) == 0)
        return fmt::format("the type of {} is not known", in_quotes(name));
  }
  for (int k = 0; k < node.input_size(); ++k) {
    const std::string& name = node.input(k);
    if (!is_f32(name) || is_f32_input(node, k)) continue;
    std::string reason = edit_.constant(name) != nullptr ? constant_obstacle(name) : range_obstacle(name);
    if (!reason.empty()) return reason;
  }
  for (const std::string& name : node.output()) {
    if (!is_f32(name)) continue;
    if (std::string reason = range_obstacle(name); !reason.empty()) return reason;
  }
  return neighbour_obstacle(node);
}

std::vector<F16Decision> Rules::decide() {
  decisions_.resize(static_cast<std::size_t>(edit_.node_count()));
  for (int i = 0; i < edit_.node_count(); ++i) {
    const onnx::NodeProto& node = edit_.node(i);
    F16Decision& decision = decisions_[static_cast<std::size_t>(i)];
    const bool constant = node.output_size() > 0 && edit_.constant(node.output(0)) != nullptr;
    const bool has_subgraph = std::ranges::any_of(node.attribute(), [](const auto& a) { return a.has_g(); });
    if (constant || (!has_f32(node) && !has_subgraph)) continue;
    if (reads_any_type(standard_op(node))) {
      // A Cast to f32 makes f32, mostly of integers that f16 could not count.
      if (is_f32(node.output(0))) decision.kind = Kind::kF32;
      continue;
    }
    decision.reason = obstacle(node);
    decision.kind = decision.reason.empty() ? Kind::kF16 : Kind::kF32;
  }
  return std::move(decisions_);
}

}  // namespace

std::vector<F16Decision> decide_f16(const GraphEdit& edit, const TensorTypes& types, const F16Options& options,
                                    const NodeFilter& filter) {
  return Rules(edit, types, options, filter).decide();
}

bool is_f32_input(const onnx::NodeProto& node, int input) {
  return standard_op(node) == "Resize" && input > 0;
}

}  // namespace tern
