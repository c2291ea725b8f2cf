// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <openvino/core/model.hpp>
#include <openvino/runtime/properties.hpp>

namespace tern::ov_backend {

/// Whether OpenVINO would compute int8 layers of `model`, as read from ONNX, wrongly on this CPU: its sums of 8-bit products are cut
/// off (CpuIdentity::sums_int8_exactly) and a weight lies beyond -64..64, or may do so, or a layer has activations for weights.
[[nodiscard]] bool would_cut_off_sums(const ov::Model& model);

/// Has quantised layers computed in f32, with the rounding and clipping that the model's Q/DQ nodes say: what int8 would give where
/// nothing is cut off. OpenVINO documents no such property; its CPU plugin reads this one ("LP" is low precision).
[[nodiscard]] std::pair<std::string, ov::Any> int8_layers_in_f32();

}  // namespace tern::ov_backend
