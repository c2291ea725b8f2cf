// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "builder.h"

#include <algorithm>
#include <thread>

#include "base/sha256.h"
#include "calibration.h"
#include "calibrator.h"
#include "convert.h"
#include "cuda/device.h"
#include "cuda/handles.h"
#include "facts.h"
#include "graph_edit.h"
#include "guard.h"
#include "logger.h"
#include "precision.h"
#include "profiles.h"
#include "progress.h"
#include "timing_cache.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

constexpr std::uint64_t kIntegratedWorkspace = 128ULL << 20;
constexpr int kDiscretePercent = 90;
constexpr int kMaxBuilderThreads = 16;

Status stop_status(const std::stop_token& stop) {
  return stop.stop_requested() ? Status(StatusCode::kCancelled, "stopped while building the engine") : Status();
}

/// Every error of the parser, the first as the message. TensorRT names a node that has no name by its operator and index.
Status parser_errors(const nvonnxparser::IParser& parser, const Model& model, const std::string& log) {
  std::string all;
  std::string first;
  for (int i = 0; i < parser.getNbErrors(); ++i) {
    const nvonnxparser::IParserError* error = parser.getError(i);
    if (error == nullptr) continue;
    const auto text = [](const char* s) { return std::string(s != nullptr ? s : ""); };
    std::string op = text(error->nodeOperator()), node = text(error->nodeName());
    if (node.empty() && !op.empty()) {
      const std::vector<std::string> names = model.node_names(op);
      if (names.size() == 1) node = names.front();
    }
    std::string line = text(error->desc());
    if (!op.empty() || !node.empty()) line = fmt::format("{} (node '{}'): {}", op, node, line);
    if (first.empty()) first = line;
    all += (all.empty() ? "" : "\n") + line;
  }
  return make_error(StatusCode::kEngineBuildError, "TensorRT does not support {}", first.empty() ? "the model" : first)
      .with_hint("export the model with standard operators, or use another backend")
      .with_cause(all + (all.empty() || log.empty() ? "" : "\n") + log);
}

Result<std::vector<TensorSpec>> network_inputs(const nvinfer1::INetworkDefinition& network) {
  std::vector<TensorSpec> inputs;
  for (std::int32_t i = 0; i < network.getNbInputs(); ++i) {
    const nvinfer1::ITensor* tensor = network.getInput(i);
    TensorSpec spec;
    spec.name = tensor->getName();
    if (tensor->isShapeTensor()) {
      return Status(StatusCode::kEngineBuildError, "the input decides shapes, which tern does not support on TensorRT")
          .at(spec.name)
          .with_hint("export the model with this input as a constant");
    }
    const auto dtype = from_trt(tensor->getType());
    if (!dtype.ok()) return dtype.status().at(spec.name);
    const auto shape = from_trt(tensor->getDimensions());
    if (!shape.ok()) return shape.status().at(spec.name);
    spec.dtype = *dtype;
    spec.shape = *shape;
    inputs.push_back(std::move(spec));
  }
  return inputs;
}

Status add_profiles(nvinfer1::IBuilder& builder, nvinfer1::IBuilderConfig& target,
                    const std::vector<TensorSpec>& inputs, const BuildConfig& config) {
  TERN_ASSIGN_OR_RETURN(const std::vector<Profile> profiles, plan_profiles(inputs, config));
  if (std::ranges::all_of(inputs, [](const TensorSpec& s) { return s.shape.is_static(); })) return {};
  for (const Profile& profile : profiles) {
    nvinfer1::IOptimizationProfile* made = builder.createOptimizationProfile();  // owned by the builder
    bool ok = made != nullptr;
    for (std::size_t i = 0; ok && i < inputs.size(); ++i) {
      const char* name = inputs[i].name.c_str();
      ok = made->setDimensions(name, nvinfer1::OptProfileSelector::kMIN, to_trt(profile[i].min)) &&
           made->setDimensions(name, nvinfer1::OptProfileSelector::kOPT, to_trt(profile[i].opt)) &&
           made->setDimensions(name, nvinfer1::OptProfileSelector::kMAX, to_trt(profile[i].max));
    }
    if (!ok || target.addOptimizationProfile(made) < 0)
      return {StatusCode::kConfigError, "TensorRT refuses the shape profiles"};
  }
  return {};
}

