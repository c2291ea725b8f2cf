// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tern/export.h"
#include "tern/pipeline_latency.h"
#include "tern/status.h"
#include "tern/thermal.h"

namespace tern {

/// One step of a thermal ladder: when it is taken, when it is left, and what holds on it. What it says is all that holds: a step
/// inherits nothing from the one above.
struct ThermalStep {
  double at_c = 0;                 ///< taken at this temperature and above
  double back_c = 0;               ///< left once the device stayed at this temperature or below for ThermalLadder::hold
  double max_rate_hz = 0;          ///< frames a second taken of each source at most; 0: all
  std::vector<std::string> off{};  ///< models that do not run
  std::vector<std::string> on{};   ///< models declared as standby that run here, in place of others
};

/// What a device does as it gets hot. Step 0, the top, is not listed: everything runs. Each further step is hotter than the one
/// before.
struct ThermalLadder {
  std::vector<ThermalStep> steps{};
  Nanoseconds hold = std::chrono::seconds(20);  ///< cool for so long before a step is left upwards; > 0
  /// A device that slows itself down goes one step down, and one more each time this passes while it still does; > 0.
  Nanoseconds settle = std::chrono::seconds(5);
};

/// Walks a ladder by what a ThermalPublisher tells. Down at once, as many steps as the temperature asks for, or one for each
/// `settle` of throttling; up one step at a time, after `hold` below its `back_c` and without throttling. The gap between at_c
/// and back_c keeps it from going to and fro.
///
/// Without telemetry it stays where it is, which is the top at first, and says so once each time telemetry goes or comes back: a
/// device that was hot when its sensor fell silent is not assumed to have cooled.
/// Not thread-safe. Time is passed in and must not decrease.
class TERN_API ThermalGovernor {
 public:
  /// ConfigError, naming the step: temperatures that are not within (-40, 150) or back_c >= at_c, a step that is not hotter than
  /// the one before in both, a rate that is negative or not finite, a model both on and off, more than 16 steps.
  [[nodiscard]] static Result<ThermalGovernor> create(ThermalLadder ladder);

  struct Change {
    int from = 0, to = 0;  ///< steps; equal where only telemetry came or went
    std::string reason{};  ///< for the log: "83.5 C reaches step 2 (83 C)"
  };
  /// Takes in a reading. A change, where there is one.
  std::optional<Change> observe(const ThermalState& state, Nanoseconds now);

  /// 0: the top.
  [[nodiscard]] int step() const noexcept { return step_; }
  /// What holds now; null at the top.
  [[nodiscard]] const ThermalStep* current() const noexcept;
  /// Whether the last reading had a temperature.
  [[nodiscard]] bool is_telemetry_available() const noexcept { return is_telemetry_available_; }
  /// Rates and models of the current step.
  [[nodiscard]] bool is_running(const std::string& model, bool is_standby) const noexcept;
  [[nodiscard]] Nanoseconds min_interval() const noexcept;

 private:
  explicit ThermalGovernor(ThermalLadder ladder) noexcept : ladder_(std::move(ladder)) {}
  [[nodiscard]] int deepest_reached(double celsius) const noexcept;
  std::optional<Change> lose_telemetry(const ThermalState& state);
  std::optional<Change> go_down(const ThermalState& state, Nanoseconds now);
  std::optional<Change> go_up(const ThermalState& state, Nanoseconds now);
  [[nodiscard]] const ThermalStep& listed(int step) const noexcept {
    return ladder_.steps[static_cast<std::size_t>(step) - 1];
  }

  ThermalLadder ladder_;
  int step_ = 0;
  bool is_telemetry_available_ = true;
  std::optional<Nanoseconds> cool_since_{}, throttled_step_at_{};
};

}  // namespace tern
