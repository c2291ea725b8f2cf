// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/runtime.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "base/error.h"
#include "runtime/backend_chooser.h"
#include "runtime/calibration_choice.h"
#include "runtime/choice_memory.h"
#include "runtime/engine_builder.h"
#include "runtime/loaded_engine.h"
#include "tern/engine_name.h"

namespace tern {
namespace {

/// What a handle names. A fault may put another engine in its place.
struct Slot {
  std::shared_ptr<LoadedEngine> loaded;
  /// How to open the model again on another backend; none for engines that came without their model.
  struct Source {
    Model model;
    std::optional<Contract> contract;
    BuildConfig config;
    CompileOptions compile;
    EngineOptions options;
    std::set<std::string> failed;  ///< backends that are not tried again
  };
  std::shared_ptr<Source> source{};
  std::shared_ptr<std::mutex> falling_back = std::make_shared<std::mutex>();
};

/// Failures that another backend may not share. Those of the model, the config or the caller would come back.
bool may_fall_back(StatusCode code) {
  switch (code) {
    case StatusCode::kBackendError:
    case StatusCode::kEngineBuildError:
    case StatusCode::kEngineGateError:
    case StatusCode::kOutOfMemoryError:
    case StatusCode::kGoldenCheckError:
    case StatusCode::kInferenceError:
    case StatusCode::kTimeout:
      return true;
    case StatusCode::kOk:
    case StatusCode::kModelError:
    case StatusCode::kContractError:
    case StatusCode::kConfigError:
    case StatusCode::kInputError:
    case StatusCode::kIoError:
    case StatusCode::kCalibrationCacheError:
    case StatusCode::kCancelled:
    case StatusCode::kInternalError:
      return false;
  }
  return false;
}

std::uint64_t next_runtime_id() {
  static std::atomic<std::uint64_t> next{1};
  return next++;
}

Shape task_shape(const InputContract& input, std::int64_t batch) {
  const auto [width, height] = input.default_size();
  const std::int64_t channels = input.channels();
  return input.layout == TensorLayout::kNchw ? Shape{batch, channels, height, width}
                                             : Shape{batch, height, width, channels};
}

}  // namespace

BuildConfig with_task_profile(BuildConfig config, const Model& model, const Contract& contract) {
  for (const ValueInfo& input : model.inputs()) {
    const bool has_profile =
        std::ranges::find(config.profiles, input.name, &ShapeProfile::tensor) != config.profiles.end();
    if (input.name != contract.input.tensor || input.shape.is_static() || has_profile) continue;
    const bool is_batch_open = input.shape[0] == Shape::kDynamic;
    const std::int64_t min = is_batch_open ? 1 : input.shape[0];
    const std::int64_t max = is_batch_open ? std::max(1, config.max_batch) : input.shape[0];
    const Shape largest = task_shape(contract.input, max);
    config.profiles.push_back({input.name, task_shape(contract.input, min), largest, largest});
  }
  return config;
}

class InferenceRuntime::Impl {
 public:
  Impl(RuntimeOptions given, MemoryLedger host, MemoryLedger gpu)
      : options(std::move(given)), host_ledger(std::move(host)) {
    gpu_ledgers.emplace(0, std::move(gpu));
  }

  /// Each GPU has a budget of its own; their ledgers are made when they are first asked for and stay where they are.
  MemoryLedger& ledger(DeviceKind kind, int index) const {
    if (kind == DeviceKind::kCpu) return host_ledger;
    const std::scoped_lock lock(ledgers_mutex);
    const auto found = gpu_ledgers.find(index);
    if (found != gpu_ledgers.end()) return found->second;
    // The budgets are those of GPU 0, which create() has checked.
    auto made = MemoryLedger::create(options.config.gpu_memory_budget_bytes, options.config.engine_memory_limit_bytes);
    return gpu_ledgers.emplace(index, std::move(made).value()).first->second;
  }
  std::uint64_t resident_bytes() const {
    const std::scoped_lock lock(ledgers_mutex);
    std::uint64_t bytes = host_ledger.resident_bytes();
    for (const auto& [index, gpu] : gpu_ledgers)
      bytes += gpu.resident_bytes();
    return bytes;
  }