std::uint64_t workspace_bytes(const Gpu& gpu, const std::optional<Workspace>& asked) {
  if (asked && asked->bytes > 0) return asked->bytes;
  if (!asked && gpu.is_integrated) return kIntegratedWorkspace;
  const int percent = asked ? asked->percent : kDiscretePercent;
  return cuda::device_memory(gpu.device).free_bytes / 100 * static_cast<std::uint64_t>(percent);
}

/// One build, with everything that must live until its end, in the order in which it must die.
class Build {
 public:
  Build(const Library& library, const Gpu& gpu, const Model& model, const BuildConfig& config)
      : library_(library), gpu_(gpu), model_(model), config_(config) {}

  /// The first of the plans that builds. Every step down is a note of the blob.
  Result<EngineBlob> run(const Progress& progress, const std::stop_token& stop);

 private:
  Result<std::vector<PrecisionPlan>> plan();
  Result<EngineBlob> attempt(const Progress& progress, const std::stop_token& stop);
  Status read();
  Status configure();
  Status place();
  Status calibrate();
  Result<std::unique_ptr<nvinfer1::IHostMemory>> build(const Progress& progress, const std::stop_token& stop);
  Status examine(const nvinfer1::IHostMemory& plan, EngineBlob& blob);
  Status check_precision(EngineBlob& blob) const;
  std::string engine_id() const;

  const Library& library_;
  const Gpu& gpu_;
  const Model& model_;
  const BuildConfig& config_;
  CapturedLog log_{null_logger(), CapturedLog::Scope::kAllThreads};
  Calibration calibration_;
  PrecisionPlan precision_;
  std::unique_ptr<CacheCalibrator> calibrator_;
  std::unique_ptr<nvinfer1::IBuilder> builder_;
  std::unique_ptr<nvinfer1::INetworkDefinition> network_;
  std::unique_ptr<nvonnxparser::IParser> parser_;
  std::unique_ptr<nvinfer1::IBuilderConfig> target_;
};

Result<std::vector<PrecisionPlan>> Build::plan() {
  TERN_ASSIGN_OR_RETURN(builder_, library_.create_builder(gpu_.compute_capability));
  const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1U, unsigned{kMaxBuilderThreads});
  builder_->setMaxThreads(config_.threads > 0 ? config_.threads : static_cast<std::int32_t>(threads));
  TERN_ASSIGN_OR_RETURN(calibration_, read_calibration(model_, config_, library_.version()));
  return plan_precision(config_.precision, model_,
                        {.fast_f16 = compat::has_fast_f16(*builder_), .ranges = calibration_.source});
}

Status Build::read() {
  TERN_ASSIGN_OR_RETURN(const Model edited, edit_graph(model_, precision_, calibration_.ranges));
  TERN_ASSIGN_OR_RETURN(const auto bytes, edited.self_contained_bytes());
  target_.reset();
  parser_.reset();
  network_.reset(builder_->createNetworkV2(compat::network_flags(precision_.strongly_typed)));
  if (network_ == nullptr)
    return Status(StatusCode::kEngineBuildError, "TensorRT cannot make a network").with_cause(log_.text());
  TERN_ASSIGN_OR_RETURN(parser_, library_.create_parser(*network_));
  if (!parser_->parse(bytes.data(), bytes.size()) || parser_->getNbErrors() > 0)
    return parser_errors(*parser_, model_, log_.text());
  return {};
}

Status Build::configure() {
  TERN_ASSIGN_OR_RETURN(const std::vector<TensorSpec> inputs, network_inputs(*network_));
  target_.reset(builder_->createBuilderConfig());
  if (target_ == nullptr)
    return Status(StatusCode::kEngineBuildError, "TensorRT cannot make a build configuration").with_cause(log_.text());
  TERN_RETURN_IF_ERROR(add_profiles(*builder_, *target_, inputs, config_));
  if (!config_.tf32) target_->clearFlag(nvinfer1::BuilderFlag::kTF32);  // on by default, and not what f32 promises
  TERN_RETURN_IF_ERROR(place());
  if (!precision_.strongly_typed) compat::allow_precision(*target_, precision_.precision);
  if (precision_.use_cache) TERN_RETURN_IF_ERROR(calibrate());
  target_->setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE, workspace_bytes(gpu_, config_.workspace));
  if (config_.optimization_level >= 0) target_->setBuilderOptimizationLevel(config_.optimization_level);
  target_->setProfilingVerbosity(nvinfer1::ProfilingVerbosity::kDETAILED);  // the inspector tells precisions only then
  return {};
}

