// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "tern/pipeline_thermal.h"

namespace tern {
namespace {

constexpr double kColdest = -40, kHottest = 150;  // what sensors of running machines give
constexpr std::size_t kMaxSteps = 16;
constexpr double kMaxRate = 1000;
constexpr Nanoseconds kMaxHold = std::chrono::hours(1);

bool is_temperature(double celsius) noexcept {
  return celsius > kColdest && celsius < kHottest;  // false for NaN
}

Status check_step(const ThermalStep& step, const ThermalStep* above) {
  if (!is_temperature(step.at_c) || !is_temperature(step.back_c))
    return make_error(StatusCode::kConfigError, "{} and {} C must lie within {} and {} C", step.at_c, step.back_c,
                      kColdest, kHottest);
  if (step.back_c >= step.at_c)
    return make_error(StatusCode::kConfigError, "it is left at {} C, which must be below the {} C at which it is taken",
                      step.back_c, step.at_c);
  if (above != nullptr && (step.at_c <= above->at_c || step.back_c < above->back_c))
    return make_error(StatusCode::kConfigError, "it must be hotter than the step before ({} C, left at {} C)",
                      above->at_c, above->back_c);
  if (!(step.max_rate_hz >= 0 && step.max_rate_hz <= kMaxRate))
    return make_error(StatusCode::kConfigError, "its rate is {} Hz, and must be within 0 and {}", step.max_rate_hz,
                      kMaxRate);
  for (const std::string& model : step.on) {
    if (std::ranges::find(step.off, model) != step.off.end())
      return make_error(StatusCode::kConfigError, "model '{}' is both on and off", model);
  }
  return {};
}

}  // namespace

Result<ThermalGovernor> ThermalGovernor::create(ThermalLadder ladder) {
  if (ladder.steps.size() > kMaxSteps)
    return make_error(StatusCode::kConfigError, "a thermal ladder has {} steps, and may have {}", ladder.steps.size(),
                      kMaxSteps);
  if (ladder.hold <= Nanoseconds(0) || ladder.hold > kMaxHold || ladder.settle <= Nanoseconds(0) ||
      ladder.settle > kMaxHold)
    return Status(StatusCode::kConfigError, "a thermal ladder's hold and settle times must be within 0 and 1 h");
  for (std::size_t i = 0; i < ladder.steps.size(); ++i) {
    const ThermalStep* above = i == 0 ? nullptr : &ladder.steps[i - 1];
    if (const Status status = check_step(ladder.steps[i], above); !status.ok())
      return status.at(fmt::format("thermal step {}", i + 1));
  }
  return ThermalGovernor(std::move(ladder));
}

const ThermalStep* ThermalGovernor::current() const noexcept {
  return step_ == 0 ? nullptr : &listed(step_);
}

bool ThermalGovernor::is_running(const std::string& model, bool is_standby) const noexcept {
  if (step_ == 0) return !is_standby;
  const ThermalStep& step = listed(step_);
  const auto names = [&](const std::vector<std::string>& list) { return std::ranges::find(list, model) != list.end(); };
  return names(step.on) || (!is_standby && !names(step.off));
}

Nanoseconds ThermalGovernor::min_interval() const noexcept {
  if (step_ == 0 || listed(step_).max_rate_hz <= 0) return {};
  return Nanoseconds(static_cast<Nanoseconds::rep>(std::min(1e9 / listed(step_).max_rate_hz, 3.6e12)));
}

int ThermalGovernor::deepest_reached(double celsius) const noexcept {
  int deepest = 0;
  for (int step = 1; step <= static_cast<int>(ladder_.steps.size()); ++step) {
    if (celsius >= listed(step).at_c) deepest = step;
  }
  return deepest;
}

std::optional<ThermalGovernor::Change> ThermalGovernor::lose_telemetry(const ThermalState& state) {
  cool_since_.reset();
  throttled_step_at_.reset();
  if (!std::exchange(is_telemetry_available_, false)) return std::nullopt;
  return Change{
      step_, step_,
      fmt::format("no temperature: {}; the governor stays on step {}",
                  state.reasons.empty() ? "the reading is none" : fmt::format("{}", fmt::join(state.reasons, ", ")),
                  step_)};
}

std::optional<ThermalGovernor::Change> ThermalGovernor::go_down(const ThermalState& state, Nanoseconds now) {
  const int from = step_, reached = deepest_reached(state.temperature_c);
  if (reached > step_) {
    step_ = reached;
    cool_since_.reset();
    if (state.throttled) throttled_step_at_ = now;
    return Change{from, step_,
                  fmt::format("{:.1f} C reaches step {} ({} C)", state.temperature_c, step_, listed(step_).at_c)};
  }
  if (!state.throttled) {
    throttled_step_at_.reset();
    return std::nullopt;
  }
  cool_since_.reset();
  const bool is_settled = !throttled_step_at_ || now - *throttled_step_at_ >= ladder_.settle;
  if (!is_settled || step_ == static_cast<int>(ladder_.steps.size())) return std::nullopt;
  ++step_;
  throttled_step_at_ = now;
  return Change{
      from, step_,
      fmt::format("the device slows itself down ({}) at {:.1f} C: step {}",
                  state.reasons.empty() ? "no reason given" : fmt::format("{}", fmt::join(state.reasons, ", ")),
                  state.temperature_c, step_)};
}

std::optional<ThermalGovernor::Change> ThermalGovernor::go_up(const ThermalState& state, Nanoseconds now) {
  if (step_ == 0 || state.throttled || state.temperature_c > listed(step_).back_c) {
    cool_since_.reset();
    return std::nullopt;
  }
  if (!cool_since_) cool_since_ = now;
  if (now - *cool_since_ < ladder_.hold) return std::nullopt;
  const int from = step_--;
  cool_since_ = now;  // the next step needs its own time
  return Change{from, step_,
                fmt::format("{:.1f} C, not above {} C for {:.0f} s: step {}", state.temperature_c, listed(from).back_c,
                            std::chrono::duration<double>(ladder_.hold).count(), step_)};
}

std::optional<ThermalGovernor::Change> ThermalGovernor::observe(const ThermalState& state, Nanoseconds now) {
  if (!state.is_telemetry_available || !is_temperature(state.temperature_c)) return lose_telemetry(state);
  const bool was_lost = !std::exchange(is_telemetry_available_, true);
  if (auto change = go_down(state, now)) return change;
  if (auto change = go_up(state, now)) return change;
  if (was_lost)
    return Change{
        step_, step_,
        fmt::format("temperatures are back: {:.1f} C; the governor is on step {}", state.temperature_c, step_)};
  return std::nullopt;
}

}  // namespace tern
