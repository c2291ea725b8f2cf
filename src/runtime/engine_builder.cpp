// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine_builder.h"

#include <algorithm>
#include <chrono>

#include "base/byte_size.h"
#include "base/error.h"
#include "runtime/backend_chooser.h"
#include "runtime/build_process.h"
#include "runtime/utc_time.h"
#include "tern/dev/backend.h"
#include "tern/version.h"

namespace tern {
namespace {

constexpr int kNoiseFrames = 2;
constexpr std::uint64_t kNoiseSeed = 1;
// Parts of the whole build on the progress bar.
constexpr double kCompiled = 0.8, kProven = 0.95;

Progress scaled(const Progress& progress, double from, double to) {
  if (!progress) return {};
  return
      [progress, from, to](std::string_view phase, double fraction) { progress(phase, from + fraction * (to - from)); };
}

Result<EngineBlob> compile(const BuildSite& site, Backend& backend, const Model& model, const BuildConfig& config,
                           const CompileOptions& options) {
  const Progress progress = scaled(options.progress, 0, kCompiled);
  if (config.isolation == BuildConfig::Isolation::kInProcess)
    return backend.compile(model, config, progress, options.stop);
  return compile_in_process(
      std::string(backend.name()), model, config, progress, options.stop,
      {.worker = {}, .memory_limit_bytes = site.config.build_memory_limit_bytes, .logger = site.logger});
}

/// The library that computes for a backend.
std::string runtime_of(const Backend& backend) {
  const std::string shared = backend.host_facts().runtime;
  return shared.empty() ? std::string(backend.name()) : shared;
}

/// Who may give the reference, in this order: CPU backends on another runtime than the one under test, the preferred first; those on the
/// same; itself.
std::vector<Backend*> reference_backends(const BackendRegistry& registry, Backend& tested) {
  std::vector<const BackendRegistry::Entry*> entries;
  for (const BackendRegistry::Entry& entry : registry.entries()) {
    if (entry.backend == nullptr || entry.score.score <= 0 || entry.name == tested.name()) continue;
    if (!runs_on_gpu(*entry.backend)) entries.push_back(&entry);
  }
  const std::string runtime = runtime_of(tested);
  std::ranges::stable_sort(entries, {}, [&](const auto* entry) {
    return std::pair(runtime_of(*entry->backend) == runtime, -entry->score.score);
  });
  std::vector<Backend*> backends;
  for (const auto* entry : entries)
    backends.push_back(entry->backend.get());
  backends.push_back(&tested);
  return backends;
}

/// One range for each input that holds all of its profiles: a CPU backend takes no more.
std::vector<ShapeProfile> joined(const std::vector<ShapeProfile>& profiles) {
  std::vector<ShapeProfile> all;
  for (const ShapeProfile& profile : profiles) {
    const auto same = std::ranges::find(all, profile.tensor, &ShapeProfile::tensor);
    if (same == all.end() || same->max.rank() != profile.max.rank()) {
      all.push_back(profile);
      continue;
    }
    for (std::size_t i = 0; i < profile.max.rank(); ++i) {
      same->min[i] = std::min(same->min[i], profile.min[i]);
      same->max[i] = std::max(same->max[i], profile.max[i]);
    }
  }
  return all;
}

/// `device`: of the backend under test, where that gives its own reference.
Result<std::shared_ptr<Engine>> load_reference(Backend& backend, const Model& model, const BuildConfig& config,
                                               Precision precision, const std::optional<Device>& device,
                                               const std::stop_token& stop) {
  const BuildConfig reference{
      .precision = precision, .profiles = joined(config.profiles), .max_batch = config.max_batch, .device = device};
  TERN_ASSIGN_OR_RETURN(const EngineBlob blob, backend.compile(model, reference, {}, stop));
  return backend.load(blob, {.device = device});
}

struct Reference {
  std::shared_ptr<Engine> engine;
  bool is_independent = false;
};

/// The first backend that can give one in f32. Where not even the one under test can (it runs quantised layers in i8 alone), it is held
/// against itself as it is.
///
/// A quantised model whose layers run in f32 is held against itself, too: where a value lies between two levels, runtimes (and one runtime
/// with other fusions) round to either, and one level is more than f32 may differ by.
Result<Reference> find_reference(const BuildSite& site, Backend& tested, const Model& model, const BuildConfig& config,
                                 Precision runs, const std::stop_token& stop) {
  if (runs == Precision::kF32 && dev::is_quantised(model)) {
    TERN_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine,
                          load_reference(tested, model, config, config.precision, config.device, stop));
    return Reference{std::move(engine), false};
  }
  for (Backend* backend : reference_backends(site.registry, tested)) {
    const auto device = backend == &tested ? config.device : std::nullopt;
    auto engine = load_reference(*backend, model, config, Precision::kF32, device, stop);
    if (engine.ok()) return Reference{std::move(*engine), runtime_of(*backend) != runtime_of(tested)};
    if (engine.status().code() == StatusCode::kCancelled) return engine.status();
    site.logger->log(LogLevel::kInfo, "runtime",
                     fmt::format("{}: {} gives no reference in f32: {}", model.stem(), backend->name(),
                                 engine.status().to_string()));
  }
  TERN_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine,
                        load_reference(tested, model, config, Precision::kAuto, config.device, stop));
  return Reference{std::move(engine), false};
}