Status Build::calibrate() {
  calibrator_ = CacheCalibrator::create(calibration_.cache);
  if (calibrator_ == nullptr) return {StatusCode::kInternalError, "this TensorRT takes no calibration caches"};
  calibrator_->attach(*target_);
  return {};
}

/// Where the engine is to run, beyond this GPU.
Status Build::place() {
  if (config_.aux_streams >= 0) static_cast<void>(target_->setMaxAuxStreams(config_.aux_streams));
  if (config_.version_compatible) target_->setFlag(nvinfer1::BuilderFlag::kVERSION_COMPATIBLE);
  if (config_.hardware == HardwareLevel::kAmperePlus) {
    constexpr int kAmpere = 80;
    if (gpu_.compute_capability < kAmpere || gpu_.is_integrated) {
      return make_error(StatusCode::kConfigError, "engines for Ampere and newer are built on such a GPU; this is {}",
                        gpu_.name)
          .at("hardware")
          .with_hint("build with this_gpu; integrated GPUs (Jetson) have no other choice");
    }
    target_->setHardwareCompatibilityLevel(nvinfer1::HardwareCompatibilityLevel::kAMPERE_PLUS);
  }
  if (config_.dla_core < 0) return {};
  const int cores = compat::dla_cores(*builder_);
  if (config_.dla_core >= cores) {
    return make_error(StatusCode::kConfigError, "{} has {} deep-learning accelerators; {} was asked for", gpu_.name,
                      cores, config_.dla_core)
        .at("dla_core")
        .with_hint("leave it out: the GPU runs everything");
  }
  if (precision_.precision == Precision::kF32) {
    return Status(StatusCode::kConfigError, "a deep-learning accelerator computes in f16 and i8, not in f32")
        .at("dla_core")
        .with_hint("ask for f16 or i8");
  }
  compat::build_for_dla(*target_, config_.dla_core);
  return {};
}

Result<std::unique_ptr<nvinfer1::IHostMemory>> Build::build(const Progress& progress, const std::stop_token& stop) {
  TERN_ASSIGN_OR_RETURN(const TimingCache timing, TimingCache::open(config_.timing_cache, *target_));
  ProgressMonitor monitor(progress, stop, 0.1, 0.9);
  target_->setProgressMonitor(&monitor);
  std::unique_ptr<nvinfer1::IHostMemory> plan(builder_->buildSerializedNetwork(*network_, *target_));
  target_->setProgressMonitor(nullptr);
  TERN_RETURN_IF_ERROR(stop_status(stop));
  if (calibrator_ != nullptr && calibrator_->was_asked_for_images()) {
    return Status(StatusCode::kCalibrationCacheError, "TensorRT did not take the calibration cache")
        .with_hint("calibrate the model again, or give it with QuantizeLinear and DequantizeLinear nodes")
        .with_cause(log_.text());
  }
  if (plan == nullptr || plan->size() == 0) {
    return Status(StatusCode::kEngineBuildError, "TensorRT cannot build the engine")
        .with_hint("its own words are below; less may be asked of it with a smaller batch, profile or workspace")
        .with_cause(log_.text());
  }
  TERN_RETURN_IF_ERROR(timing.save(*target_));
  return plan;
}

/// REQUIRES: blob.layers.
Status Build::check_precision(EngineBlob& blob) const {
  const Precision asked = precision_.precision;
  blob.precision = built_precision(asked, blob.layers);
  if (!is_wider(blob.precision, asked)) return {};
  if (!precision_.was_asked) {
    blob.notes.push_back(fmt::format("{} was tried; the narrowest layer of the engine runs in {}", to_string(asked),
                                     to_string(blob.precision)));
    return {};
  }
  return make_error(StatusCode::kEngineBuildError, "asked for {}, but the narrowest layer of the engine runs in {}",
                    to_string(asked), to_string(blob.precision))
      .with_hint(
          fmt::format("ask for {} or auto; a higher optimisation level gives TensorRT more kernels to choose from",
                      to_string(blob.precision)));
}

