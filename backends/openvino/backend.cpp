// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "backend.h"

#include <algorithm>
#include <sstream>
#include <thread>

#include <openvino/openvino.hpp>

#include "base/cpu.h"
#include "convert.h"
#include "engine.h"
#include "guard.h"
#include "int8.h"
#include "tern/dev/backend.h"
#include "tern/dev/cpu_build.h"
#include "tern/dev/int8_build.h"

namespace tern::ov_backend {
namespace {

constexpr const char* kDevice = "CPU";

std::string full_version() {
  return ov::get_openvino_version().buildNumber;
}

std::vector<std::string> capabilities(const ov::Core& core) {
  return core.get_property(kDevice, ov::device::capabilities);
}

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

/// The precision to run what is not quantised in, or why this CPU cannot. A quantised layer runs in i8 whatever is chosen.
Result<Precision> choose_precision(Precision asked, const Model& model, const std::vector<std::string>& can) {
  std::string offered = "f32";
  if (has(can, "BF16")) offered += ", bf16";
  if (has(can, "FP16")) offered += ", f16";
  switch (asked) {
    case Precision::kAuto:
    case Precision::kF32:
      return Precision::kF32;
    case Precision::kBF16:
      if (has(can, "BF16")) return asked;
      break;
    case Precision::kF16:
      if (has(can, "FP16")) return asked;
      break;
    case Precision::kI8:
      if (dev::is_quantised(model)) return Precision::kF32;
      return make_error(StatusCode::kConfigError, "precision i8 needs a model with quantised layers")
          .at("precision")
          .with_hint("give a model with QuantizeLinear/DequantizeLinear nodes");
    case Precision::kMixed:
      return make_error(StatusCode::kConfigError, "OpenVINO takes the mix of precisions from the model")
          .at("precision")
          .with_hint("give a model with QuantizeLinear/DequantizeLinear nodes and ask for auto or i8");
  }
  return make_error(StatusCode::kConfigError, "this CPU has no fast {}; OpenVINO can run {} here", to_string(asked),
                    offered)
      .at("precision");
}

ov::AnyMap device_config(Precision precision, int threads, PerformanceHint hint) {
  const ov::element::Type type = precision == Precision::kBF16  ? ov::element::bf16
                                 : precision == Precision::kF16 ? ov::element::f16
                                                                : ov::element::f32;
  return {ov::hint::inference_precision(type), ov::inference_num_threads(threads),
          ov::hint::performance_mode(hint == PerformanceHint::kLatency ? ov::hint::PerformanceMode::LATENCY
                                                                       : ov::hint::PerformanceMode::THROUGHPUT),
          // Pinned threads of two engines, or two processes, would share one core while another idles.
          ov::hint::enable_cpu_pinning(false)};
}

int thread_count(int asked) {
  return asked > 0 ? asked : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

ov::Dimension dimension(std::int64_t min, std::int64_t max) {
  if (max == Shape::kDynamic) return ov::Dimension(min, -1);
  return min == max ? ov::Dimension(min) : ov::Dimension(min, max);
}

/// Fixes or bounds dynamic dimensions as the config says.
Status apply_profiles(ov::Model& ov_model, const Model& model, const BuildConfig& config) {
  TERN_ASSIGN_OR_RETURN(const std::vector<dev::ShapeRange> ranges, dev::shape_ranges(model, config, "OpenVINO"));
  return guard(StatusCode::kEngineBuildError, "the model does not take the shapes asked for", [&] {
    std::map<ov::Output<ov::Node>, ov::PartialShape> shapes;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      ov::PartialShape shape;
      for (std::size_t d = 0; d < ranges[i].min.rank(); ++d)
        shape.push_back(dimension(ranges[i].min[d], ranges[i].max[d]));
      shapes[ov_model.input(model.inputs()[i].name)] = shape;
    }
    ov_model.reshape(shapes);
  });
}

/// i8 when quantised layers run as such, else the precision hint as OpenVINO reports it back.
Precision precision_that_runs(const ov::CompiledModel& compiled) {
  for (const auto& node : compiled.get_runtime_model()->get_ops()) {
    const auto& info = node->get_rt_info();
    const auto type = info.find("layerType"), precision = info.find("runtimePrecision");
    if (type == info.end() || precision == info.end()) continue;
    const auto layer = type->second.as<std::string>(), runs = precision->second.as<std::string>();
    if ((layer == "Convolution" || layer == "FullyConnected" || layer == "MatMul") && (runs == "i8" || runs == "u8"))
      return Precision::kI8;
  }
  const ov::element::Type hint = compiled.get_property(ov::hint::inference_precision);
  return hint == ov::element::bf16 ? Precision::kBF16 : hint == ov::element::f16 ? Precision::kF16 : Precision::kF32;
}

/// Whether quantised layers are to be computed in f32: where f32 was asked for, and where they would be wrong otherwise. ConfigError where
/// i8 was asked for and would be wrong.
Result<bool> must_avoid_int8(const ov::Model& ov_model, const Model& model, Precision asked) {
  if (!dev::is_quantised(model)) return false;
  if (asked == Precision::kF32) return true;
  if (!would_cut_off_sums(ov_model)) return false;
  if (asked != Precision::kI8) return true;
  return make_error(
             StatusCode::kConfigError,
             "this CPU has no VNNI: OpenVINO's i8 layers would cut off sums, since weights use more than 7 bits or "
             "two activations are multiplied")
      .at("precision")
      .with_hint(
          "ask for auto, which computes the quantised layers in f32 here; 7-bit weights on every quantised layer may "
          "run in i8");
}

/// Adds the nodes whose operator OpenVINO's message complains about: it names operators ("com.example.Frobnicate"), not nodes.
Status name_unsupported(const Status& status, const Model& model) {
  constexpr std::string_view kMarker = "No conversion rule found for operations: ";
  const std::size_t at = status.cause().find(kMarker);
  if (at == std::string::npos) return status;
  const std::string_view listed = std::string_view(status.cause()).substr(at + kMarker.size());
  const std::string operations(listed.substr(0, listed.find('\n')));
  const std::string found = dev::blamed_nodes(model, operations);
  return Status(status.code(), fmt::format("OpenVINO does not support {}", found.empty() ? operations : found))
      .at(status.where())
      .with_hint("export the model with standard operators, or use another backend")
      .with_cause(status.cause());
}

Status stop_status(const std::stop_token& stop) {
  return stop.stop_requested() ? Status(StatusCode::kCancelled, "stopped while compiling the model") : Status();
}

}  // namespace

BackendScore OpenVinoBackend::score() const {
  for (const auto& [key, value] : host_facts().info) {
    if (key == "device") return {50, value};
  }
  return {0, "OpenVINO has no CPU device here"};
}

HostFacts OpenVinoBackend::host_facts() const {
  HostFacts facts;
  facts.version = full_version();
  facts.target = host_cpu().target();
  facts.fit = {{"openvino", full_version()}, {"arch", host_cpu().arch}, {"isa", host_cpu().isa()}};
  const Status ignored = guard(StatusCode::kBackendError, "cannot query the CPU device", [&] {
    std::string can;
    for (const std::string& capability : capabilities(core_))
      can += (can.empty() ? "" : " ") + capability;
    facts.info.emplace_back("device", core_.get_property(kDevice, ov::device::full_name));
    facts.info.emplace_back("capabilities", can);
  });
  if (!ignored.ok()) facts.info.emplace_back("problem", ignored.cause());
  return facts;
}

Result<EngineBlob> OpenVinoBackend::compile(const Model& model, const BuildConfig& config, const Progress& progress,
                                            std::stop_token stop) {
  const auto report = [&](std::string_view phase, double fraction) {
    if (progress) progress(phase, fraction);
  };
  const std::string where = model.path().empty() ? model.stem() : model.path().string();
  TERN_RETURN_IF_ERROR(dev::refuse_gpu_options(config, "OpenVINO"));
  const auto quantised = dev::insert_calibrated_qdq(model, config, QuantTarget::kOpenVino);
  if (!quantised.ok()) return quantised.status().at(where);
  if (*quantised) return dev::compile_calibrated(*this, model, **quantised, config, progress, stop);
  TERN_ASSIGN_OR_RETURN(const auto bytes, model.self_contained_bytes());
  Precision precision = Precision::kF32;
  Status inner;
  std::shared_ptr<ov::Model> ov_model;
  report("read", 0.0);
  const Status read = guard(StatusCode::kEngineBuildError, "OpenVINO cannot read the model", [&] {
                        const auto chosen = choose_precision(config.precision, model, capabilities(core_));
                        inner = chosen.status();
                        if (!inner.ok()) return;
                        precision = *chosen;
                        ov_model = core_.read_model(
                            std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), ov::Tensor());
                        inner = apply_profiles(*ov_model, model, config);
                      }).at(where);
  TERN_RETURN_IF_ERROR(name_unsupported(read, model));
  TERN_RETURN_IF_ERROR(inner.at(where));
  TERN_RETURN_IF_ERROR(stop_status(stop));

