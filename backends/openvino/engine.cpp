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

}  // namespace

Result<std::shared_ptr<Engine>> OpenVinoEngine::create(ov::CompiledModel compiled, std::string id, Precision precision,
                                                       std::vector<std::byte> blob_bytes) {
  auto engine = std::make_shared<OpenVinoEngine>();
  engine->blob_bytes_ = std::move(blob_bytes);
  engine->compiled_ = std::move(compiled);
  engine->id_ = std::move(id);
  engine->precision_ = precision;
  Status specs;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot read the engine's inputs and outputs", [&] {
    engine->threads_ = engine->compiled_.get_property(ov::inference_num_threads);
    specs = read_specs(engine->compiled_.inputs(), engine->inputs_);
    if (specs.ok()) specs = read_specs(engine->compiled_.outputs(), engine->outputs_);
  }));
  TERN_RETURN_IF_ERROR(specs);
  if (engine->inputs_.empty() || engine->outputs_.empty())
    return Status(StatusCode::kModelError, "the engine has no inputs or no outputs");
  return std::shared_ptr<Engine>(std::move(engine));
}

EngineMemory OpenVinoEngine::memory() const noexcept {
  EngineMemory memory{.engine_bytes = blob_bytes_.size(), .context_bytes = 0};
  for (const auto* specs : {&inputs_, &outputs_}) {
    for (const TensorSpec& spec : *specs) {
      if (!spec.shape.is_static()) continue;
      const auto elements = spec.shape.elements();
      if (elements.ok()) memory.context_bytes += static_cast<std::size_t>(*elements) * size_of(spec.dtype);
    }
  }
  return memory;
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
