// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "engine.h"

#include <openvino/runtime/properties.hpp>

#include "context.h"
#include "convert.h"
#include "guard.h"
#include "tern/dev/host_stream.h"

namespace tern::ov_backend {
namespace {

template <typename Ports>
Status read_specs(const Ports& ports, std::vector<TensorSpec>& specs) {
  for (const auto& port : ports) {
    TensorSpec spec;
    spec.name = port.get_names().empty() ? std::string("#") + std::to_string(specs.size()) : port.get_any_name();
    const auto dtype = from_ov(port.get_element_type());
    if (!dtype.ok()) return dtype.status().at(spec.name);
    const auto shape = from_ov(port.get_partial_shape());
    if (!shape.ok()) return shape.status().at(spec.name);
    spec.dtype = *dtype;
    spec.shape = *shape;
    specs.push_back(std::move(spec));
  }
  return {};
}

/// Bytes of all tensors at their largest shape; dynamic dimensions without a bound count as nothing known: 0.
template <typename Ports>
std::uint64_t largest_bytes(const Ports& ports) {
  std::uint64_t bytes = 0;
  for (const auto& port : ports) {
    std::uint64_t elements = 1;
    for (const ov::Dimension& d : port.get_partial_shape()) {
      const auto longest = d.get_max_length();
      if (longest < 0) return 0;
      elements *= static_cast<std::uint64_t>(longest);
    }
    bytes += elements * port.get_element_type().size();
  }
  return bytes;
}

}  // namespace

Status describe(const ov::CompiledModel& compiled, EngineBlob& blob) {
  blob.inputs.clear();
  blob.outputs.clear();
  TERN_RETURN_IF_ERROR(read_specs(compiled.inputs(), blob.inputs));
  TERN_RETURN_IF_ERROR(read_specs(compiled.outputs(), blob.outputs));
  const std::uint64_t in = largest_bytes(compiled.inputs()), out = largest_bytes(compiled.outputs());
  blob.context_bytes = in > 0 && out > 0 ? in + out : 0;
  return {};
}

Result<std::shared_ptr<Engine>> OpenVinoEngine::create(ov::CompiledModel compiled, const EngineBlob& blob,
                                                       Precision precision) {
  auto engine = std::make_shared<OpenVinoEngine>();
  engine->blob_owner_ = blob.owner;
  engine->blob_bytes_ = blob.bytes.size();
  engine->compiled_ = std::move(compiled);
  engine->id_ = blob.engine_id;
  engine->precision_ = precision;
  EngineBlob described;
  Status specs;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot read the engine's inputs and outputs", [&] {
    engine->threads_ = engine->compiled_.get_property(ov::inference_num_threads);
    specs = describe(engine->compiled_, described);
  }));
  TERN_RETURN_IF_ERROR(specs);
  engine->inputs_ = std::move(described.inputs);
  engine->outputs_ = std::move(described.outputs);
  engine->context_bytes_ = described.context_bytes;
  if (engine->inputs_.empty() || engine->outputs_.empty())
    return Status(StatusCode::kModelError, "the engine has no inputs or no outputs");
  return std::shared_ptr<Engine>(std::move(engine));
}

EngineMemory OpenVinoEngine::memory() const noexcept {
  return {.engine_bytes = blob_bytes_, .context_bytes = context_bytes_};
}

Result<std::unique_ptr<ExecutionContext>> OpenVinoEngine::create_context() {
  std::unique_ptr<ExecutionContext> context;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot create an execution context", [&] {
    context = std::make_unique<OpenVinoContext>(shared_from_this(), compiled_.create_infer_request());
  }));
  return context;
}

Result<std::unique_ptr<Stream>> OpenVinoEngine::create_stream() {
  std::unique_ptr<Stream> stream;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot start a stream",
                             [&] { stream = std::make_unique<dev::HostStream>(); }));
  return stream;
}

Result<std::unique_ptr<Event>> OpenVinoEngine::create_event() {
  std::unique_ptr<Event> event;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot create an event",
                             [&] { event = std::make_unique<dev::HostEvent>(); }));
  return event;
}

}  // namespace tern::ov_backend