  TERN_ASSIGN_OR_RETURN(const bool in_f32, must_avoid_int8(*ov_model, model, config.precision));
  ov::AnyMap device = device_config(precision, thread_count(config.threads), config.hint);
  if (in_f32) device.insert(int8_layers_in_f32());

  report("compile", 0.2);
  EngineBlob blob;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kEngineBuildError, "OpenVINO cannot compile the model", [&] {
                         ov::CompiledModel compiled = core_.compile_model(ov_model, kDevice, device);
                         if (!(inner = stop_status(stop)).ok()) return;
                         blob.precision = precision_that_runs(compiled);
                         if (!(inner = dev::check_what_runs(config.precision, blob.precision, "OpenVINO")).ok()) return;
                         report("export", 0.9);
                         std::ostringstream out(std::ios::binary);
                         compiled.export_model(out);
                         const auto text = std::as_bytes(std::span(out.view()));
                         blob.own({text.begin(), text.end()});
                         inner = describe(compiled, blob);
                       }).at(where));
  TERN_RETURN_IF_ERROR(inner.at(where));
  blob.backend = "openvino";
  blob.backend_version = full_version();
  blob.engine_id =
      dev::engine_id(model, config, blob.precision, fmt::format("openvino {} {}", full_version(), score().reason));
  report("done", 1.0);
  return blob;
}

