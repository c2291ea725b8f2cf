// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "comparison.h"
#include "tern/quant.h"
#include "tern/quant_search.h"
#include "tern/quantize.h"

namespace tern {

/// What `tern quantize --report` shows.
struct QuantizeReport {
  struct Measured {
    std::string what;             ///< "f32", "mse", "mse, 2 layers float"
    std::optional<double> score;  ///< 0..1
    std::string headline{};       ///< "AP 91.9%, AP50 99.9%, AP75 98.2%"
  };
  std::string model, output, data, images, backend;  ///< files and folders, as given; what ran the float model
  std::string target, method, metric;
  std::vector<Measured> accuracy{};        ///< before, then everything that was tried, in turn
  std::optional<std::size_t> chosen{};     ///< of `accuracy`
  std::string floor{};                     ///< what was asked for, and whether it holds; empty: nothing was
  QuantizationSummary summary{};           ///< of the result
  std::vector<LayerSensitivity> layers{};  ///< the least SQNR first
  ActivationStatistics statistics{};       ///< none where an older calibration was used
  std::optional<Comparison> comparison{};  ///< f32 against the result
};

/// One HTML page with everything inside: it works without a network, and without scripts.
[[nodiscard]] Result<std::string> to_html(const QuantizeReport& report);

}  // namespace tern