Status Build::examine(const nvinfer1::IHostMemory& plan, EngineBlob& blob) {
  TERN_ASSIGN_OR_RETURN(const auto runtime, library_.create_runtime());
  runtime->setEngineHostCodeAllowed(config_.version_compatible);  // TensorRT's own code, from this build
  if (config_.dla_core >= 0) compat::run_on_dla(*runtime, config_.dla_core);
  const std::unique_ptr<nvinfer1::ICudaEngine> engine(runtime->deserializeCudaEngine(plan.data(), plan.size()));
  if (engine == nullptr) {
    return Status(StatusCode::kEngineBuildError, "TensorRT cannot load what it built").with_cause(log_.text());
  }
  auto facts = read_facts(*engine);
  if (!facts.ok()) {
    return make_error(StatusCode::kEngineBuildError, "the engine that was built cannot be used: {}",
                      facts.status().message())
        .at(facts.status().where())
        .with_cause(facts.status().cause() + log_.text());
  }
  blob.inputs = std::move(facts->inputs);
  blob.outputs = std::move(facts->outputs);
  blob.layers = std::move(facts->layers);
  blob.context_bytes = facts->activation_bytes + facts->io_bytes;
  return check_precision(blob);
}

std::string Build::engine_id() const {
  // All that decides the engine, and nothing of how or where it is built.
  BuildConfig identity = config_;
  identity.timeout = BuildConfig{}.timeout;
  identity.isolation = BuildConfig{}.isolation;
  identity.timing_cache.clear();
  identity.device.reset();
  const std::string key = fmt::format("tensorrt {} {} {} {}", library_.version_text(), gpu_.target,
                                      model_.content_hash(), identity.to_json());
  return fmt::format("{}-{}", model_.stem(), to_hex(Sha256::of(std::as_bytes(std::span(key)))).substr(0, 12));
}

Result<EngineBlob> Build::attempt(const Progress& progress, const std::stop_token& stop) {
  TERN_RETURN_IF_ERROR(read());
  TERN_RETURN_IF_ERROR(stop_status(stop));
  TERN_RETURN_IF_ERROR(configure());
  progress("build", 0.1);
  TERN_ASSIGN_OR_RETURN(auto plan, build(progress, stop));
  progress("examine", 0.9);
  EngineBlob blob;
  if (precision_.insert_qdq || precision_.use_cache) blob.notes = calibration_.notes;
  TERN_RETURN_IF_ERROR(examine(*plan, blob));
  TERN_RETURN_IF_ERROR(stop_status(stop));
  blob.bytes = {static_cast<const std::byte*>(plan->data()), plan->size()};
  blob.owner = std::shared_ptr<const nvinfer1::IHostMemory>(std::move(plan));
  return blob;
}

Result<EngineBlob> Build::run(const Progress& progress, const std::stop_token& stop) {
  double reached = 0;
  const Progress report = [&](std::string_view phase, double fraction) {
    reached = std::max(reached, fraction);  // a second attempt begins where the first has come to
    if (progress) progress(phase, reached);
  };
  report("read", 0.0);
  TERN_ASSIGN_OR_RETURN(const std::vector<PrecisionPlan> plans, plan());
  std::vector<std::string> steps_down;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    precision_ = plans[i];
    auto blob = attempt(report, stop);
    if (blob.ok()) {
      blob->notes.insert(blob->notes.begin(), steps_down.begin(), steps_down.end());
      blob->backend = "tensorrt";
      blob->backend_version = library_.version_text();
      blob->engine_id = engine_id();
      report("done", 1.0);
      return blob;
    }
    const bool is_last = i + 1 == plans.size();
    if (is_last || !may_step_down(blob.status())) return blob;
    steps_down.push_back(fmt::format("auto took {} first, which did not build: {}", to_string(precision_.precision),
                                     blob.status().message()));
  }
  return Status(StatusCode::kInternalError, "no way to build the model was planned");
}

}  // namespace

Result<EngineBlob> build_engine(const Library& library, const Gpu& gpu, const Model& model, const BuildConfig& config,
                                const Progress& progress, std::stop_token stop) {
  const std::string where = model.path().empty() ? model.stem() : model.path().string();
  EngineBlob blob;
  const Status built = guard(StatusCode::kEngineBuildError, "the engine cannot be built", [&]() -> Status {
    const cuda::DeviceGuard device(gpu.device);
    Build build(library, gpu, model, config);
    TERN_ASSIGN_OR_RETURN(blob, build.run(progress, stop));
    return {};
  });
  if (!built.ok()) return built.at(where);
  return blob;
}

}  // namespace tern::trt_backend
