// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/log_ring.h"
#include "runtime/context_pool.h"
#include "tern/runtime.h"

namespace tern {

/// An engine that passed every check, with the memory booked for it. Members die in the right order: contexts, engine, booking.
struct LoadedEngine {
  MemoryLedger::Booking booking;
  EngineManifest manifest;
  std::string label;
  std::shared_ptr<LogRing> log;
  std::shared_ptr<Engine> engine;
  std::unique_ptr<ContextPool> contexts;
};

/// What loading needs of the runtime around it.
struct LoadSite {
  const RuntimeConfig& config;
  MemoryLedger& ledger;  ///< of the device that the engine is loaded on
};

/// Gate B, budget, load, contexts, golden check, in this order. `gated` passed gate A; `host` is the device that it is loaded on. On a
/// failure every byte is given back.
[[nodiscard]] Result<std::shared_ptr<LoadedEngine>> load_engine(const LoadSite& site, const HostFacts& host,
                                                                Backend& backend, const GatedEngine& gated,
                                                                const EngineOptions& options);

/// One inference on a context of the pool. `outputs` are written in place where they fit, else made anew.
[[nodiscard]] Status run_engine(LoadedEngine& loaded, std::span<const TensorView> inputs, std::vector<Tensor>& outputs,
                                const WaitOptions& wait);

}  // namespace tern
