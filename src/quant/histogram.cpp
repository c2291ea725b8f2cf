// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "model/text.h"
#include "tern/quant.h"

namespace tern {
namespace {

constexpr std::size_t kBins = TensorStatistics::kBins;
/// Another machine's arithmetic may pass the first pass's range by a rounding; other data pass it by far.
constexpr double kSlack = 1.001;

Status not_finite(std::string_view tensor, float value) {
  return make_error(StatusCode::kInputError, "a value is {}", value)
      .at(in_quotes(tensor))
      .with_hint("a calibration image drives the model out of its range; check the preprocessing and the image");
}

/// The first value that is NaN or infinite, or null.
const float* find_not_finite(const float* data, std::size_t count) noexcept {
  bool finite = true;
  for (std::size_t i = 0; i < count; ++i)
    finite &= std::abs(data[i]) <= std::numeric_limits<float>::max();
  if (finite) return nullptr;
  return std::find_if(data, data + count, [](float x) { return !std::isfinite(x); });
}

Result<std::uint64_t> add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return Status(StatusCode::kInputError, "the counts pass 64 bits");
  return sum;
}

Status merge_tensor(TensorStatistics& into, const TensorStatistics& from) {
  if (into.bins.size() != from.bins.size()) return {StatusCode::kInputError, "the statistics are of different passes"};
  if (!into.bins.empty() && (into.min != from.min || into.max != from.max))
    return {StatusCode::kInputError, "the histograms are over different ranges"};
  TERN_ASSIGN_OR_RETURN(const std::uint64_t values, add(into.values, from.values));
  if (from.bins.empty() && from.values > 0) {
    into.min = into.values > 0 ? std::min(into.min, from.min) : from.min;
    into.max = into.values > 0 ? std::max(into.max, from.max) : from.max;
  }
  into.values = values;
  // A bin is at most the sum of all, which fits.
  for (std::size_t i = 0; i < into.bins.size(); ++i)
    into.bins[i] += from.bins[i];
  return {};
}

}  // namespace

std::size_t bin_of(float magnitude, float range) noexcept {
  if (!(range > 0)) return 0;
  const double at = static_cast<double>(magnitude) * (static_cast<double>(kBins) / static_cast<double>(range));
  return at >= static_cast<double>(kBins) ? kBins - 1 : static_cast<std::size_t>(at);
}

Status ActivationStatistics::observe_range(std::string_view tensor, const float* data, std::size_t count) {
  if (const float* bad = find_not_finite(data, count)) return not_finite(tensor, *bad);
  auto found = tensors.find(tensor);
  if (found == tensors.end()) found = tensors.emplace(tensor, TensorStatistics{}).first;
  TensorStatistics& statistics = found->second;
  if (!statistics.bins.empty()) return Status(StatusCode::kInputError, "the first pass is over").at(in_quotes(tensor));
  if (count == 0) return {};
  float low = data[0], high = data[0];
  for (std::size_t i = 1; i < count; ++i) {
    low = std::min(low, data[i]);
    high = std::max(high, data[i]);
  }
  TERN_ASSIGN_OR_RETURN(const std::uint64_t values, add(statistics.values, count));
  // + 0 turns -0 into 0, whose order would otherwise show.
  statistics.min = (statistics.values > 0 ? std::min(statistics.min, low) : low) + 0.0F;
  statistics.max = (statistics.values > 0 ? std::max(statistics.max, high) : high) + 0.0F;
  statistics.values = values;
  return {};
}

void ActivationStatistics::begin_histograms() {
  frames = 0;
  for (auto& [name, statistics] : tensors) {
    statistics.values = 0;
    statistics.bins.assign(kBins, 0);
  }
}

Status ActivationStatistics::observe_histogram(std::string_view tensor, const float* data, std::size_t count) {
  const auto found = tensors.find(tensor);
  if (found == tensors.end() || found->second.bins.empty())
    return Status(StatusCode::kInputError, "the tensor was not seen in the first pass").at(in_quotes(tensor));
  if (const float* bad = find_not_finite(data, count)) return not_finite(tensor, *bad);
  TensorStatistics& statistics = found->second;
  const float range = statistics.amax();
  const auto limit = static_cast<double>(range) * kSlack;
  for (std::size_t i = 0; i < count; ++i) {
    if (static_cast<double>(std::abs(data[i])) > limit) {
      return make_error(StatusCode::kInputError, "|x| is {}, but at most {} in the first pass", std::abs(data[i]),
                        range)
          .at(in_quotes(tensor))
          .with_hint("both passes need the same images in the same preprocessing");
    }
  }
  TERN_ASSIGN_OR_RETURN(statistics.values, add(statistics.values, count));
  std::uint64_t* const bins = statistics.bins.data();
  for (std::size_t i = 0; i < count; ++i)
    ++bins[bin_of(std::abs(data[i]), range)];
  return {};
}

Status ActivationStatistics::merge(const ActivationStatistics& other) {
  ActivationStatistics merged = *this;
  TERN_ASSIGN_OR_RETURN(merged.frames, add(frames, other.frames));
  for (const auto& [name, statistics] : other.tensors) {
    const auto [place, added] = merged.tensors.emplace(name, statistics);
    if (added) continue;
    if (const Status status = merge_tensor(place->second, statistics); !status.ok()) return status.at(in_quotes(name));
  }
  *this = std::move(merged);
  return {};
}

}  // namespace tern
