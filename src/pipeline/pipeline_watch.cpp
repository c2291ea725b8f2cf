// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "base/interruptible_sleep.h"
#include "pipeline/guarded.h"
#include "pipeline/pipeline_impl.h"

namespace tern {
namespace {

constexpr std::uint64_t kFailuresUntilReload = 3;
constexpr Nanoseconds kFirstRetry = std::chrono::seconds(1), kLongestRetry = std::chrono::seconds(30);

}  // namespace

void Pipeline::Impl::run_watch(const std::stop_token& stop) {
  InterruptibleSleep sleep;
  do {
    watch_temperature();
    watch_models();
  } while (sleep.lasting(options_.thermal_interval, stop));
}

void Pipeline::Impl::apply_step() {
  apply_thermal_step(*governor_, spec_, *scheduler_);
  for (std::size_t i = 0; i < models_.size(); ++i)
    models_[i]->is_enabled = governor_->is_running(spec_.models[i].name, spec_.models[i].is_standby);
}

void Pipeline::Impl::watch_temperature() {
  const auto read = guarded([&]() -> Result<ThermalState> { return options_.thermal(); });
  ThermalState state;
  if (read.ok()) {
    state = *read;
  } else {
    state.reasons = {read.status().to_string()};
    state.source = "none";
  }
  std::optional<ThermalGovernor::Change> change;
  {
    const Lock lock(mutex_);
    change = governor_->observe(state, now());
    thermal_ = std::move(state);
    if (change) {
      thermal_reason_ = change->reason;
      apply_step();
    }
  }
  if (!change) return;
  log(change->to > change->from ? LogLevel::kWarning : LogLevel::kInfo,
      change->to == change->from ? fmt::format("temperature: {}", change->reason)
                                 : fmt::format("thermal step {} to {}: {}", change->from, change->to, change->reason));
}

bool Pipeline::Impl::gives_up(std::size_t index) {
  if (options_.give_up_after <= Nanoseconds(0)) return false;
  {
    const Lock lock(mutex_);
    const ModelRunner& model = *models_[index];
    if (model.failures_in_a_row < kFailuresUntilReload || now() - model.failing_since < options_.give_up_after)
      return false;
    if (given_up_.ok()) given_up_ = model.failure.at(fmt::format("model '{}'", spec_.models[index].name));
  }
  drain();
  return true;
}

/// A model that failed several times in a row is opened anew, from the engine in the store; longer and longer apart while that does not
/// help.
void Pipeline::Impl::watch_models() {
  for (std::size_t i = 0; i < models_.size(); ++i) {
    ModelRunner& model = *models_[i];
    if (gives_up(i)) return;
    {
      const Lock lock(mutex_);
      if (model.failures_in_a_row == 0) model.retry_delay = {};
      if (model.failures_in_a_row < kFailuresUntilReload || now() < model.retry_at) continue;
      model.retry_delay =
          model.retry_delay == Nanoseconds(0) ? kFirstRetry : std::min(model.retry_delay * 2, kLongestRetry);
      model.retry_at = now() + model.retry_delay;
    }
    log(LogLevel::kWarning, fmt::format("model {} failed {} times or more in a row and is opened anew",
                                        spec_.models[i].name, kFailuresUntilReload));
    if (const Status status = reload(spec_.models[i].name, false); !status.ok())
      log(LogLevel::kError, fmt::format("model {}: {}", spec_.models[i].name, status.to_string()));
  }
}

}  // namespace tern