  /// The plugins are loaded when a backend is first asked for: an engine that gate A refuses loads none.
  const BackendRegistry& registry() {
    std::call_once(registry_once, [this] {
      registry_ = options.backends ? options.backends() : BackendRegistry::load(options.logger);
    });
    return registry_;
  }

  GateOptions gate_options(const EngineKey* key, std::string stem) const {
    return {.trust = trust ? &*trust : nullptr, .key = key, .stem = std::move(stem)};
  }

  BuildSite build_site() { return {registry(), options.config, options.logger, sign_key ? &*sign_key : nullptr}; }
  LoadSite load_site(const HostFacts& host, const LoadOptions& load) const {
    const bool is_gpu = EngineName{"x", host.target, false, Precision::kF32}.is_gpu();
    return {options.config,
            ledger(is_gpu ? DeviceKind::kCuda : DeviceKind::kCpu, load.device ? load.device->index : 0)};
  }

  static Result<EngineKey> key_of(const Model& model, const BuildConfig& config, const CompileOptions& compile,
                                  const Backend& backend, const CalibrationChoice& calibration) {
    const std::string contract =
        compile.contract != nullptr ? engine_contract(*compile.contract).hash() : std::string();
    return EngineKey::of(model, contract, config, backend.name(), backend.host_facts_on(config.device),
                         calibration.hash);
  }

  using Found = std::optional<std::pair<EngineEntry, GatedEngine>>;

  /// The stored engine of a key, through gate A; none where there is none. Fails with what the gate found.
  Result<Found> find(const EngineKey& key, const Model& model) {
    TERN_ASSIGN_OR_RETURN(const std::optional<EngineEntry> entry, store->find(key));
    if (!entry) return Found();
    TERN_ASSIGN_OR_RETURN(GatedEngine gated, gate_files(*entry, gate_options(&key, engine_stem(model))));
    return Found({*entry, std::move(gated)});
  }

  /// As find(), under the key's lock, where an entry is what it is: one that the gate refuses is put into quarantine, with a
  /// warning, and counts as none. Without the lock it might be another builder's new engine that is moved away.
  Result<Found> find_or_quarantine(const EngineKey& key, const Model& model) {
    auto found = find(key, model);
    if (found.ok() || found.status().code() != StatusCode::kEngineGateError) return found;
    options.logger->log(
        LogLevel::kWarning, "runtime",
        "a stored engine is refused, put into quarantine and built anew: " + found.status().to_string());
    TERN_ASSIGN_OR_RETURN(const std::optional<EngineEntry> entry, store->find(key));
    if (entry) TERN_RETURN_IF_ERROR(store->quarantine(*entry, found.status()));
    return Found();
  }

  /// An engine ready for gate B: found or built.
  struct Ready {
    CompiledEngine compiled;
    GatedEngine gated;
  };

  Result<CalibrationChoice> calibration_of(const Model& model, const BuildConfig& config,
                                           const CompileOptions& compile) const {
    return choose_calibration(model, config, compile.contract, *options.logger);
  }

  Result<Ready> find_or_build(Backend& backend, const Model& model, const BuildConfig& asked,
                              const CompileOptions& compile, const CalibrationChoice& calibration) {
    TERN_ASSIGN_OR_RETURN(const EngineKey key, key_of(model, asked, compile, backend, calibration));
    BuildConfig config = asked;
    config.calibration = calibration.file;
    CompiledEngine compiled{{}, key, std::string(backend.name()), false};
    const bool flat = !compile.output_dir.empty();
    const auto hit = [&](std::pair<EngineEntry, GatedEngine>& found) {
      compiled.entry = found.first;
      compiled.was_hit = true;
      return Ready{compiled, std::move(found.second)};
    };
    if (store != nullptr && !flat) {
      auto found = find(key, model);
      if (found.ok() && *found) return hit(**found);
      // Refused, or pruned while it was read: looked at again under the lock.
      if (!found.ok() && !compile.allow_build) return found.status();
    }
    if (!compile.allow_build) {
      return Status(StatusCode::kEngineGateError,
                    "the store has no engine for this model, config and machine, and building is off")
          .at(model.stem())
          .with_hint("`tern compile` builds it; `tern cache why` says what differs from the engines there are");
    }
    if (store == nullptr || flat) return build(backend, model, config, compile, compiled, calibration);
    TERN_ASSIGN_OR_RETURN(const std::unique_ptr<EngineStore::Lock> lock, store->lock(key, {.stop = compile.stop}));
    // Another process may have built it meanwhile.
    TERN_ASSIGN_OR_RETURN(auto found, find_or_quarantine(key, model));
    if (found) return hit(*found);
    return build(backend, model, config, compile, compiled, calibration);
  }

