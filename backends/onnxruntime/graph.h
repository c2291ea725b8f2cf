// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tern/dev/cpu_build.h"
#include "tern/engine.h"
#include "tern/status.h"

namespace tern::ort_backend {

/// The model's bytes with the dimensions fixed that `ranges` (in the order of model.inputs()) leave no choice in.
[[nodiscard]] Result<std::string> fix_inputs(const Model& model, const std::vector<dev::ShapeRange>& ranges);

/// What an optimised model computes in.
struct GraphFacts {
  std::map<std::string, int> layers;      ///< convolutions and matrix products by the precision they run in
  Precision precision = Precision::kF32;  ///< i8 where a layer runs in it; f16 where all do
};
/// From the model as ONNX Runtime's optimiser left it: an integer layer is an operator of its own there. ModelError when an output has
/// no known rank; InternalError when the bytes are no model.
[[nodiscard]] Result<GraphFacts> graph_facts(std::span<const std::byte> optimised);

/// Key of the engine's input ranges in its ONNX metadata: "tern.range.0" is the first input's.
[[nodiscard]] std::string range_key(std::size_t input);
/// Metadata to append to a serialised model: the ranges. Protobuf reads concatenated messages as one.
[[nodiscard]] std::string ranges_as_metadata(const std::vector<dev::ShapeRange>& ranges);

}  // namespace tern::ort_backend
