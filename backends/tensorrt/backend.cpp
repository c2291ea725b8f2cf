// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "backend.h"

#include "base/file.h"
#include "cuda/device.h"
#include "engine.h"
#include "guard.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

constexpr int kScore = 90;

/// Empty where the kernel does not tell.
std::string driver_version() {
  constexpr std::uint64_t kMaxBytes = 1U << 16U;
  const auto text = read_text_file("/proc/driver/nvidia/version", kMaxBytes);
  return text.ok() ? driver_version_in(*text) : std::string();
}

}  // namespace

Result<Gpu> TensorRtBackend::gpu(const std::optional<Device>& device) {
  if (device && device->kind != DeviceKind::kCuda)
    return make_error(StatusCode::kConfigError, "TensorRT does not run on {}", device->to_string()).at("device");
  const int index = device ? device->index : 0;
  Gpu gpu;
  int count = 0;
  const Status status = guard(StatusCode::kBackendError, "no usable NVIDIA GPU", [&] {
    count = cuda::device_count();
    if (index < count) gpu = Gpu::of(index, cuda::device_facts(index));
  });
  if (!status.ok()) return status;
  if (index < count) return gpu;
  return make_error(StatusCode::kConfigError, "there is no cuda:{}; the last GPU here is cuda:{}", index, count - 1)
      .at("device")
      .with_hint("`tern doctor` lists the GPUs; CUDA_VISIBLE_DEVICES hides those that it does not name");
}

BackendScore TensorRtBackend::score() const {
  const auto found = gpu({});
  if (!found.ok()) return {0, found.status().message() + ": " + found.status().cause()};
  const auto library = Library::get();
  if (!library.ok()) return {0, library.status().message() + " (" + library.status().hint() + ")"};
  return {kScore + compat::kMajor - 10, found->name};
}

HostFacts TensorRtBackend::host_facts_on(const std::optional<Device>& device) const {
  HostFacts facts;
  const auto library = Library::get();
  if (library.ok()) {
    facts.version = (*library)->version_text();
    facts.fit.emplace_back("tensorrt", facts.version);
  } else {
    facts.info.emplace_back("problem", library.status().message());
  }
  const int index = device ? device->index : 0;
  const Status status = guard(StatusCode::kBackendError, "no usable NVIDIA GPU",
                              [&] { add_gpu(facts, cuda::device_facts(index), cuda::versions(), driver_version()); });
  if (!status.ok()) facts.info.emplace_back("problem", status.message() + ": " + status.cause());
  return facts;
}

Result<EngineBlob> TensorRtBackend::compile(const Model& model, const BuildConfig& config, const Progress& progress,
                                            std::stop_token stop) {
  TERN_ASSIGN_OR_RETURN(const Library* const library, Library::get());
  TERN_ASSIGN_OR_RETURN(const Gpu found, gpu(config.device));
  return build_engine(*library, found, model, config, progress, std::move(stop));
}

Result<std::shared_ptr<Engine>> TensorRtBackend::load(const EngineBlob& blob, const LoadOptions& options) {
  TERN_ASSIGN_OR_RETURN(const Library* const library, Library::get());
  TERN_ASSIGN_OR_RETURN(const Gpu found, gpu(options.device));
  TERN_ASSIGN_OR_RETURN(auto engine, TensorRtEngine::create(*library, found.device, blob, options));
  return std::shared_ptr<Engine>(std::move(engine));
}

}  // namespace tern::trt_backend
