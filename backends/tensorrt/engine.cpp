// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "engine.h"

#include "context.h"
#include "frame_path.h"
#include "guard.h"
#include "logger.h"
#include "stream.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

/// Less cannot be a plan, and TensorRT reads its header without looking at the size.
constexpr std::size_t kLeastPlanBytes = 256;

Status check_blob(const Library& library, const EngineBlob& blob, const LoadOptions& options) {
  const bool is_ours =
      blob.backend == "tensorrt" && (blob.version_compatible || blob.backend_version == library.version_text());
  if (!is_ours) {
    return make_error(StatusCode::kEngineGateError, "the engine was made by {} {}; this is tensorrt {}", blob.backend,
                      blob.backend_version, library.version_text())
        .with_hint("compile the model again");
  }
  if (blob.version_compatible && !options.allow_host_code) {
    return Status(StatusCode::kEngineGateError,
                  "a version-compatible engine holds code, which runs only where a trusted key signed it")
        .with_hint("sign it when it is built (sign.key) and name the public key's folder here (trust.keys)");
  }
  if (blob.bytes.size() < kLeastPlanBytes) {
    return make_error(StatusCode::kEngineGateError, "{} bytes are no TensorRT engine", blob.bytes.size())
        .with_hint("compile the model again");
  }
  return {};
}

std::string ports(const std::vector<TensorSpec>& specs) {
  std::string text;
  for (const TensorSpec& spec : specs)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", spec.name, spec.shape.to_string());
  return text;
}

}  // namespace

Result<std::shared_ptr<TensorRtEngine>> TensorRtEngine::create(const Library& library, int device,
                                                               const EngineBlob& blob, const LoadOptions& options) {
  if (const Status fits = check_blob(library, blob, options); !fits.ok()) return fits.at(blob.engine_id);
  std::shared_ptr<TensorRtEngine> made;
  const Status loaded = guard(StatusCode::kEngineGateError, "the engine cannot be loaded", [&]() -> Status {
    const cuda::DeviceGuard current(device);
    const CapturedLog log(options.logger, CapturedLog::Scope::kThisThread);
    auto engine = std::make_shared<TensorRtEngine>(device);
    TERN_ASSIGN_OR_RETURN(engine->runtime_, library.create_runtime());
    engine->runtime_->setGpuAllocator(&engine->allocator_);
    engine->runtime_->setEngineHostCodeAllowed(blob.version_compatible);  // else a plan is data, and must stay so
    if (blob.dla_core >= 0) compat::run_on_dla(*engine->runtime_, blob.dla_core);
    engine->engine_.reset(engine->runtime_->deserializeCudaEngine(blob.bytes.data(), blob.bytes.size()));
    if (engine->engine_ == nullptr) {
      return Status(StatusCode::kEngineGateError, "TensorRT cannot load the engine")
          .with_hint("compile the model again")
          .with_cause(log.text());
    }
    auto facts = read_facts(*engine->engine_);
    if (!facts.ok()) return facts.status().with_cause(log.text());
    engine->facts_ = std::move(*facts);
    engine->precision_ = built_precision(blob.precision, engine->facts_.layers);
    if (engine->precision_ != blob.precision) {
      return make_error(StatusCode::kEngineGateError, "the engine runs in {}, but was built for {}",
                        to_string(engine->precision_), to_string(blob.precision));
    }
    engine->id_ = blob.engine_id;
    engine->options_ = options;
    made = std::move(engine);
    return {};
  });
  if (!loaded.ok()) return loaded.at(blob.engine_id);
  const EngineMemory memory = made->memory();
  options.logger->log(
      LogLevel::kInfo, "tensorrt",
      fmt::format("engine {} ready: TensorRT {} on cuda:{} in {}, {} -> {}, {:.1f} MB and {:.1f} MB a context",
                  made->id_, library.version_text(), device, to_string(made->precision_), ports(made->inputs()),
                  ports(made->outputs()), static_cast<double>(memory.engine_bytes) / 1e6,
                  static_cast<double>(memory.context_bytes) / 1e6));
  return made;
}

TensorRtEngine::~TensorRtEngine() {
  // TensorRT frees on the current device.
  static_cast<void>(guard(StatusCode::kInternalError, "cannot free the engine", [&] {
    const cuda::DeviceGuard current(device_);
    engine_.reset();
    runtime_.reset();
  }));
}

EngineMemory TensorRtEngine::memory() const noexcept {
  return {.engine_bytes = allocator_.bytes(), .context_bytes = facts_.activation_bytes + facts_.io_bytes};
}

Result<std::unique_ptr<ExecutionContext>> TensorRtEngine::create_context() {
  std::unique_ptr<ExecutionContext> context;
  const Status status = guard(StatusCode::kInferenceError, "cannot create an execution context", [&]() -> Status {
    const cuda::DeviceGuard current(device_);
    const CapturedLog log(options_.logger, CapturedLog::Scope::kThisThread);
    std::unique_ptr<nvinfer1::IExecutionContext> made = make_trt_context();
    if (made == nullptr) {
      return Status(StatusCode::kInferenceError, "TensorRT cannot create an execution context").with_cause(log.text());
    }
    context = std::make_unique<TensorRtContext>(shared_from_this(), std::move(made));
    return {};
  });
  if (!status.ok()) return status;
  return context;
}

std::unique_ptr<nvinfer1::IExecutionContext> TensorRtEngine::make_trt_context() const {
  const std::lock_guard lock(contexts_);
  auto context = make_context(*engine_);
  if (context != nullptr && options_.persistent_cache_bytes)
    context->setPersistentCacheLimit(*options_.persistent_cache_bytes);
  return context;
}

Result<std::unique_ptr<Stream>> TensorRtEngine::create_stream() {
  std::unique_ptr<Stream> stream;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot create a stream", [&] {
    const cuda::DeviceGuard current(device_);
    stream = std::make_unique<CudaStream>(device_);
  }));
  return stream;
}

Result<std::unique_ptr<Event>> TensorRtEngine::create_event() {
  std::unique_ptr<Event> event;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot create an event", [&] {
    const cuda::DeviceGuard current(device_);
    event = std::make_unique<CudaEvent>();
  }));
  return event;
}

Result<std::unique_ptr<FramePath>> TensorRtEngine::create_frame_path(const Contract& contract,
                                                                     const FramePathOptions& options) {
  return TensorRtFramePath::create(shared_from_this(), contract, options);
}

}  // namespace tern::trt_backend