  Result<Ready> build(Backend& backend, const Model& model, const BuildConfig& config, const CompileOptions& compile,
                      CompiledEngine compiled, const CalibrationChoice& calibration) {
    std::optional<Contract> contract;
    CompileOptions normal = compile;
    if (compile.contract != nullptr) normal.contract = &contract.emplace(engine_contract(*compile.contract));
    TERN_ASSIGN_OR_RETURN(const BuiltEngine built,
                          build_engine(build_site(), backend, model, config, normal, compiled.key));
    TERN_RETURN_IF_ERROR(check_unchanged(calibration));
    TERN_ASSIGN_OR_RETURN(Ready ready, keep_files(std::move(compiled), built.files, built.owner, compile, model));
    if (compile.progress) compile.progress("done", 1.0);
    return ready;
  }

  /// Writes an engine where it belongs, if anywhere, and gates it.
  Result<Ready> keep_files(CompiledEngine compiled, const EngineFiles& files, std::shared_ptr<const void> owner,
                           const CompileOptions& compile, const Model& model) {
    if (!compile.output_dir.empty()) {
      TERN_ASSIGN_OR_RETURN(compiled.entry, write_flat(compile.output_dir, compiled.key, files));
    } else if (store != nullptr) {
      TERN_ASSIGN_OR_RETURN(compiled.entry, store->put(compiled.key, files));
    }
    if (compiled.entry.engine.empty()) {
      TERN_ASSIGN_OR_RETURN(GatedEngine gated, gate_bytes(files.engine, files.manifest, files.golden, files.signature,
                                                          gate_options(&compiled.key, engine_stem(model))));
      gated.owner = std::move(owner);
      return Ready{std::move(compiled), std::move(gated)};
    }
    // What is served is what was stored: it goes through the same gate as on every later day.
    TERN_ASSIGN_OR_RETURN(GatedEngine gated,
                          gate_files(compiled.entry, gate_options(&compiled.key, engine_stem(model))));
    return Ready{std::move(compiled), std::move(gated)};
  }

  Result<std::shared_ptr<LoadedEngine>> load(Backend& backend, const GatedEngine& gated, const EngineEntry& entry,
                                             const EngineOptions& engine_options) {
    EngineOptions with_logger = engine_options;
    with_logger.load.logger = options.logger;
    const HostFacts host = backend.host_facts_on(with_logger.load.device);
    auto loaded = load_engine(load_site(host, with_logger.load), host, backend, gated, with_logger);
    if (loaded.ok() || loaded.status().code() != StatusCode::kGoldenCheckError || entry.engine.empty()) return loaded;
    return quarantine(gated, entry, loaded.status());
  }

  /// Puts a stored engine that failed its golden check out of the way; files elsewhere are the user's and stay.
  Status quarantine(const GatedEngine& gated, const EngineEntry& entry, const Status& why) {
    if (store == nullptr) return why;
    const auto stored = store->find(gated.manifest.key);
    if (!stored.ok() || !*stored || (*stored)->engine != entry.engine) return why;
    const Status moved = store->quarantine(entry, why);
    return why.with_hint(moved.ok() ? "the engine was put into quarantine; the next run builds it anew"
                                    : "the engine could not be put into quarantine: " + moved.to_string());
  }

  Handle keep(Slot slot) {
    const std::unique_lock lock(mutex);
    Handle handle;
    handle.runtime_ = id;
    handle.id_ = next_handle++;
    slots.emplace(handle.id_, std::move(slot));
    return handle;
  }

