// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "facts.h"

#include <algorithm>

#include "base/error.h"
#include "convert.h"
#include "cuda/handles.h"
#include "guard.h"

namespace tern::trt_backend {
namespace {

Status read_ports(const nvinfer1::ICudaEngine& engine, EngineFacts& facts) {
  for (std::int32_t i = 0; i < engine.getNbIOTensors(); ++i) {
    TensorSpec spec;
    spec.name = engine.getIOTensorName(i);
    const auto dtype = from_trt(engine.getTensorDataType(spec.name.c_str()));
    if (!dtype.ok()) return dtype.status().at(spec.name);
    const auto shape = from_trt(engine.getTensorShape(spec.name.c_str()));
    if (!shape.ok()) return shape.status().at(spec.name);
    if (engine.getTensorLocation(spec.name.c_str()) != nvinfer1::TensorLocation::kDEVICE)
      return Status(StatusCode::kEngineGateError, "the engine takes or gives a shape as a tensor").at(spec.name);
    spec.dtype = *dtype;
    spec.shape = *shape;
    const bool is_input = engine.getTensorIOMode(spec.name.c_str()) == nvinfer1::TensorIOMode::kINPUT;
    (is_input ? facts.inputs : facts.outputs).push_back(std::move(spec));
  }
  if (facts.inputs.empty() || facts.outputs.empty())
    return {StatusCode::kEngineGateError, "the engine has no inputs or no outputs"};
  return {};
}

Status read_profiles(const nvinfer1::ICudaEngine& engine, EngineFacts& facts) {
  const std::int32_t count = std::max(1, engine.getNbOptimizationProfiles());
  for (std::int32_t p = 0; p < count; ++p) {
    Profile profile;
    for (const TensorSpec& input : facts.inputs) {
      Bounds bounds{input.shape, input.shape, input.shape};
      if (!input.shape.is_static()) {
        const auto shape_at = [&](nvinfer1::OptProfileSelector which) {
          return from_trt(engine.getProfileShape(input.name.c_str(), p, which));
        };
        TERN_ASSIGN_OR_RETURN(bounds.min, shape_at(nvinfer1::OptProfileSelector::kMIN));
        TERN_ASSIGN_OR_RETURN(bounds.opt, shape_at(nvinfer1::OptProfileSelector::kOPT));
        TERN_ASSIGN_OR_RETURN(bounds.max, shape_at(nvinfer1::OptProfileSelector::kMAX));
      }
      profile.push_back(std::move(bounds));
    }
    facts.profiles.push_back(std::move(profile));
  }
  return {};
}

/// Dimensions that no profile leaves a choice in.
void fix_input_shapes(EngineFacts& facts) {
  for (std::size_t i = 0; i < facts.inputs.size(); ++i) {
    Shape& shape = facts.inputs[i].shape;
    for (std::size_t d = 0; d < shape.rank(); ++d) {
      const std::int64_t only = facts.profiles.front()[i].min[d];
      const bool is_fixed = std::ranges::all_of(
          facts.profiles, [&](const Profile& p) { return p[i].min[d] == only && p[i].max[d] == only; });
      if (is_fixed) shape[d] = only;
    }
  }
}

std::size_t bytes_of(const TensorSpec& spec, const Shape& shape) {
  std::size_t bytes = size_of(spec.dtype);
  for (const std::int64_t d : shape.dims())
    bytes *= static_cast<std::size_t>(std::max<std::int64_t>(d, 1));
  return bytes;
}

std::vector<Shape> shapes_at(const Profile& profile, Shape Bounds::*which) {
  std::vector<Shape> shapes;
  for (const Bounds& bounds : profile)
    shapes.push_back(bounds.*which);
  return shapes;
}

/// Output shapes where the inputs are fixed, and the bytes of everything at its largest.
Status measure(nvinfer1::IExecutionContext& context, EngineFacts& facts, const cuda::Stream& stream) {
  const bool is_fixed = std::ranges::all_of(facts.inputs, [](const TensorSpec& s) { return s.shape.is_static(); });
  for (std::size_t p = 0; p < facts.profiles.size(); ++p) {
    const std::vector<Shape> largest = shapes_at(facts.profiles[p], &Bounds::max);
    TERN_RETURN_IF_ERROR(select_shapes(context, facts.inputs, static_cast<int>(p), largest, stream.get()));
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < facts.inputs.size(); ++i)
      bytes += bytes_of(facts.inputs[i], largest[i]);
    for (TensorSpec& output : facts.outputs) {
      const auto shape = from_trt(context.getTensorShape(output.name.c_str()));
      if (!shape.ok()) return shape.status().at(output.name);
      const std::int64_t bound = context.getMaxOutputSize(output.name.c_str());
      bytes += shape->is_static() || bound <= 0 ? bytes_of(output, *shape) : static_cast<std::size_t>(bound);
      if (is_fixed) output.shape = *shape;
    }
    facts.io_bytes = std::max(facts.io_bytes, bytes);
  }
  return {};
}

void read_layers(nvinfer1::ICudaEngine& engine, const nvinfer1::IExecutionContext& context, EngineFacts& facts) {
  const std::unique_ptr<nvinfer1::IEngineInspector> inspector(engine.createEngineInspector());
  if (inspector == nullptr) return;
  // With a context the formats of tensors with open dimensions are known too.
  inspector->setExecutionContext(&context);
  for (std::int32_t i = 0; i < engine.getNbLayers(); ++i) {
    const char* text = inspector->getLayerInformation(i, nvinfer1::LayerInformationFormat::kJSON);
    const auto precision = layer_precision(text != nullptr ? text : "");
    if (precision) ++facts.layers[*precision];
  }
}

}  // namespace

