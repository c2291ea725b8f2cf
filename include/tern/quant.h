// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace tern {

/// What was seen of one float tensor: the range in a first pass, a histogram of |x| over that range in a second one.
struct TensorStatistics {
  static constexpr std::size_t kBins = 2048;

  float min = 0, max = 0;    ///< finite; 0 and 0 where `values` is 0
  std::uint64_t values = 0;  ///< values seen in this pass
  /// kBins counts over [0, amax()], or empty before the second pass. Bin i holds |x| in [i, i + 1) * amax() / kBins, the last one
  /// amax() itself too. Their sum is `values`.
  std::vector<std::uint64_t> bins{};

  /// The largest |x|.
  [[nodiscard]] float amax() const noexcept { return -min > max ? -min : max; }
  bool operator==(const TensorStatistics&) const = default;
};

/// Statistics by tensor name. Merging is exact: the same data give the same bits in any order, grouping and number of workers.
struct ActivationStatistics {
  static constexpr std::size_t kMaxTensors = 100'000;
  static constexpr std::size_t kMaxNameBytes = 4096;
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;  ///< of to_bytes()

  std::map<std::string, TensorStatistics, std::less<>> tensors{};
  std::uint64_t frames = 0;  ///< that were run in this pass

  /// First pass. InputError, and nothing changed, when a value is NaN or infinite.
  [[nodiscard]] TERN_API Status observe_range(std::string_view tensor, const float* data, std::size_t count);
  /// Ends the first pass: empty histograms over the ranges found; `values` and `frames` start again from 0.
  TERN_API void begin_histograms();
  /// Second pass. InputError, and nothing changed, when a value is NaN or infinite, when the tensor was not seen in the first
  /// pass, or when |x| passes the first pass's range by more than a thousandth (the data are not the same).
  [[nodiscard]] TERN_API Status observe_histogram(std::string_view tensor, const float* data, std::size_t count);
  /// Adds what another worker or process saw in the same pass. InputError, and nothing changed, when histograms are over
  /// different ranges, passes differ, or counts pass 64 bits.
  [[nodiscard]] TERN_API Status merge(const ActivationStatistics& other);

  /// For a file: little-endian, with a checksum. Equal statistics give equal bytes. InputError beyond the limits above.
  [[nodiscard]] TERN_API Result<std::string> to_bytes() const;
  /// CalibrationCacheError on anything that to_bytes() does not write.
  [[nodiscard]] TERN_API static Result<ActivationStatistics> from_bytes(std::string_view bytes, std::string_view where);
  bool operator==(const ActivationStatistics&) const = default;
};

/// How a range is chosen from a histogram.
enum class CalibrationMethod : std::uint8_t {
  kMax,         ///< the largest |x|: nothing is clipped
  kEntropy,     ///< least Kullback-Leibler divergence over 128 levels, as TensorRT's entropy calibrator
  kPercentile,  ///< clips the given part of the values
  kMse,         ///< least mean squared error of quantising the histogram
};
/// "max", "entropy", "percentile", "mse".
[[nodiscard]] TERN_API std::string_view to_string(CalibrationMethod method) noexcept;
/// ConfigError on another word.
[[nodiscard]] TERN_API Result<CalibrationMethod> parse_calibration_method(std::string_view text);

struct CalibrationOptions {
  CalibrationMethod method = CalibrationMethod::kMse;
  double percentile =
      99.99;  ///< kPercentile: part of the values within the range, in percent, above 50 and at most 100
};

/// Ranges by tensor name: |x| up to the range is represented, what is beyond is clipped. 0: only zeros were seen.
using TensorRanges = std::map<std::string, float, std::less<>>;

/// The range of one tensor. InputError without values or (but for kMax) without a histogram.
[[nodiscard]] TERN_API Result<float> calibrate(const TensorStatistics& statistics,
                                               const CalibrationOptions& options = {});
/// The range of every tensor.
[[nodiscard]] TERN_API Result<TensorRanges> calibrate(const ActivationStatistics& statistics,
                                                      const CalibrationOptions& options = {});

/// The symmetric int8 scale of a range: range / 127, at least kMinScale; 1 for a range of 0, which any scale represents.
/// REQUIRES: range is finite and at least 0.
inline constexpr float kMinScale = 1e-12F;
[[nodiscard]] TERN_API float scale_of(float range) noexcept;

}  // namespace tern