  Result<Slot> slot_of(Handle handle) const {
    if (handle.runtime_ != id) {
      return Status(StatusCode::kInputError,
                    handle.runtime_ == 0 ? "the handle names no engine" : "the handle belongs to another runtime");
    }
    const std::shared_lock lock(mutex);
    const auto slot = slots.find(handle.id_);
    if (slot == slots.end()) return Status(StatusCode::kInputError, "the engine of this handle was released");
    return slot->second;
  }

  /// A backend, and its engine where that is there already.
  struct Chosen {
    std::shared_ptr<Backend> backend;
    std::optional<Ready> ready{};
  };

  /// Where `auto` decides, it says what it took, and aloud what is installed and cannot run: a GPU that is silently not used is a fault
  /// that nobody finds. Among CPU backends it takes the one that serves this model fastest.
  Result<Chosen> choose(const std::string& asked, const Model& model, const BuildConfig& config,
                        const CompileOptions& compile, const CalibrationChoice& calibration, bool may_measure = true) {
    TERN_ASSIGN_OR_RETURN(std::shared_ptr<Backend> preferred, registry().find(asked));
    if (asked != "auto" || !may_measure) return Chosen{std::move(preferred)};
    TERN_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates, candidates_of(model, config, compile, calibration));
    std::call_once(auto_once, [&] { say_preferred(*preferred, candidates.size() < 2); });
    if (candidates.size() < 2) return Chosen{std::move(preferred)};
    const std::vector<EngineKey> keys = keys_of(candidates);
    const ChoiceMemory memory(options.config.state_path);
    if (const auto known = memory.recall(keys); known) {
      if (std::shared_ptr<Backend> backend = chosen_of(candidates, *known); backend != nullptr) {
        options.logger->log(
            LogLevel::kInfo, "runtime",
            fmt::format("{}: backend auto is {} (measured {})", model.stem(), known->to_string(), known->measured_at));
        return Chosen{std::move(backend)};
      }
    }
    if (!compile.allow_build) return Chosen{stored_of(candidates, store.get())};
    return measure(candidates, model, config, compile, calibration, memory);
  }

  /// What `auto` has to choose from for this model; fewer than two where there is nothing to measure. Each backend has taken the better
  /// of f32 and a trusted calibration's i8 by then.
  Result<std::vector<Candidate>> candidates_of(const Model& model, const BuildConfig& config,
                                               const CompileOptions& compile, const CalibrationChoice& calibration) {
    std::vector<Candidate> candidates;
    for (const std::shared_ptr<Backend>& backend : backends_to_measure(registry())) {
      TERN_ASSIGN_OR_RETURN(EngineKey key, key_of(model, config, compile, *backend, calibration));
      candidates.push_back({backend, std::move(key)});
    }
    return candidates;
  }

  Result<Chosen> measure(const std::vector<Candidate>& candidates, const Model& model, const BuildConfig& config,
                         const CompileOptions& compile, const CalibrationChoice& calibration,
                         const ChoiceMemory& memory) {
    CompileOptions trial = compile;
    trial.output_dir.clear();
    std::map<std::string, Ready, std::less<>> built;
    const auto build_and_load = [&](const Candidate& candidate) -> Result<Trial> {
      trial.progress = part_of(compile.progress, built.size(), candidates.size());
      TERN_ASSIGN_OR_RETURN(Ready ready, find_or_build(*candidate.backend, model, config, trial, calibration));
      EngineOptions engine_options;
      engine_options.load = {.threads = config.threads, .hint = config.hint};
      TERN_ASSIGN_OR_RETURN(std::shared_ptr<LoadedEngine> loaded,
                            load(*candidate.backend, ready.gated, ready.compiled.entry, engine_options));
      Trial result{loaded->engine, ready.gated.golden, loaded};
      built.emplace(candidate.backend->name(), std::move(ready));
      return result;
    };
    const auto attempt = [&](const Candidate& candidate) {
      auto result = build_and_load(candidate);
      // A precision that a backend does not have was never promised; anything else is a fault.
      const bool is_expected = result.ok() || result.status().code() == StatusCode::kConfigError;
      if (!result.ok())
        options.logger->log(is_expected ? LogLevel::kInfo : LogLevel::kWarning, "runtime",
                            fmt::format("{}: {} cannot serve: {}", model.stem(), candidate.backend->name(),
                                        result.status().to_string()));
      return result;
    };
    TERN_ASSIGN_OR_RETURN(const BackendChoice choice, measure_candidates(candidates, attempt, compile.stop));
    options.logger->log(LogLevel::kInfo, "runtime",
                        fmt::format("{}: backend auto is {}", model.stem(), choice.to_string()));
    if (const Status kept = memory.remember(keys_of(candidates), choice); !kept.ok())
      options.logger->log(LogLevel::kWarning, "runtime", "the choice is not remembered: " + kept.to_string());
    Chosen chosen{chosen_of(candidates, choice)};
    Ready& ready = built.at(choice.candidates.front().backend);
    TERN_ASSIGN_OR_RETURN(chosen.ready, note_choice(std::move(ready), choice, compile, model));
    if (compile.progress) compile.progress("done", 1.0);
    return chosen;
  }

