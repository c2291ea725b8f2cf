// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "int8.h"

#include <algorithm>
#include <span>

#include <openvino/core/node.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/matmul.hpp>

#include "base/cpu.h"

namespace tern::ov_backend {
namespace {

// 255 * (64 + 64) = 32640 still fits in 16 bits.
constexpr int kSafeWeight = 64;

bool is_wide(const ov::op::v0::Constant& weights) {
  const std::size_t count = ov::shape_size(weights.get_shape());
  if (weights.get_element_type() == ov::element::u8) return count > 1;  // unsigned weights use all 8 bits as a rule
  if (weights.get_element_type() != ov::element::i8) return false;
  return std::ranges::any_of(std::span(weights.get_data_ptr<std::int8_t>(), count),
                             [](int weight) { return weight < -kSafeWeight || weight > kSafeWeight; });
}

/// Whether a value comes from constants alone. Between weights and their layer stand a handful of nodes: convert, subtract, multiply,
/// reshape, transpose.
bool is_constant(const ov::Node& node, int deepest = 8) {
  if (ov::is_type<ov::op::v0::Constant>(&node)) return true;
  if (deepest == 0 || node.get_input_size() == 0) return false;
  for (std::size_t i = 0; i < node.get_input_size(); ++i) {
    if (!is_constant(*node.get_input_node_ptr(i), deepest - 1)) return false;
  }
  return true;
}

/// A layer that multiplies two values of the frame, both of which may use all 8 bits.
bool multiplies_activations(const ov::Node& node) {
  const bool is_layer = ov::is_type<ov::op::v0::MatMul>(&node) || ov::is_type<ov::op::v1::Convolution>(&node) ||
                        ov::is_type<ov::op::v1::GroupConvolution>(&node) ||
                        ov::is_type<ov::op::v1::ConvolutionBackpropData>(&node) ||
                        ov::is_type<ov::op::v1::GroupConvolutionBackpropData>(&node);
  return is_layer && !is_constant(*node.get_input_node_ptr(0)) && !is_constant(*node.get_input_node_ptr(1));
}

}  // namespace

bool would_cut_off_sums(const ov::Model& model) {
  if (host_cpu().sums_int8_exactly()) return false;
  return std::ranges::any_of(model.get_ops(), [](const std::shared_ptr<ov::Node>& node) {
    if (const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(node)) return is_wide(*constant);
    if (multiplies_activations(*node)) return true;
    // Float weights that are quantised within the graph: all 8 bits.
    return ov::is_type<ov::op::v0::FakeQuantize>(node) &&
           ov::is_type<ov::op::v0::Constant>(node->get_input_node_shared_ptr(0));
  });
}

std::pair<std::string, ov::Any> int8_layers_in_f32() {
  return {"LP_TRANSFORMS_MODE", "NO"};
}

}  // namespace tern::ov_backend
