// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "backend.h"

#include <algorithm>
#include <array>

#include "base/cpu.h"
#include "base/file.h"
#include "convert.h"
#include "engine.h"
#include "graph.h"
#include "guard.h"
#include "library.h"
#include "placement.h"
#include "session.h"
#include "tern/dev/backend.h"
#include "tern/dev/int8_build.h"
#include "tern/device.h"

namespace tern::ort_backend {
namespace {

constexpr int kCpuScore = 45, kCudaScore = 60, kTensorRtScore = 70;

/// "AMD EPYC"; the architecture where the kernel does not tell, as on Arm.
std::string cpu_name() {
  constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20;
  constexpr std::string_view kKey = "model name\t: ";
  const auto text = read_text_file("/proc/cpuinfo", kMaxBytes);
  const std::size_t at = text.ok() ? text->find(kKey) : std::string::npos;
  if (at == std::string::npos) return host_cpu().arch;
  const std::string_view rest = std::string_view(*text).substr(at + kKey.size());
  return std::string(rest.substr(0, rest.find('\n')));
}

Result<DeviceTraits> gpu() {
  TERN_ASSIGN_OR_RETURN(const Cuda cuda, Cuda::load());
  return cuda.device(0);
}

std::string where_of(const Model& model) {
  return model.path().empty() ? model.stem() : model.path().string();
}

Status stop_status(const std::stop_token& stop) {
  return stop.stop_requested() ? Status(StatusCode::kCancelled, "stopped while compiling the model") : Status();
}

/// Adds the nodes whose operator ONNX Runtime's message complains about: it names operators ("com.example:Frobnicate(-1)").
Status name_unsupported(const Status& status, const Model& model) {
  const bool is_about_operators = std::ranges::any_of(
      std::array{"is not a registered function/op", "No Op registered for", "Could not find an implementation for"},
      [&](const char* text) { return status.cause().find(text) != std::string::npos; });
  const std::string found = is_about_operators ? dev::blamed_nodes(model, status.cause()) : std::string();
  if (found.empty()) return status;
  return Status(status.code(), "ONNX Runtime does not support " + found)
      .at(status.where())
      .with_hint("export the model with standard operators, or use another backend")
      .with_cause(status.cause());
}

std::uint64_t workspace_bytes(const BuildConfig& config) {
  if (!config.workspace) return 0;
  if (config.workspace->bytes > 0) return config.workspace->bytes;
  return gpu_memory_bytes(0) / 100 * static_cast<std::uint64_t>(config.workspace->percent);
}

/// Of what GPUs have, the GPU providers take a limit of their memory, and run on the first GPU.
Status refuse_options(Provider provider, const BuildConfig& config) {
  BuildConfig others = config;
  if (is_gpu(provider)) {
    others.workspace.reset();
    if (config.device == Device{DeviceKind::kCuda, 0}) others.device.reset();
  }
  return dev::refuse_gpu_options(others, is_gpu(provider) ? execution_provider(provider) : "ONNX Runtime");
}

Status refuse_options(Provider provider, const LoadOptions& options) {
  LoadOptions others = options;
  if (is_gpu(provider) && options.device == Device{DeviceKind::kCuda, 0}) others.device.reset();
  return dev::refuse_gpu_options(others, is_gpu(provider) ? execution_provider(provider) : "ONNX Runtime");
}

/// EngineBuildError when the provider that was asked for runs no node at all. That others run some is in EngineBlob::providers.
Status check_placement(const std::map<std::string, int>& nodes, Provider provider) {
  if (!is_gpu(provider) || nodes.contains(execution_provider(provider))) return {};
  return make_error(StatusCode::kEngineBuildError, "{} takes no node of this model", execution_provider(provider))
      .with_hint("use another backend");
}

/// The ranges of the inputs that compile() wrote into the engine.
Result<std::vector<dev::ShapeRange>> read_ranges(const Ort::Session& session, const std::vector<TensorSpec>& inputs) {
  Ort::AllocatorWithDefaultOptions allocator;
  const Ort::ModelMetadata metadata = session.GetModelMetadata();
  std::vector<dev::ShapeRange> ranges;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto text = metadata.LookupCustomMetadataMapAllocated(range_key(i).c_str(), allocator);
    const auto range = dev::ShapeRange::parse(text == nullptr ? "" : text.get());
    if (!range.ok()) return range.status().at(inputs[i].name);
    if (!(range->spec() == inputs[i].shape)) {
      return make_error(StatusCode::kEngineGateError, "the engine takes {}, but says it was built for {}",
                        inputs[i].shape.to_string(), range->to_string())
          .at(inputs[i].name);
    }
    ranges.push_back(*range);
  }
  return ranges;
}

}  // namespace