  /// Writes the choice into the engine's manifest.
  Result<std::optional<Ready>> note_choice(Ready ready, const BackendChoice& choice, const CompileOptions& compile,
                                           const Model& model) {
    EngineManifest manifest = ready.gated.manifest;
    manifest.choice = choice;
    TERN_ASSIGN_OR_RETURN(const EngineFiles files, pack_engine(std::move(manifest), ready.gated.bytes,
                                                               ready.gated.golden, sign_key ? &*sign_key : nullptr));
    std::unique_ptr<EngineStore::Lock> lock;
    if (store != nullptr && compile.output_dir.empty()) {
      TERN_ASSIGN_OR_RETURN(lock, store->lock(ready.compiled.key, {.stop = compile.stop}));
    }
    TERN_ASSIGN_OR_RETURN(Ready noted, keep_files(ready.compiled, files, ready.gated.owner, compile, model));
    return std::optional<Ready>(std::move(noted));
  }

  void say_preferred(const Backend& preferred, bool is_taken) {
    std::set<std::string> usable;
    std::map<std::string, std::string> unusable;
    for (const BackendRegistry::Entry& entry : registry().entries()) {
      if (entry.backend == nullptr) continue;
      if (entry.score.score > 0) usable.insert(entry.name);
      if (entry.score.score <= 0) unusable.emplace(entry.name, entry.score.reason);
    }
    std::string passed_over;
    for (const auto& [name, reason] : unusable) {
      if (!usable.contains(name)) passed_over += fmt::format("; {} cannot run here: {}", name, reason);
    }
    if (!is_taken && passed_over.empty()) return;
    const std::string choice = is_taken ? fmt::format("is {} ({})", preferred.name(), preferred.score().reason)
                                        : std::string("measures the CPU backends");
    const bool is_fine = passed_over.empty() || runs_on_gpu(preferred);
    options.logger->log(is_fine ? LogLevel::kInfo : LogLevel::kWarning, "runtime",
                        fmt::format("backend auto {}{}", choice, passed_over));
  }

  Result<std::shared_ptr<Backend>> backend_of(const EngineManifest& manifest) {
    return registry().find(manifest.backend, manifest.backend_version);
  }

  /// Backends to try, in order: the one asked for, then, where the policy allows, the others by score.
  Result<std::vector<Chosen>> backends_to_try(const Slot::Source& source, const CompileOptions& compile,
                                              const CalibrationChoice& calibration) {
    std::vector<Chosen> list;
    // After a fault there is no time to measure.
    const bool may_measure = source.failed.empty();
    auto first = choose(compile.backend, source.model, source.config, compile, calibration, may_measure);
    const bool may_change = options.config.fallback_policy != FallbackPolicy::kNever;
    if (!first.ok() && (!may_change || !may_fall_back(first.status().code()))) return first.status();
    const auto is_listed = [&](std::string_view name) {
      return source.failed.contains(std::string(name)) || (!list.empty() && list.front().backend->name() == name);
    };
    if (first.ok() && !is_listed(first->backend->name())) list.push_back(std::move(*first));
    if (may_change) {
      std::vector<const BackendRegistry::Entry*> others;
      for (const BackendRegistry::Entry& entry : registry().entries()) {
        if (entry.backend != nullptr && entry.score.score > 0 && !is_listed(entry.name)) others.push_back(&entry);
      }
      std::ranges::stable_sort(others, std::greater<>(), [](const auto* entry) { return entry->score.score; });
      for (const auto* entry : others)
        list.push_back({entry->backend});
    }
    if (list.empty())
      return first.ok() ? Status(StatusCode::kBackendError, "no backend is left to fall back to") : first.status();
    return list;
  }

