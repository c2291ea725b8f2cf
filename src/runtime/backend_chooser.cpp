// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/backend_chooser.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "runtime/race.h"
#include "runtime/utc_time.h"

namespace tern {
namespace {

/// Candidates that were built, and the notes about all of them.
struct Field {
  std::vector<Trial> trials;
  std::vector<BackendChoice::Candidate> running, refused;
  Status first_failure;
};

Result<Field> build_all(std::span<const Candidate> candidates, const TryCandidate& attempt,
                        const std::stop_token& stop) {
  Field field;
  for (const Candidate& candidate : candidates) {
    if (stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped while choosing a backend");
    BackendChoice::Candidate note{std::string(candidate.backend->name()), candidate.backend->host_facts().version, {}};
    auto trial = attempt(candidate);
    if (trial.status().code() == StatusCode::kCancelled) return trial.status();
    if (!trial.ok()) {
      if (field.first_failure.ok()) field.first_failure = trial.status();
      note.refused = trial.status().message();
      std::ranges::replace_if(
          note.refused, [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
      constexpr std::size_t kMaxBytes = 500;
      if (note.refused.size() > kMaxBytes) note.refused = "see the log";
      field.refused.push_back(std::move(note));
      continue;
    }
    note.precision = to_string(trial->engine->precision());
    field.running.push_back(std::move(note));
    field.trials.push_back(std::move(*trial));
  }
  return field;
}

}  // namespace

bool runs_on_gpu(const Backend& backend) {
  return EngineName{"x", backend.host_facts().target, false, Precision::kF32}.is_gpu();
}

std::vector<std::shared_ptr<Backend>> backends_to_measure(const BackendRegistry& registry) {
  std::vector<const BackendRegistry::Entry*> usable;
  for (const BackendRegistry::Entry& entry : registry.entries()) {
    if (entry.backend == nullptr || entry.score.score <= 0) continue;
    if (runs_on_gpu(*entry.backend)) return {};
    usable.push_back(&entry);
  }
  std::ranges::stable_sort(usable, std::greater<>(), [](const auto* entry) { return entry->score.score; });
  std::vector<std::shared_ptr<Backend>> backends;
  for (const auto* entry : usable)
    backends.push_back(entry->backend);
  return backends;
}

std::vector<EngineKey> keys_of(std::span<const Candidate> candidates) {
  std::vector<EngineKey> keys;
  for (const Candidate& candidate : candidates)
    keys.push_back(candidate.key);
  return keys;
}

std::shared_ptr<Backend> chosen_of(std::span<const Candidate> candidates, const BackendChoice& choice) {
  for (const Candidate& candidate : candidates) {
    if (candidate.backend->name() == choice.candidates.front().backend) return candidate.backend;
  }
  return nullptr;
}

std::shared_ptr<Backend> stored_of(std::span<const Candidate> candidates, EngineStore* store) {
  for (const Candidate& candidate : candidates) {
    if (store == nullptr) break;
    const auto found = store->find(candidate.key);
    if (found.ok() && *found) return candidate.backend;
  }
  return candidates.front().backend;
}

Progress part_of(const Progress& whole, std::size_t index, std::size_t count) {
  if (!whole) return {};
  constexpr double kBuilding = 0.9;  // the rest is measuring
  const double width = kBuilding / static_cast<double>(count), from = width * static_cast<double>(index);
  return [whole, from, width](std::string_view phase, double fraction) { whole(phase, from + width * fraction); };
}

Result<BackendChoice> measure_candidates(std::span<const Candidate> candidates, const TryCandidate& attempt,
                                         const std::stop_token& stop) {
  TERN_ASSIGN_OR_RETURN(Field field, build_all(candidates, attempt, stop));
  if (field.trials.empty()) return field.first_failure;
  BackendChoice choice;
  choice.measured_at = utc_now();
  const std::string& golden = field.trials.front().golden;
  if (field.trials.size() == 1 || golden.empty()) {
    choice.candidates = std::move(field.running);  // nothing to compare, or nothing to compare with
  } else {
    TERN_ASSIGN_OR_RETURN(const GoldenSet frames, GoldenSet::from_bytes(golden, "golden frames"));
    std::vector<Engine*> engines;
    for (const Trial& trial : field.trials)
      engines.push_back(trial.engine.get());
    TERN_ASSIGN_OR_RETURN(const TurnTimes result, race(engines, frames.frames, stop));
    choice.runs = result.runs;
    std::vector<std::size_t> order(engines.size());
    std::iota(order.begin(), order.end(), 0U);
    const std::size_t first = winner(result.ms);
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return std::pair(i != first, result.ms[i]); });
    for (const std::size_t i : order) {
      field.running[i].ms = result.ms[i];
      choice.candidates.push_back(std::move(field.running[i]));
    }
  }
  for (BackendChoice::Candidate& refused : field.refused)
    choice.candidates.push_back(std::move(refused));
  return choice;
}

}  // namespace tern
