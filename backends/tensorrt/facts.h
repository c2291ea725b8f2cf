// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInferRuntime.h>
#include <vector>

#include "layers.h"
#include "profiles.h"
#include "tern/engine.h"

namespace tern::trt_backend {

/// What a deserialised engine says about itself.
struct EngineFacts {
  /// Dimensions that every profile fixes are fixed here, though TensorRT calls them open.
  std::vector<TensorSpec> inputs, outputs;
  std::vector<Profile> profiles;     ///< at least one
  std::size_t activation_bytes = 0;  ///< what one context needs for any profile
  std::size_t io_bytes = 0;  ///< inputs and outputs of the largest profile; open output dimensions count as their bound
  LayerPrecisions layers;
};

/// Makes and destroys a context on the current device. EngineGateError on an engine that tern cannot run.
[[nodiscard]] Result<EngineFacts> read_facts(nvinfer1::ICudaEngine& engine);

/// A context whose activation memory the caller gives; null when TensorRT refuses.
[[nodiscard]] std::unique_ptr<nvinfer1::IExecutionContext> make_context(nvinfer1::ICudaEngine& engine);
/// Makes `profile` current and gives the shapes of all inputs; InferenceError when TensorRT refuses. Waits for `stream`
/// when the profile changes.
[[nodiscard]] Status select_shapes(nvinfer1::IExecutionContext& context, const std::vector<TensorSpec>& inputs,
                                   int profile, const std::vector<Shape>& shapes, cudaStream_t stream);

}  // namespace tern::trt_backend
