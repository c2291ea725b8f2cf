// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "tern/runtime.h"

namespace tern {

/// What a build needs of the runtime around it.
struct BuildSite {
  const BackendRegistry& registry;
  const RuntimeConfig& config;
  std::shared_ptr<Logger> logger;
  const SigningKey* sign_key;  ///< null: engines are not signed
};

/// An engine that was built and proven, ready to be stored; nothing was written yet.
struct BuiltEngine {
  EngineFiles files;  ///< `engine` points into `owner`
  std::shared_ptr<const void> owner;
};

/// Name of the model in engine names: its stem, or "model-<8 hex digits>" where file names could not carry that.
[[nodiscard]] std::string engine_stem(const Model& model);

/// The part of a contract that an engine depends on: with thresholds and what else the user may choose for each run set to their
/// defaults, so that `--score 0.4` does not build another engine.
[[nodiscard]] Contract engine_contract(const Contract& contract);

/// Compiles `model` with `backend`, makes golden frames with their reference, checks the new engine against them, and packs
/// it with its manifest.
[[nodiscard]] Result<BuiltEngine> build_engine(const BuildSite& site, Backend& backend, const Model& model,
                                               const BuildConfig& config, const CompileOptions& options,
                                               const EngineKey& key);

}  // namespace tern
