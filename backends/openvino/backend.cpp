// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "backend.h"

#include <algorithm>
#include <sstream>
#include <thread>

#include <openvino/openvino.hpp>

#include "base/cpu.h"
#include "base/sha256.h"
#include "convert.h"
#include "engine.h"
#include "guard.h"
#include "int8.h"
#include "race.h"
#include "tern/dev/backend.h"
#include "tern/dev/int8_build.h"

namespace tern::ov_backend {
namespace {

constexpr const char* kDevice = "CPU";
/// int8 costs accuracy, so it must be faster than f32 by more than two measurements differ.
constexpr double kPays = 0.95;

std::string full_version() {
  return ov::get_openvino_version().buildNumber;
}

std::vector<std::string> capabilities(const ov::Core& core) {
  return core.get_property(kDevice, ov::device::capabilities);
}

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

bool is_quantised(const Model& model) {
  return std::ranges::any_of(
      model.op_counts(), [](const auto& op) { return op.first == "QuantizeLinear" || op.first == "DequantizeLinear"; });
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
      if (is_quantised(model)) return Precision::kF32;
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
  return min == max ? ov::Dimension(min) : ov::Dimension(min, max);
}

/// Fixes or bounds dynamic dimensions as the config says.
Status apply_profiles(ov::Model& model, const BuildConfig& config) {
  std::map<ov::Output<ov::Node>, ov::PartialShape> shapes;
  const int max_batch = std::max(1, config.max_batch);
  for (const auto& input : model.inputs()) {
    ov::PartialShape shape = input.get_partial_shape();
    const std::string name = input.get_any_name();
    const auto profile = std::ranges::find(config.profiles, name, &ShapeProfile::tensor);
    if (profile != config.profiles.end()) {
      if (profile->min.rank() != shape.size() || profile->max.rank() != shape.size()) {
        return make_error(StatusCode::kConfigError, "the profile has rank {}; the input has {}", profile->max.rank(),
                          shape.size())
            .at(name);
      }
      for (std::size_t i = 0; i < shape.size(); ++i) {
        const ov::Dimension wanted = dimension(profile->min[i], profile->max[i]);
        ov::Dimension& actual = shape[static_cast<std::ptrdiff_t>(i)];
        if (profile->min[i] < 1 || profile->max[i] < profile->min[i] || !actual.compatible(wanted)) {
          return make_error(StatusCode::kConfigError, "the profile's dimension {} ({}..{}) does not fit the model's {}",
                            i, profile->min[i], profile->max[i], input.get_partial_shape().to_string())
              .at(name);
        }
        if (actual.is_dynamic()) actual = wanted;
      }
    } else if (shape.rank().is_static() && shape.size() > 0 && shape[0].is_dynamic()) {
      shape[0] = dimension(1, max_batch);
    }
    shapes[input] = shape;
  }
  for (const ShapeProfile& profile : config.profiles) {
    const bool known = std::ranges::any_of(
        model.inputs(), [&](const auto& input) { return input.get_names().contains(profile.tensor); });
    if (!known)
      return Status(StatusCode::kConfigError, "a shape profile names an input that the model does not have")
          .at(profile.tensor);
    if (std::ranges::count(config.profiles, profile.tensor, &ShapeProfile::tensor) > 1) {
      return Status(StatusCode::kConfigError, "OpenVINO takes one shape profile for an input")
          .at(profile.tensor)
          .with_hint("give one range that holds them all");
    }
  }
  return guard(StatusCode::kEngineBuildError, "the model does not take the shapes asked for",
               [&] { model.reshape(shapes); });
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

/// EngineBuildError when something else runs than was asked for: a lower precision as much as a higher one.
Status check_what_runs(Precision asked, Precision runs) {
  if (asked == Precision::kAuto || asked == runs) return {};
  const Status error = make_error(StatusCode::kEngineBuildError, "{} was asked for, but OpenVINO runs the model in {}",
                                  to_string(asked), to_string(runs))
                           .at("precision");
  if (runs == Precision::kI8)
    return error.with_hint(
        "the model's quantised layers run in i8: ask for i8 or auto, or give the model before quantisation");
  if (asked == Precision::kI8)
    return error.with_hint(
        "it finds no quantised convolution or matrix product that this CPU can run; ask for auto or f32");
  return error.with_hint("ask for auto");
}

/// Whether quantised layers are to be computed in f32: asked for, as the golden check's reference does, or needed to be right
/// here; ConfigError where i8 was asked for then.
Result<bool> must_avoid_int8(const ov::Model& ov_model, const Model& model, Precision asked) {
  if (!is_quantised(model)) return false;
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

std::string engine_id(const Model& model, const BuildConfig& config, Precision precision, const std::string& device) {
  std::string key = fmt::format("openvino {} {} {} {} batch {}", full_version(), device, model.content_hash(),
                                to_string(precision), config.max_batch);
  for (const ShapeProfile& p : config.profiles)
    key += fmt::format(" {}={}:{}:{}", p.tensor, p.min.to_string(), p.opt.to_string(), p.max.to_string());
  return fmt::format("{}-{}", model.stem(), to_hex(Sha256::of(std::as_bytes(std::span(key)))).substr(0, 12));
}

/// Adds the nodes whose operator OpenVINO's message complains about: it names operators ("com.example.Frobnicate"), not nodes.
Status name_unsupported(const Status& status, const Model& model) {
  constexpr std::string_view kMarker = "No conversion rule found for operations: ";
  const std::size_t at = status.cause().find(kMarker);
  if (at == std::string::npos) return status;
  const std::string_view listed = std::string_view(status.cause()).substr(at + kMarker.size());
  const std::string operations = ", " + std::string(listed.substr(0, listed.find('\n'))) + ",";
  std::string found;
  for (const auto& [op, count] : model.op_counts()) {
    const std::size_t domain_end = op.find("::");
    const std::string bare = domain_end == std::string::npos ? op : op.substr(domain_end + 2);
    const bool is_listed = operations.find(" " + bare + ",") != std::string::npos ||
                           operations.find("." + bare + ",") != std::string::npos;
    if (!is_listed) continue;
    for (const std::string& name : model.node_names(op)) {
      if (found.size() < 400) found += fmt::format("{}{} (node '{}')", found.empty() ? "" : ", ", op, name);
    }
  }
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
  if (*quantised) return compile_calibrated(model, **quantised, config, progress, stop);
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
                        inner = apply_profiles(*ov_model, config);
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
                         if (!(inner = check_what_runs(config.precision, blob.precision)).ok()) return;
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
  blob.engine_id = engine_id(model, config, blob.precision, score().reason);
  report("done", 1.0);
  return blob;
}

Result<EngineBlob> OpenVinoBackend::compile_calibrated(const Model& model, const Model& quantised,
                                                       const BuildConfig& config, const Progress& progress,
                                                       const std::stop_token& stop) {
  BuildConfig plain = config;
  plain.calibration.clear();
  plain.precision = Precision::kI8;
  if (config.precision == Precision::kI8) return compile(quantised, plain, progress, stop);
  const auto part = [&](double from, double to) -> Progress {
    if (!progress) return {};
    return [&progress, from, to](std::string_view phase, double f) { progress(phase, from + f * (to - from)); };
  };
  auto int8 = compile(quantised, plain, part(0, 0.4), stop);
  plain.precision = Precision::kF32;
  // What is wrong with the config or the model is told by this one.
  TERN_ASSIGN_OR_RETURN(EngineBlob f32, compile(model, plain, part(0.4, 0.8), stop));
  if (!int8.ok()) {
    f32.notes.push_back("runs in f32, though there is a calibration: " + int8.status().message());
    return f32;
  }
  if (progress) progress("compare", 0.8);
  TERN_ASSIGN_OR_RETURN(const RaceTimes times, race(*this, *int8, f32, config, stop));
  if (progress) progress("done", 1.0);
  const bool pays = times.first < kPays * times.second;
  EngineBlob& better = pays ? *int8 : f32;
  better.notes.push_back(fmt::format("runs in {}: one inference takes {:.2f} ms in i8 and {:.2f} ms in f32",
                                     pays ? "i8" : "f32", times.first, times.second));
  return std::move(better);
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
