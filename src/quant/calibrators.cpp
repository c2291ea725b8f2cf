// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/calibrators.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

constexpr std::array<std::string_view, 4> kMethods{"max", "entropy", "percentile", "mse"};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr float kMaxLevel = 127;

double x_log_x(std::uint64_t count) noexcept {
  const auto x = static_cast<double>(count);
  return count == 0 ? 0 : x * std::log(x);
}

/// Sums over the first n bins, so that a level costs one logarithm whatever number of bins it has: all its bins that are not
/// empty have the same q, hence sum(p log q) = (sum p) log q.
struct Prefix {
  explicit Prefix(std::span<const std::uint64_t> bins) : count(bins.size() + 1), filled(count), entropy(count.size()) {
    for (std::size_t i = 0; i < bins.size(); ++i) {
      count[i + 1] = count[i] + bins[i];
      filled[i + 1] = filled[i] + (bins[i] > 0 ? 1 : 0);
      entropy[i + 1] = entropy[i] + x_log_x(bins[i]);
    }
  }
  std::vector<std::uint64_t> count, filled;
  std::vector<double> entropy;  ///< sum of c log c
};

/// KL(P || Q) for `kept` bins; infinite where Q is 0 and P is not.
double divergence(std::span<const std::uint64_t> bins, const Prefix& prefix, std::size_t kept) {
  const std::uint64_t last = bins[kept - 1];
  const std::uint64_t clipped = prefix.count.back() - prefix.count[kept];
  if (last == 0 && clipped > 0) return kInfinity;
  const auto p_sum = static_cast<double>(prefix.count.back());
  const auto q_sum = static_cast<double>(prefix.count[kept]);
  double cross = 0;  // sum of p log q, both before they are normalised
  for (std::size_t level = 0; level < kLevels; ++level) {
    // Bin j is in level j * kLevels / kept, rounded down.
    const std::size_t begin = (level * kept + kLevels - 1) / kLevels;
    const std::size_t end = ((level + 1) * kept + kLevels - 1) / kLevels;
    const std::uint64_t filled = prefix.filled[end] - prefix.filled[begin];
    if (filled == 0) continue;
    const auto sum = static_cast<double>(prefix.count[end] - prefix.count[begin]);
    const double outliers = level + 1 == kLevels ? static_cast<double>(clipped) : 0;
    cross += (sum + outliers) * std::log(sum / static_cast<double>(filled));
  }
  const double entropy = prefix.entropy[kept] - x_log_x(last) + x_log_x(last + clipped);
  return (entropy - cross) / p_sum - std::log(p_sum) + std::log(q_sum);
}

Result<float> percentile_range(const TensorStatistics& statistics, double percentile) {
  if (!(percentile > 50 && percentile <= 100))
    return make_error(StatusCode::kConfigError, "a percentile of {}; it must lie above 50 and be at most 100",
                      percentile);
  const double wanted = static_cast<double>(statistics.values) * (percentile / 100);
  std::uint64_t within = 0;
  for (std::size_t i = 0; i < statistics.bins.size(); ++i) {
    within += statistics.bins[i];
    if (static_cast<double>(within) >= wanted) {
      return static_cast<float>(static_cast<double>(statistics.amax()) * static_cast<double>(i + 1) /
                                static_cast<double>(TensorStatistics::kBins));
    }
  }
  return statistics.amax();
}

}  // namespace

std::string_view to_string(CalibrationMethod method) noexcept {
  return kMethods[static_cast<std::size_t>(method)];
}

Result<CalibrationMethod> parse_calibration_method(std::string_view text) {
  const auto found = std::ranges::find(kMethods, text);
  if (found == kMethods.end()) {
    return make_error(StatusCode::kConfigError, "there is no calibration method {}", in_quotes(text))
        .with_hint(suggest(text, kMethods));
  }
  return static_cast<CalibrationMethod>(found - kMethods.begin());
}

