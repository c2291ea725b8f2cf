// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tern/config.h"
#include "tern/contract.h"
#include "tern/engine.h"
#include "tern/gate.h"
#include "tern/golden.h"
#include "tern/log.h"
#include "tern/manifest.h"
#include "tern/memory_ledger.h"
#include "tern/model.h"
#include "tern/signature.h"
#include "tern/status.h"
#include "tern/store.h"
#include "tern/thermal.h"

namespace tern {

/// What a runtime is made of. The defaults are the real parts; an application may bring its own.
struct RuntimeOptions {
  RuntimeConfig config;
  std::shared_ptr<Logger> logger = null_logger();
  std::shared_ptr<EngineStore> store{};  ///< null: a DirectoryStore at config.store_path
  bool use_store =
      true;  ///< false: nothing is looked up or kept: open() builds in memory, compile_engine() needs output_dir
  std::function<BackendRegistry()> backends{};  ///< empty: BackendRegistry::load; called once, when first needed
  ThermalPublisher thermal{};                   ///< empty: default_thermal_publisher()
};

/// How one model is compiled.
struct CompileOptions {
  /// "auto" or a backend's name. "auto" is the GPU backend of the highest score where one can run. Where several CPU backends can, it
  /// builds the model on each, times them on the golden frames, and takes the fastest; the choice is remembered in the state folder.
  std::string backend = "auto";
  /// Golden results are decoded by it, and it goes into the key, but for what may be chosen for each run (thresholds, NMS,
  /// number of results, size of masks).
  const Contract* contract = nullptr;
  std::vector<GoldenImage> golden{};   ///< the user's frames; none: seeded noise
  bool allow_build = true;             ///< false: EngineGateError where the store has no engine
  std::filesystem::path output_dir{};  ///< not empty: write the flat name there, not into the store
  Progress progress{};
  std::stop_token stop{};
};

/// How an engine is loaded.
struct EngineOptions {
  LoadOptions
      load{};  ///< its logger and allow_host_code are the runtime's to set; open() takes the device of the BuildConfig
  /// Inferences that infer() may run at the same time; the others wait. 0: none, for applications that create contexts of
  /// their own (the memory of one is booked).
  int contexts = 1;
  std::optional<GoldenPolicy> golden{};  ///< none: the configuration's
  std::string stem{};                    ///< not empty: the engine must be of this model
};

/// `config` with the profile that tasks use for the contract's input, where that input has open dimensions and `config` no
/// profile for it: batch 1 to max_batch (0 counts as 1), the contract's size. What Detector::open() builds, and so what an
/// engine must be built with beforehand for Detector::open() to find it.
[[nodiscard]] TERN_API BuildConfig with_task_profile(BuildConfig config, const Model& model, const Contract& contract);

/// A compiled model in the store (or in output_dir).
struct CompiledEngine {
  EngineEntry entry;
  EngineKey key;
  std::string backend;
  bool was_hit = false;  ///< it was there already
};

/// Compiles models, keeps the engines, proves them, and runs them. Thread-safe; movable. Engines die with the runtime, but for
/// those whose Engine or context the application still holds.
class TERN_API InferenceRuntime {
 public:
  /// A loaded engine of one runtime. Copies name the same engine; the default one names none.
  class Handle {
   public:
    Handle() noexcept = default;
    bool operator==(const Handle&) const = default;

   private:
    friend class InferenceRuntime;
    std::uint64_t runtime_ = 0, id_ = 0;
  };

  [[nodiscard]] static Result<InferenceRuntime> create(RuntimeOptions options);
  InferenceRuntime(InferenceRuntime&&) noexcept;
  InferenceRuntime& operator=(InferenceRuntime&&) noexcept;
  ~InferenceRuntime();

  /// The engine of `model` under `config`: found in the store, else built, proven against golden frames, and stored. One process
  /// builds a key at a time; the others wait for it. An entry that gate A refuses is quarantined and built anew.
  [[nodiscard]] Result<CompiledEngine> compile_engine(const Model& model, const BuildConfig& config,
                                                      const CompileOptions& options = {});

  /// Gate A, gate B, budget, load, golden check. On a failure every byte is given back.
  [[nodiscard]] Result<Handle> deserialize_engine(const EngineEntry& entry, const EngineOptions& options = {});
  /// The same for an engine in memory that the caller keeps alive and unchanged until it is released.
  [[nodiscard]] Result<Handle> deserialize_engine(std::span<const std::byte> engine, std::string_view manifest,
                                                  std::string_view golden, std::string_view signature,
                                                  const EngineOptions& options = {});
  /// compile_engine and deserialize_engine, with the configuration's fallback policy. A fallback is logged as a warning, and
  /// the label tells.
  [[nodiscard]] Result<Handle> open(const Model& model, const BuildConfig& config, const CompileOptions& compile = {},
                                    const EngineOptions& options = {});

  /// Runs one inference: `inputs` in the engine's order; outputs are written to the caller's tensors. Any number of threads may
  /// call. InferenceError with the backend's message and its captured log lines; InputError on a handle that was released or
  /// belongs to another runtime.
  [[nodiscard]] Status infer(Handle handle, std::span<const TensorView> inputs, std::vector<Tensor>& outputs,
                             const WaitOptions& wait = {});
  /// Moves an engine that was opened from a model to the next backend that can run it, under the same handle, as the
  /// policy on_fault does; `why` is what the present one said. It is returned, unchanged, where the policy is another or no
  /// backend is left.
  [[nodiscard]] Status fall_back(Handle handle, const Status& why);
  /// Waits for running inferences. Twice, or of a foreign handle: nothing happens.
  void release_engine(Handle handle) noexcept;

  /// The engine behind a handle, for contexts of one's own. InputError as infer().
  [[nodiscard]] Result<std::shared_ptr<Engine>> engine(Handle handle) const;
  [[nodiscard]] Result<EngineManifest> manifest(Handle handle) const;
  /// Label of the backend that runs it; "" for a handle that names no engine.
  [[nodiscard]] std::string label(Handle handle) const;

  /// The key that a model and config have here: of the backend asked for; of `auto`, the one that it has measured to be the fastest, or
  /// would prefer where it has not measured yet. Loads the backends, compiles nothing.
  [[nodiscard]] Result<EngineKey> key_of(const Model& model, const BuildConfig& config,
                                         const CompileOptions& options) const;
  /// What `auto` has measured for a model and config; none where it has not, or where there is nothing to choose from.
  [[nodiscard]] Result<std::optional<BackendChoice>> choice_of(const Model& model, const BuildConfig& config,
                                                               const CompileOptions& options) const;
  /// Bytes booked for all engines, on the host and on GPUs.
  [[nodiscard]] std::uint64_t resident_bytes() const;
  /// kCpu: engines that run on the host, host_memory_budget_bytes; kCuda: those on GPU `index`, gpu_memory_budget_bytes for
  /// each.
  [[nodiscard]] const MemoryLedger& ledger(DeviceKind kind = DeviceKind::kCpu, int index = 0) const;
  [[nodiscard]] ThermalState thermal_state() const;
  /// Null without a store.
  [[nodiscard]] EngineStore* store() const noexcept;
  [[nodiscard]] const RuntimeConfig& config() const noexcept;

  class Impl;

 private:
  explicit InferenceRuntime(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tern