  /// Opens a model on the first backend that can serve it. Each failure that leads to another backend is a warning.
  Result<std::shared_ptr<LoadedEngine>> open(Slot::Source& source) {
    CompileOptions compile = source.compile;
    compile.contract = source.contract ? &*source.contract : nullptr;
    TERN_ASSIGN_OR_RETURN(const CalibrationChoice calibration, calibration_of(source.model, source.config, compile));
    TERN_ASSIGN_OR_RETURN(std::vector<Chosen> list, backends_to_try(source, compile, calibration));
    Status last;
    for (Chosen& chosen : list) {
      const std::shared_ptr<Backend>& backend = chosen.backend;
      if (!last.ok()) {
        options.logger->log(
            LogLevel::kWarning, "runtime",
            fmt::format("{}: falling back to {}: {}", source.model.stem(), backend->name(), last.to_string()));
      }
      auto ready = chosen.ready ? Result<Ready>(std::move(*chosen.ready))
                                : find_or_build(*backend, source.model, source.config, compile, calibration);
      auto loaded = ready.ok() ? load(*backend, ready->gated, ready->compiled.entry, source.options)
                               : Result<std::shared_ptr<LoadedEngine>>(ready.status());
      if (loaded.ok()) return loaded;
      last = loaded.status();
      if (!may_fall_back(last.code())) return last;
      source.failed.insert(std::string(backend->name()));
    }
    return last;
  }

  RuntimeOptions options;
  std::shared_ptr<EngineStore> store;  ///< null: none
  std::optional<TrustStore> trust;
  std::optional<SigningKey> sign_key;
  mutable MemoryLedger host_ledger;
  mutable std::mutex ledgers_mutex;
  mutable std::map<int, MemoryLedger> gpu_ledgers;  ///< by the GPU's index
  const std::uint64_t id = next_runtime_id();
  mutable std::shared_mutex mutex;
  std::map<std::uint64_t, Slot> slots;
  std::uint64_t next_handle = 1;

 private:
  std::once_flag registry_once, auto_once;
  BackendRegistry registry_;
};