Result<std::shared_ptr<Engine>> OpenVinoBackend::load(const EngineBlob& blob, const LoadOptions& options) {
  TERN_RETURN_IF_ERROR(dev::refuse_gpu_options(options, "OpenVINO"));
  if (blob.backend != "openvino" || blob.backend_version != full_version()) {
    return make_error(StatusCode::kEngineGateError, "the engine was made by {} {}; this is openvino {}", blob.backend,
                      blob.backend_version, full_version())
        .at(blob.engine_id)
        .with_hint("compile the model again");
  }
  ov::CompiledModel compiled;
  // i8 layers are part of the graph; what is left of it runs in f32.
  const Precision hint = blob.precision == Precision::kI8 ? Precision::kF32 : blob.precision;
  ov::AnyMap device = device_config(hint, thread_count(options.threads), options.hint);
  if (blob.precision != Precision::kI8) device.insert(int8_layers_in_f32());
  Precision runs = blob.precision;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kEngineGateError, "OpenVINO cannot load the engine", [&] {
                         // OpenVINO reads from the view alone, though its type is not const.
                         const ov::Tensor view(ov::element::u8, ov::Shape{blob.bytes.size()},
                                               const_cast<std::byte*>(blob.bytes.data()));
                         compiled = core_.import_model(view, kDevice, device);
                         runs = precision_that_runs(compiled);
                       }).at(blob.engine_id));
  if (runs != blob.precision) {
    return make_error(StatusCode::kEngineGateError, "the engine runs in {}, but was built for {}", to_string(runs),
                      to_string(blob.precision))
        .at(blob.engine_id);
  }
  auto engine = OpenVinoEngine::create(std::move(compiled), blob, runs);
  if (engine.ok()) {
    options.logger->log(
        LogLevel::kInfo, "openvino",
        fmt::format("engine {} ready: {} inputs, {} outputs, {} in {}, {} threads, {:.1f} MB", blob.engine_id,
                    (*engine)->inputs().size(), (*engine)->outputs().size(), score().reason, to_string(runs),
                    (*engine)->threads(), static_cast<double>((*engine)->memory().engine_bytes) / 1e6));
  }
  return engine;
}

}  // namespace tern::ov_backend