/// Frames with reference outputs. A model without a contract takes whatever numbers it takes: when it does not run on noise, the
/// engine is stored without golden frames, and the manifest says so.
Result<GoldenSet> make_golden(const BuildSite& site, Backend& backend, const Model& model, const BuildConfig& config,
                              const CompileOptions& options, const EngineBlob& blob) {
  GoldenSet golden;
  golden.source = options.golden.empty() ? "noise" : "user";
  if (options.golden.empty()) {
    TERN_ASSIGN_OR_RETURN(golden.frames, noise_frames(blob.inputs, options.contract, kNoiseFrames, kNoiseSeed));
  } else if (options.contract != nullptr) {
    TERN_ASSIGN_OR_RETURN(golden.frames, image_frames(blob.inputs, *options.contract, options.golden));
  } else {
    return Status(StatusCode::kConfigError, "golden images need a contract that says how they become the input");
  }
  TERN_ASSIGN_OR_RETURN(const Reference reference,
                        find_reference(site, backend, model, config, blob.precision, options.stop));
  golden.reference = reference.engine->backend();
  golden.independent = reference.is_independent;
  TERN_RETURN_IF_ERROR(record_reference(*reference.engine, golden.frames));
  return golden;
}

Result<GoldenSet> prove(const BuildSite& site, Backend& backend, const Model& model, const BuildConfig& config,
                        const CompileOptions& options, const EngineBlob& blob) {
  auto golden = make_golden(site, backend, model, config, options, blob);
  const StatusCode code = golden.status().code();
  const bool may_skip = code == StatusCode::kInferenceError || code == StatusCode::kGoldenCheckError;
  if (options.contract == nullptr && may_skip) {
    site.logger->log(LogLevel::kWarning, "runtime",
                     fmt::format("{}: cannot be checked with noise, so the engine has no golden frames: {}",
                                 model.stem(), golden.status().to_string()));
    return GoldenSet{};
  }
  if (!golden.ok()) return golden;
  // Code inside of the engine may run: it came from the compiler just now.
  TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Engine> engine, backend.load(blob, {.threads = config.threads,
                                                                                  .hint = config.hint,
                                                                                  .device = config.device,
                                                                                  .allow_host_code = true,
                                                                                  .logger = site.logger}));
  TERN_RETURN_IF_ERROR(
      check_golden(*engine, *golden, options.contract, GoldenTolerance::of(blob.precision)).at(blob.engine_id));
  return golden;
}

/// Said before minutes are spent on an engine that nobody may load.
Status check_signable(const BuildSite& site, const BuildConfig& config) {
  if (!config.version_compatible || site.sign_key != nullptr) return {};
  return Status(StatusCode::kConfigError,
                "a version-compatible engine holds code, which is loaded from signed engines alone; nothing signs here")
      .at("version_compatible")
      .with_hint("name a key in sign.key (--sign) and its public half in trust.keys (`tern keys new FILE` makes both)");
}

/// Compiles, and tells the log what the backend decided.
Result<EngineBlob> compile_noted(const BuildSite& site, Backend& backend, const Model& model, const BuildConfig& config,
                                 const CompileOptions& options) {
  TERN_ASSIGN_OR_RETURN(EngineBlob blob, compile(site, backend, model, config, options));
  blob.version_compatible = config.version_compatible;
  blob.dla_core = config.dla_core;
  for (const std::string& note : blob.notes)
    site.logger->log(LogLevel::kWarning, "runtime", fmt::format("{}: {}", model.stem(), note));
  return blob;
}

/// Whether i8 was tern's own choice, by a calibration that nobody insisted on.
bool may_do_without_i8(const BuildConfig& config, const EngineBlob& blob) {
  return config.precision == Precision::kAuto && !config.calibration.empty() && blob.precision == Precision::kI8;
}

Status stop_status(const std::stop_token& stop) {
  return stop.stop_requested() ? Status(StatusCode::kCancelled, "stopped while building the engine") : Status();
}