BackendScore OnnxRuntimeBackend::score() const {
  const Status carried = check_carried(provider_);
  if (!carried.ok()) return {0, carried.message()};
  if (provider_ == Provider::kCpu) return {kCpuScore, cpu_name()};
  const auto device = gpu();
  if (!device.ok()) return {0, device.status().message()};
  return {provider_ == Provider::kCuda ? kCudaScore : kTensorRtScore, device->name};
}

HostFacts OnnxRuntimeBackend::host_facts() const {
  HostFacts facts;
  facts.runtime = "onnxruntime";
  facts.version = library_version();
  facts.fit = {{"onnxruntime", facts.version}, {"arch", host_cpu().arch}, {"isa", host_cpu().isa()}};
  facts.target = host_cpu().target();
  facts.info = {{"provider", execution_provider(provider_)}};
  if (provider_ == Provider::kCpu) {
    facts.info.emplace_back("device", cpu_name());
    return facts;
  }
  const auto device = gpu();
  if (device.ok()) {
    facts.target = device->target();
    facts.fit.emplace_back("gpu", device->target());
    facts.info.emplace_back("device", device->name);
  } else {
    facts.info.emplace_back("problem", device.status().message());
  }
  return facts;
}

Result<EngineBlob> OnnxRuntimeBackend::compile(const Model& model, const BuildConfig& config, const Progress& progress,
                                               std::stop_token stop) {
  const auto report = [&](std::string_view phase, double fraction) {
    if (progress) progress(phase, fraction);
  };
  const std::string where = where_of(model);
  report("read", 0.0);
  TERN_RETURN_IF_ERROR(refuse_options(provider_, config).at(where));
  const auto quantised = dev::insert_calibrated_qdq(
      model, config, provider_ == Provider::kTensorRt ? QuantTarget::kTensorRt : QuantTarget::kOnnxRuntime);
  if (!quantised.ok()) return quantised.status().at(where);
  if (*quantised) return dev::compile_calibrated(*this, model, **quantised, config, progress, stop);
  auto precision = choose_precision(provider_, config.precision, model);
  if (!precision.ok()) return precision.status().at(where);
  const auto ranges = dev::shape_ranges(model, config, "ONNX Runtime");
  if (!ranges.ok()) return ranges.status().at(where);
  TERN_ASSIGN_OR_RETURN(const std::string fixed, fix_inputs(model, *ranges));
  TERN_RETURN_IF_ERROR(stop_status(stop));

  report("compile", 0.2);
  const auto placement = std::make_shared<PlacementLog>(null_logger());
  LogRing log(placement);
  const SessionSettings settings{.provider = provider_,
                                 .precision = *precision,
                                 .fuses_quantised = config.precision != Precision::kF32,
                                 .threads = thread_count(config.threads),
                                 .hint = config.hint,
                                 .workspace = workspace_bytes(config),
                                 .timing_cache = config.timing_cache};
  auto optimised = optimise(fixed, settings, log);
  if (!optimised.ok()) return name_unsupported(optimised.status().at(where), model);
  TERN_RETURN_IF_ERROR(check_placement(placement->nodes(), provider_).at(where));
  TERN_RETURN_IF_ERROR(stop_status(stop));

  report("describe", 0.9);
  EngineBlob blob;
  blob.providers = placement->nodes();
  if (provider_ == Provider::kTensorRt) {
    blob.precision = *precision;  // TensorRT chooses for each layer and does not tell ONNX Runtime
  } else {
    TERN_ASSIGN_OR_RETURN(const GraphFacts facts, graph_facts(*optimised));
    blob.precision = facts.precision;
    blob.layers = facts.layers;
    TERN_RETURN_IF_ERROR(dev::check_what_runs(config.precision, facts.precision, "ONNX Runtime").at(where));
  }
  const std::string metadata = ranges_as_metadata(*ranges);
  const auto tail = std::as_bytes(std::span(metadata));
  optimised->insert(optimised->end(), tail.begin(), tail.end());
  blob.own(std::move(*optimised));
  Status ports;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kEngineBuildError, "ONNX Runtime cannot open what it made", log, [&] {
                         const Ort::Session session = open_session(blob.bytes, settings);
                         ports = read_ports(session, blob.inputs, blob.outputs);
                       }).at(where));
  TERN_RETURN_IF_ERROR(ports.at(where));
  blob.context_bytes = port_bytes(blob.inputs, blob.outputs, *ranges);
  blob.backend = name();
  blob.backend_version = library_version();
  blob.engine_id =
      dev::engine_id(model, config, blob.precision, fmt::format("{} {} {}", name(), library_version(), score().reason));
  report("done", 1.0);
  return blob;
}

