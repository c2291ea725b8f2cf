// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tern/runtime.h"

namespace tern {

/// One way to serve a model that `auto` may take.
struct Candidate {
  std::shared_ptr<Backend> backend;
  EngineKey key;
};

/// Whether the backend's device is a GPU. Its host facts tell; no engine is needed.
[[nodiscard]] bool runs_on_gpu(const Backend& backend);

/// The CPU backends that `auto` chooses from by measurement, the preferred first: those that can run, where no GPU backend can.
[[nodiscard]] std::vector<std::shared_ptr<Backend>> backends_to_measure(const BackendRegistry& registry);

[[nodiscard]] std::vector<EngineKey> keys_of(std::span<const Candidate> candidates);
/// The backend that a choice took; null when it is none of these.
[[nodiscard]] std::shared_ptr<Backend> chosen_of(std::span<const Candidate> candidates, const BackendChoice& choice);
/// Where nothing may be built: the first candidate whose engine is in `store` (may be null), else the first. REQUIRES: there is one.
[[nodiscard]] std::shared_ptr<Backend> stored_of(std::span<const Candidate> candidates, EngineStore* store);

/// A candidate that was built, proven and loaded.
struct Trial {
  std::shared_ptr<Engine> engine;
  std::string golden;            ///< its golden frames; empty: it has none
  std::shared_ptr<void> keeper;  ///< what must live as long as the engine is used
};
using TryCandidate = std::function<Result<Trial>(const Candidate& candidate)>;

/// Progress of the build `index` of `count` (> 0) as a part of all: the whole never falls, and stays below 1.
[[nodiscard]] Progress part_of(const Progress& whole, std::size_t index, std::size_t count);

/// Builds every candidate and times those that pass their golden check on its frames. A candidate that fails is in the result with the
/// reason; when all fail, the first's failure is returned. Where there are no frames to measure with, the first is chosen.
[[nodiscard]] Result<BackendChoice> measure_candidates(std::span<const Candidate> candidates,
                                                       const TryCandidate& attempt, const std::stop_token& stop);

}  // namespace tern