std::unique_ptr<nvinfer1::IExecutionContext> make_context(nvinfer1::ICudaEngine& engine) {
  return std::unique_ptr<nvinfer1::IExecutionContext>(
      engine.createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED));
}

Status select_shapes(nvinfer1::IExecutionContext& context, const std::vector<TensorSpec>& inputs, int profile,
                     const std::vector<Shape>& shapes, cudaStream_t stream) {
  if (context.getOptimizationProfile() != profile) {
    if (!context.setOptimizationProfileAsync(profile, stream))
      return make_error(StatusCode::kInferenceError, "TensorRT refuses optimisation profile {}", profile);
    TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot change the optimisation profile",
                               [&] { cuda::check(cudaStreamSynchronize(stream), "cudaStreamSynchronize"); }));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!context.setInputShape(inputs[i].name.c_str(), to_trt(shapes[i]))) {
      return make_error(StatusCode::kInferenceError, "TensorRT refuses the shape {}", shapes[i].to_string())
          .at(inputs[i].name);
    }
  }
  return {};
}

Result<EngineFacts> read_facts(nvinfer1::ICudaEngine& engine) {
  EngineFacts facts;
  const Status read = guard(StatusCode::kEngineGateError, "the engine cannot be examined", [&]() -> Status {
    TERN_RETURN_IF_ERROR(read_ports(engine, facts));
    TERN_RETURN_IF_ERROR(read_profiles(engine, facts));
    fix_input_shapes(facts);
    facts.activation_bytes = static_cast<std::size_t>(std::max<std::int64_t>(0, engine.getDeviceMemorySizeV2()));
    const auto context = make_context(engine);
    if (context == nullptr) return {StatusCode::kEngineGateError, "TensorRT cannot make a context for the engine"};
    const cuda::Stream stream;
    TERN_RETURN_IF_ERROR(measure(*context, facts, stream));
    TERN_RETURN_IF_ERROR(
        select_shapes(*context, facts.inputs, 0, shapes_at(facts.profiles.front(), &Bounds::opt), stream.get()));
    read_layers(engine, *context, facts);
    return {};
  });
  if (!read.ok()) return read;
  return facts;
}

}  // namespace tern::trt_backend