std::size_t entropy_kept_bins(std::span<const std::uint64_t> bins) {
  const Prefix prefix(bins);
  std::size_t best = bins.size();
  double least = kInfinity;
  for (std::size_t kept = kLevels; kept <= bins.size(); ++kept) {
    if (prefix.count[kept] == 0) continue;
    const double found = divergence(bins, prefix, kept);
    if (found < least) {
      least = found;
      best = kept;
    }
  }
  return best;
}

float entropy_range(std::size_t kept, float histogram_range) noexcept {
  const double range = (static_cast<double>(kept) + 0.5) *
                       (static_cast<double>(histogram_range) / static_cast<double>(TensorStatistics::kBins));
  return static_cast<float>(std::min(range, static_cast<double>(std::numeric_limits<float>::max())));
}

std::size_t mse_bin(std::span<const std::uint64_t> bins) {
  std::vector<std::pair<double, double>> filled;  // centre in bin widths, count
  for (std::size_t i = 0; i < bins.size(); ++i)
    if (bins[i] > 0) filled.emplace_back(static_cast<double>(i) + 0.5, static_cast<double>(bins[i]));
  std::size_t best = bins.size() - 1;
  double least = kInfinity;
  for (std::size_t i = kLevels; i < bins.size(); ++i) {
    const double scale = (static_cast<double>(i) + 0.5) / static_cast<double>(kMaxLevel);
    double sum = 0;
    for (const auto& [centre, count] : filled) {
      const double level = std::min(std::nearbyint(centre / scale), static_cast<double>(kMaxLevel));
      const double error = level * scale - centre;
      sum += error * error * count;
    }
    if (sum < least) {
      least = sum;
      best = i;
    }
  }
  return best;
}

Result<float> calibrate(const TensorStatistics& statistics, const CalibrationOptions& options) {
  if (statistics.values == 0) return Status(StatusCode::kInputError, "no value of the tensor was seen");
  const float range = statistics.amax();
  if (options.method == CalibrationMethod::kMax) return range;
  if (statistics.bins.size() != TensorStatistics::kBins)
    return Status(StatusCode::kInputError, "there is no histogram: the second pass did not run");
  if (range == 0) return 0.0F;
  switch (options.method) {
    case CalibrationMethod::kMax:
      return range;
    case CalibrationMethod::kEntropy:
      return entropy_range(entropy_kept_bins(statistics.bins), range);
    case CalibrationMethod::kPercentile:
      return percentile_range(statistics, options.percentile);
    case CalibrationMethod::kMse:
      return static_cast<float>((static_cast<double>(mse_bin(statistics.bins)) + 0.5) * static_cast<double>(range) /
                                static_cast<double>(TensorStatistics::kBins));
  }
  return make_error(StatusCode::kInternalError, "calibration method {}", static_cast<int>(options.method));
}

Result<TensorRanges> calibrate(const ActivationStatistics& statistics, const CalibrationOptions& options) {
  TensorRanges ranges;
  for (const auto& [name, tensor] : statistics.tensors) {
    const Result<float> range = calibrate(tensor, options);
    if (!range.ok()) return range.status().at(in_quotes(name));
    ranges.emplace(name, *range);
  }
  return ranges;
}

float scale_of(float range) noexcept {
  if (!(range > 0)) return 1;
  return std::max(range / kMaxLevel, kMinScale);
}

std::vector<float> channel_ranges(std::span<const float> weights, std::span<const std::int64_t> dims,
                                  std::size_t axis) {
  const auto channels = static_cast<std::size_t>(dims[axis]);
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < dims.size(); ++i)
    inner *= static_cast<std::size_t>(dims[i]);
  std::vector<float> ranges(channels, 0.0F);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    float& range = ranges[i / inner % channels];
    range = std::max(range, std::abs(weights[i]));
  }
  return ranges;
}

}  // namespace tern
