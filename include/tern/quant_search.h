// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tern/engine.h"
#include "tern/model.h"
#include "tern/quant.h"
#include "tern/quantize.h"
#include "tern/status.h"

namespace tern {

/// How much int8 disturbs one layer: signal to quantisation noise, 10 log10(sum x^2 / sum (x - q(x))^2), in decibels. Infinite
/// where nothing is lost.
struct LayerSensitivity {
  std::string node;
  double activation_db = 0;  ///< of the layer's input
  double weight_db = 0;      ///< of its weights
  double sqnr_db = 0;        ///< of both: the noise powers, each relative to its signal, added
};

/// Measures the layers of a plan on real activations. Each needs the float model alone, run with the tensors of the plan exposed
/// (expose_tensors()). Not thread-safe; merge() joins what several threads saw.
class TERN_API SensitivityMeter {
 public:
  /// Fails as quantize().
  [[nodiscard]] static Result<SensitivityMeter> create(const Model& model, const TensorRanges& ranges,
                                                       const QuantizeOptions& options = {});
  /// What observe() wants: the plan's tensors.
  [[nodiscard]] const std::vector<std::string>& tensors() const noexcept { return plan_.tensors; }
  [[nodiscard]] const QuantizationPlan& plan() const noexcept { return plan_; }

  /// Values of one frame. InputError when the plan has no such tensor, or a value is not finite.
  [[nodiscard]] Status observe(std::string_view tensor, std::span<const float> values);
  /// REQUIRES: `other` was created with the same arguments.
  void merge(const SensitivityMeter& other);
  /// Every layer of the plan, the least SQNR first. InputError when one of its tensors was never observed.
  [[nodiscard]] Result<std::vector<LayerSensitivity>> layers() const;

 private:
  struct Power {
    double signal = 0, noise = 0;
    bool seen = false;
  };
  SensitivityMeter() = default;
  QuantizationPlan plan_;
  std::map<std::string, float, std::less<>> scales_;
  std::map<std::string, Power, std::less<>> tensors_;
  std::vector<double> weight_noise_;  // of each layer, relative to its signal
};

/// The score of a model, higher is better: AP, mIoU, top-1. Called in turn, never from two threads.
using Evaluate = std::function<Result<double>(const Model&)>;

struct SearchOptions {
  double floor = 0;                  ///< least score that is accepted, in the units of Evaluate
  std::size_t max_evaluations = 40;  ///< of Evaluate; ConfigError below 1
  Progress progress{};               ///< told before each evaluation
  std::stop_token stop{};            ///< Cancelled between evaluations
};

/// One model that was measured.
struct SearchStep {
  std::vector<std::string> float_layers;
  double score = 0;
};

struct SearchResult {
  Model model;                            ///< quantised, with `float_layers` left out
  std::vector<std::string> float_layers;  ///< the fewest found, most sensitive first; beyond those of the options
  double score = 0;
  bool holds = false;             ///< false: no model that was measured reached the floor; the best one is given
  std::vector<SearchStep> steps;  ///< all that was measured, in turn
};

/// Quantises with the fewest layers left float that keep the floor. Measured, most sensitive layers (as SensitivityMeter gives
/// them) first: none, 1, 2, 4, ... until the floor holds; then by halving; then each of them is tried in int8 again, the least
/// sensitive first. Fails as quantize() and as `evaluate`.
[[nodiscard]] TERN_API Result<SearchResult> search_float_layers(const Model& model, const TensorRanges& ranges,
                                                                const QuantizeOptions& options,
                                                                std::span<const LayerSensitivity> layers,
                                                                const Evaluate& evaluate, const SearchOptions& search);

}  // namespace tern
