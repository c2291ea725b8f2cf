// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/loaded_engine.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "runtime/proof_memory.h"

namespace tern {
namespace {

/// Golden check by the policy. `first_load` looks into the state folder; a folder that cannot be written costs a check at every
/// load, nothing else.
Status prove(const LoadSite& site, LoadedEngine& loaded, const GatedEngine& gated, const HostFacts& host,
             GoldenPolicy policy) {
  if (policy == GoldenPolicy::kNever) return {};
  const ProofMemory memory(site.config.state_path);
  if (policy == GoldenPolicy::kFirstLoad && memory.knows(gated.manifest, host)) return {};
  if (gated.golden.empty()) {
    loaded.log->log(LogLevel::kWarning, "runtime",
                    fmt::format("{} has no golden frames: it was not checked", gated.manifest.name));
    return {};
  }
  TERN_ASSIGN_OR_RETURN(const GoldenSet golden, GoldenSet::from_bytes(gated.golden, gated.manifest.name + ".golden"));
  std::optional<Contract> contract;
  if (!gated.manifest.contract.empty()) {
    TERN_ASSIGN_OR_RETURN(contract, Contract::from_json(gated.manifest.contract, gated.manifest.name + ".json"));
  }
  TERN_RETURN_IF_ERROR(check_golden(*loaded.engine, golden, contract ? &*contract : nullptr,
                                    GoldenTolerance::of(gated.manifest.precision))
                           .at(gated.manifest.name));
  if (policy == GoldenPolicy::kFirstLoad) {
    const Status remembered = memory.remember(gated.manifest, host);
    if (!remembered.ok()) loaded.log->log(LogLevel::kWarning, "runtime", remembered.to_string());
  }
  return {};
}

/// A backend's failure with what it logged meanwhile.
Status with_log(const Status& status, const LogRing& log) {
  const std::string lines = log.text();
  if (status.ok() || lines.empty()) return status;
  return status.with_cause(status.cause().empty() ? lines : status.cause() + "\n" + lines);
}

Status collect(ExecutionContext& context, std::size_t count, std::vector<Tensor>& outputs) {
  outputs.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    TERN_ASSIGN_OR_RETURN(const TensorView found, context.output(i));
    Tensor& wanted = outputs[i];
    if (!wanted.view().empty() && wanted.dtype() == found.dtype() && wanted.shape() == found.shape()) {
      std::memcpy(wanted.view().data(), found.data(), found.bytes());
    } else {
      TERN_ASSIGN_OR_RETURN(wanted, Tensor::copy_of(found));
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<LoadedEngine>> load_engine(const LoadSite& site, const HostFacts& host, Backend& backend,
                                                  const GatedEngine& gated, const EngineOptions& options) {
  if (options.contexts < 0)
    return make_error(StatusCode::kConfigError, "contexts is {}; it must be 0 or more", options.contexts);
  const EngineManifest& manifest = gated.manifest;
  TERN_RETURN_IF_ERROR(gate_fit(manifest, backend.name(), host));

  auto loaded = std::make_shared<LoadedEngine>();
  const std::uint64_t predicted = MemoryLedger::predict(manifest.size, manifest.opt_buffer_bytes, options.contexts);
  TERN_ASSIGN_OR_RETURN(loaded->booking, site.ledger.book(manifest.name, predicted));
  loaded->manifest = manifest;
  loaded->label = backend.name();
  loaded->log = std::make_shared<LogRing>(options.load.logger);
  LoadOptions load = options.load;
  load.logger = loaded->log;
  load.allow_host_code = gated.is_signed;
  auto engine = backend.load(gated.blob(), load);
  if (!engine.ok()) return with_log(engine.status(), *loaded->log).at(manifest.name);
  loaded->engine = std::move(*engine);
  auto contexts = ContextPool::create(*loaded->engine, options.contexts);
  if (!contexts.ok()) return with_log(contexts.status(), *loaded->log).at(manifest.name);
  loaded->contexts = std::move(*contexts);
  TERN_RETURN_IF_ERROR(prove(site, *loaded, gated, host, options.golden.value_or(site.config.golden_policy)));
  const EngineMemory memory = loaded->engine->memory();
  const std::uint64_t measured =
      memory.engine_bytes + memory.context_bytes * static_cast<std::uint64_t>(std::max(1, options.contexts));
  loaded->booking.settle(std::max(predicted, measured));
  loaded->log->clear();
  return loaded;
}

Status run_engine(LoadedEngine& loaded, std::span<const TensorView> inputs, std::vector<Tensor>& outputs,
                  const WaitOptions& wait) {
  const std::size_t wanted = loaded.engine->inputs().size();
  if (inputs.size() != wanted)
    return make_error(StatusCode::kInputError, "{} inputs were given; the engine takes {}", inputs.size(), wanted)
        .at(loaded.manifest.name);
  if (loaded.contexts->size() == 0)
    return Status(StatusCode::kInputError, "the engine was loaded without contexts").at(loaded.manifest.name);
  TERN_ASSIGN_OR_RETURN(const ContextPool::Lease context, loaded.contexts->acquire(wait));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    TERN_RETURN_IF_ERROR(context->bind_input(i, inputs[i]));
  const Status ran = context->infer(wait);
  if (ran.code() == StatusCode::kInferenceError) return with_log(ran, *loaded.log).at(loaded.manifest.name);
  TERN_RETURN_IF_ERROR(ran);
  return collect(*context, loaded.engine->outputs().size(), outputs);
}

}  // namespace tern