InferenceRuntime::InferenceRuntime(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
InferenceRuntime::InferenceRuntime(InferenceRuntime&&) noexcept = default;
InferenceRuntime& InferenceRuntime::operator=(InferenceRuntime&&) noexcept = default;
InferenceRuntime::~InferenceRuntime() = default;

Result<InferenceRuntime> InferenceRuntime::create(RuntimeOptions options) {
  TERN_ASSIGN_OR_RETURN(MemoryLedger host, MemoryLedger::create(options.config.host_memory_budget_bytes,
                                                                options.config.engine_memory_limit_bytes));
  TERN_ASSIGN_OR_RETURN(MemoryLedger gpu, MemoryLedger::create(options.config.gpu_memory_budget_bytes,
                                                               options.config.engine_memory_limit_bytes));
  if (!options.thermal) options.thermal = default_thermal_publisher();
  auto impl = std::make_shared<Impl>(std::move(options), std::move(host), std::move(gpu));
  const RuntimeConfig& config = impl->options.config;
  if (!config.trust_keys.empty()) {
    TERN_ASSIGN_OR_RETURN(impl->trust, TrustStore::from_path(config.trust_keys));
  }
  if (!config.sign_key.empty()) {
    TERN_ASSIGN_OR_RETURN(impl->sign_key, SigningKey::from_file(config.sign_key));
  }
  if (impl->options.use_store) {
    impl->store = impl->options.store != nullptr ? impl->options.store
                                                 : std::make_shared<DirectoryStore>(
                                                       config.store_path, config.store_max_bytes, impl->options.logger);
  }
  return InferenceRuntime(std::move(impl));
}

Result<CompiledEngine> InferenceRuntime::compile_engine(const Model& model, const BuildConfig& config,
                                                        const CompileOptions& options) {
  if (impl_->store == nullptr && options.output_dir.empty())
    return Status(StatusCode::kConfigError, "without a store, compile_engine needs an output folder");
  TERN_ASSIGN_OR_RETURN(const CalibrationChoice calibration, impl_->calibration_of(model, config, options));
  TERN_ASSIGN_OR_RETURN(Impl::Chosen chosen, impl_->choose(options.backend, model, config, options, calibration));
  if (!chosen.ready) {
    TERN_ASSIGN_OR_RETURN(chosen.ready, impl_->find_or_build(*chosen.backend, model, config, options, calibration));
  }
  return std::move(chosen.ready->compiled);
}

Result<InferenceRuntime::Handle> InferenceRuntime::deserialize_engine(const EngineEntry& entry,
                                                                      const EngineOptions& options) {
  TERN_ASSIGN_OR_RETURN(const GatedEngine gated, gate_files(entry, impl_->gate_options(nullptr, options.stem)));
  TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Backend> backend, impl_->backend_of(gated.manifest));
  TERN_ASSIGN_OR_RETURN(std::shared_ptr<LoadedEngine> loaded, impl_->load(*backend, gated, entry, options));
  return impl_->keep({.loaded = std::move(loaded)});
}

Result<InferenceRuntime::Handle> InferenceRuntime::deserialize_engine(std::span<const std::byte> engine,
                                                                      std::string_view manifest,
                                                                      std::string_view golden,
                                                                      std::string_view signature,
                                                                      const EngineOptions& options) {
  TERN_ASSIGN_OR_RETURN(const GatedEngine gated,
                        gate_bytes(engine, manifest, golden, signature, impl_->gate_options(nullptr, options.stem)));
  TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Backend> backend, impl_->backend_of(gated.manifest));
  TERN_ASSIGN_OR_RETURN(std::shared_ptr<LoadedEngine> loaded, impl_->load(*backend, gated, {}, options));
  return impl_->keep({.loaded = std::move(loaded)});
}

Result<InferenceRuntime::Handle> InferenceRuntime::open(const Model& model, const BuildConfig& config,
                                                        const CompileOptions& compile, const EngineOptions& options) {
  auto source = std::make_shared<Slot::Source>(
      Slot::Source{model,
                   compile.contract != nullptr ? std::optional(*compile.contract) : std::nullopt,
                   config,
                   compile,
                   options,
                   {}});
  source->options.load.device = config.device;
  TERN_ASSIGN_OR_RETURN(std::shared_ptr<LoadedEngine> loaded, impl_->open(*source));
  source->compile.golden.clear();  // the caller's pixels may be gone by the time of a fault
  source->compile.progress = {};
  source->compile.stop = {};
  return impl_->keep({.loaded = std::move(loaded), .source = std::move(source)});
}

Status InferenceRuntime::infer(Handle handle, std::span<const TensorView> inputs, std::vector<Tensor>& outputs,
                               const WaitOptions& wait) {
  TERN_ASSIGN_OR_RETURN(const Slot slot, impl_->slot_of(handle));
  const Status status = run_engine(*slot.loaded, inputs, outputs, wait);
  if (status.code() != StatusCode::kInferenceError) return status;
  TERN_RETURN_IF_ERROR(fall_back(handle, status));
  TERN_ASSIGN_OR_RETURN(const Slot again, impl_->slot_of(handle));
  return run_engine(*again.loaded, inputs, outputs, wait);
}