std::string fact(const HostFacts& host, std::string_view name) {
  for (const auto& [key, value] : host.info) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

std::string engine_stem(const Model& model) {
  // The longest target and precision, and names of temporary files, must fit behind it.
  constexpr std::size_t kMaxStem = 160;
  const EngineName name{model.stem(), "x86_64_base", false, Precision::kF32};
  if (model.stem().size() <= kMaxStem && name.format().ok()) return model.stem();
  return "model-" + model.content_hash().substr(0, 8);
}

Contract engine_contract(const Contract& contract) {
  Contract normal = contract;
  const OutputContract defaults;
  normal.output.score_threshold = normal.output.kind == OutputKind::kYolo || normal.output.kind == OutputKind::kEnd2End
                                      ? defaults.score_threshold
                                      : 0.0F;
  normal.output.nms_iou = defaults.nms_iou;
  normal.output.class_aware_nms = defaults.class_aware_nms;
  normal.output.max_detections = defaults.max_detections;
  normal.output.return_to_input_size = defaults.return_to_input_size;
  return normal;
}

Result<BuiltEngine> build_engine(const BuildSite& site, Backend& backend, const Model& model, const BuildConfig& config,
                                 const CompileOptions& options, const EngineKey& key) {
  const auto start = std::chrono::steady_clock::now();
  const HostFacts host = backend.host_facts_on(config.device);
  TERN_RETURN_IF_ERROR(check_signable(site, config));
  TERN_ASSIGN_OR_RETURN(EngineBlob blob, compile_noted(site, backend, model, config, options));
  auto compiled = std::chrono::steady_clock::now();
  TERN_RETURN_IF_ERROR(stop_status(options.stop));
  if (options.progress) options.progress("prove", kCompiled);
  auto proven = prove(site, backend, model, config, options, blob);
  if (proven.status().code() == StatusCode::kGoldenCheckError && may_do_without_i8(config, blob)) {
    // What auto takes must be proven, too.
    BuildConfig without = config;
    without.calibration.clear();
    site.logger->log(LogLevel::kWarning, "runtime",
                     fmt::format("{}: i8 did not pass its golden check, so auto does without the calibration: {}",
                                 model.stem(), proven.status().message()));
    TERN_ASSIGN_OR_RETURN(blob, compile_noted(site, backend, model, without, options));
    blob.notes.push_back("the calibration is not used: i8 did not pass its golden check");
    compiled = std::chrono::steady_clock::now();
    proven = prove(site, backend, model, without, options, blob);
  }
  if (!proven.ok()) return proven.status();
  const GoldenSet& golden = *proven;
  TERN_RETURN_IF_ERROR(stop_status(options.stop));
  if (options.progress) options.progress("store", kProven);

  EngineManifest manifest;
  manifest.key = key;
  manifest.stem = engine_stem(model);
  const EngineName name{manifest.stem, config.hardware == HardwareLevel::kAmperePlus ? "hw_ampere_plus" : host.target,
                        config.version_compatible, blob.precision};
  TERN_ASSIGN_OR_RETURN(manifest.name, name.format());
  manifest.backend = blob.backend;
  manifest.backend_version = blob.backend_version;
  manifest.engine_id = blob.engine_id;
  manifest.precision = blob.precision;
  manifest.layers = blob.layers;
  manifest.notes = blob.notes;
  manifest.opt_buffer_bytes = blob.context_bytes;
  manifest.inputs = blob.inputs;
  manifest.outputs = blob.outputs;
  manifest.contract = options.contract != nullptr ? options.contract->to_json() : std::string();
  manifest.build_config = config.to_json();
  manifest.build_seconds = std::chrono::duration<double>(compiled - start).count();
  manifest.built_at = utc_now();
  manifest.driver = fact(host, "driver");
  manifest.tern_version = version();
  std::string golden_bytes;
  if (!golden.frames.empty()) {
    TERN_ASSIGN_OR_RETURN(golden_bytes, golden.to_bytes());
    manifest.golden = {.sha256 = {},
                       .frames = static_cast<int>(golden.frames.size()),
                       .source = golden.source,
                       .reference = golden.reference,
                       .independent = golden.independent};
  }
  BuiltEngine built{{}, blob.owner};
  TERN_ASSIGN_OR_RETURN(built.files,
                        pack_engine(std::move(manifest), blob.bytes, std::move(golden_bytes), site.sign_key));
  site.logger->log(LogLevel::kInfo, "runtime",
                   fmt::format("built {} ({}) with {} {} in {:.1f} s; golden frames: {}", built.files.name,
                               format_byte_size(blob.bytes.size()), blob.backend, to_string(blob.precision),
                               std::chrono::duration<double>(compiled - start).count(),
                               golden.frames.empty() ? "none"
                               : golden.independent  ? golden.source + ", reference " + golden.reference
                                                     : golden.source + ", integrity only"));
  return built;
}

}  // namespace tern
