// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "engine.h"

#include "context.h"
#include "guard.h"
#include "tern/dev/host_stream.h"

namespace tern::ort_backend {
namespace {

/// 0 for a shape with an open dimension.
std::uint64_t bytes_of(DType dtype, const Shape& shape) {
  const auto elements = shape.elements();
  return elements.ok() ? static_cast<std::uint64_t>(*elements) * size_of(dtype) : 0;
}

}  // namespace

std::uint64_t port_bytes(const std::vector<TensorSpec>& inputs, const std::vector<TensorSpec>& outputs,
                         const std::vector<dev::ShapeRange>& ranges) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::uint64_t bytes = bytes_of(inputs[i].dtype, ranges[i].max);
    if (bytes == 0) return 0;
    total += bytes;
  }
  for (const TensorSpec& output : outputs) {
    const std::uint64_t bytes = bytes_of(output.dtype, output.shape);
    if (bytes == 0) return 0;
    total += bytes;
  }
  return total;
}

EngineMemory OnnxRuntimeEngine::memory() const noexcept {
  return {.engine_bytes = parts_.blob_bytes, .context_bytes = port_bytes(parts_.inputs, parts_.outputs, parts_.ranges)};
}

Result<std::unique_ptr<ExecutionContext>> OnnxRuntimeEngine::create_context() {
  return OnnxRuntimeContext::create(shared_from_this());
}

Result<std::unique_ptr<Stream>> OnnxRuntimeEngine::create_stream() {
  LogRing log(parts_.logger);
  std::unique_ptr<Stream> stream;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot start a stream", log,
                             [&] { stream = std::make_unique<dev::HostStream>(); }));
  return stream;
}

Result<std::unique_ptr<Event>> OnnxRuntimeEngine::create_event() {
  LogRing log(parts_.logger);
  std::unique_ptr<Event> event;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot create an event", log,
                             [&] { event = std::make_unique<dev::HostEvent>(); }));
  return event;
}

}  // namespace tern::ort_backend