Status InferenceRuntime::fall_back(Handle handle, const Status& why) {
  if (impl_->options.config.fallback_policy != FallbackPolicy::kOnFault) return why;
  TERN_ASSIGN_OR_RETURN(const Slot before, impl_->slot_of(handle));
  if (before.source == nullptr) return why;
  const std::scoped_lock one_at_a_time(*before.falling_back);
  TERN_ASSIGN_OR_RETURN(const Slot now, impl_->slot_of(handle));
  if (now.loaded != before.loaded) return {};  // another thread has done it
  Slot::Source& source = *now.source;
  source.failed.insert(now.loaded->label);
  source.compile.backend = "auto";
  impl_->options.logger->log(LogLevel::kWarning, "runtime",
                             fmt::format("{}: {} failed, looking for another backend: {}", source.model.stem(),
                                         now.loaded->label, why.to_string()));
  auto loaded = impl_->open(source);
  if (!loaded.ok()) return why;
  const std::unique_lock lock(impl_->mutex);
  const auto slot = impl_->slots.find(handle.id_);
  if (slot == impl_->slots.end()) return Status(StatusCode::kInputError, "the engine of this handle was released");
  slot->second.loaded = std::move(*loaded);
  return {};
}

void InferenceRuntime::release_engine(Handle handle) noexcept {
  if (handle.runtime_ != impl_->id) return;
  std::shared_ptr<LoadedEngine> released;
  {
    const std::unique_lock lock(impl_->mutex);
    const auto slot = impl_->slots.find(handle.id_);
    if (slot == impl_->slots.end()) return;
    released = std::move(slot->second.loaded);
    impl_->slots.erase(slot);
  }
  released->contexts->drain();
}

Result<std::shared_ptr<Engine>> InferenceRuntime::engine(Handle handle) const {
  TERN_ASSIGN_OR_RETURN(const Slot slot, impl_->slot_of(handle));
  return slot.loaded->engine;
}

Result<EngineManifest> InferenceRuntime::manifest(Handle handle) const {
  TERN_ASSIGN_OR_RETURN(const Slot slot, impl_->slot_of(handle));
  return slot.loaded->manifest;
}

std::string InferenceRuntime::label(Handle handle) const {
  const auto slot = impl_->slot_of(handle);
  return slot.ok() ? slot->loaded->label : std::string();
}

Result<EngineKey> InferenceRuntime::key_of(const Model& model, const BuildConfig& config,
                                           const CompileOptions& options) const {
  TERN_ASSIGN_OR_RETURN(std::shared_ptr<Backend> backend, impl_->registry().find(options.backend));
  TERN_ASSIGN_OR_RETURN(const CalibrationChoice calibration, impl_->calibration_of(model, config, options));
  if (options.backend == "auto") {
    TERN_ASSIGN_OR_RETURN(const auto candidates, impl_->candidates_of(model, config, options, calibration));
    const auto known = ChoiceMemory(impl_->options.config.state_path).recall(keys_of(candidates));
    const std::shared_ptr<Backend> chosen = known ? chosen_of(candidates, *known) : nullptr;
    if (chosen != nullptr) backend = chosen;
  }
  return Impl::key_of(model, config, options, *backend, calibration);
}

Result<std::optional<BackendChoice>> InferenceRuntime::choice_of(const Model& model, const BuildConfig& config,
                                                                 const CompileOptions& options) const {
  TERN_ASSIGN_OR_RETURN(const CalibrationChoice calibration, impl_->calibration_of(model, config, options));
  TERN_ASSIGN_OR_RETURN(const auto candidates, impl_->candidates_of(model, config, options, calibration));
  if (candidates.size() < 2) return std::optional<BackendChoice>();
  return ChoiceMemory(impl_->options.config.state_path).recall(keys_of(candidates));
}

std::uint64_t InferenceRuntime::resident_bytes() const {
  return impl_->resident_bytes();
}

const MemoryLedger& InferenceRuntime::ledger(DeviceKind kind, int index) const {
  return impl_->ledger(kind, index);
}

ThermalState InferenceRuntime::thermal_state() const {
  return impl_->options.thermal();
}

EngineStore* InferenceRuntime::store() const noexcept {
  return impl_->store.get();
}

const RuntimeConfig& InferenceRuntime::config() const noexcept {
  return impl_->options.config;
}

}  // namespace tern