Result<std::shared_ptr<Engine>> OnnxRuntimeBackend::load(const EngineBlob& blob, const LoadOptions& options) {
  TERN_RETURN_IF_ERROR(refuse_options(provider_, options));
  if (blob.backend != name() || blob.backend_version != library_version()) {
    return make_error(StatusCode::kEngineGateError, "the engine was made by {} {}; this is {} {}", blob.backend,
                      blob.backend_version, name(), library_version())
        .at(blob.engine_id)
        .with_hint("compile the model again");
  }
  OnnxRuntimeEngine::Parts parts;
  parts.threads = thread_count(options.threads);
  const SessionSettings settings{
      .provider = provider_, .precision = blob.precision, .threads = parts.threads, .hint = options.hint};
  LogRing log(options.logger);
  Status inner;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kEngineGateError, "ONNX Runtime cannot load the engine", log, [&] {
                         parts.session = open_session(blob.bytes, settings);
                         inner = read_ports(parts.session, parts.inputs, parts.outputs);
                         if (!inner.ok()) return;
                         auto ranges = read_ranges(parts.session, parts.inputs);
                         inner = ranges.status();
                         if (inner.ok()) parts.ranges = std::move(*ranges);
                       }).at(blob.engine_id));
  TERN_RETURN_IF_ERROR(inner.at(blob.engine_id));
  if (parts.inputs.empty() || parts.outputs.empty())
    return Status(StatusCode::kEngineGateError, "the engine has no inputs or no outputs").at(blob.engine_id);
  parts.label = name();
  parts.id = blob.engine_id;
  parts.precision = blob.precision;
  parts.blob_bytes = blob.bytes.size();
  parts.logger = options.logger;
  options.logger->log(
      LogLevel::kInfo, "onnxruntime",
      fmt::format("engine {} ready: {} inputs, {} outputs, {} on {} in {}, {} threads, {:.1f} MB", blob.engine_id,
                  parts.inputs.size(), parts.outputs.size(), execution_provider(provider_), score().reason,
                  to_string(parts.precision), parts.threads, static_cast<double>(parts.blob_bytes) / 1e6));
  return std::shared_ptr<Engine>(std::make_shared<OnnxRuntimeEngine>(std::move(parts)));
}

}  // namespace tern::ort_backend
