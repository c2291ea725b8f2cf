// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "calibration.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "tern/calib_cache.h"
#include "tern/passport.h"
#include "tern/quantize.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

/// Below this part of the tensors that want a range, int8 would be a name for an engine that mostly is not.
constexpr double kLeastCoverage = 0.95;

Status check_coverage(const CacheMapping& mapping, const std::string& where) {
  if (mapping.coverage() >= kLeastCoverage) return {};
  constexpr std::size_t kMostNames = 5;
  std::string names;
  for (std::size_t i = 0; i < std::min(kMostNames, mapping.missing.size()); ++i)
    names += fmt::format("{}'{}'", i > 0 ? ", " : "", mapping.missing[i]);
  return make_error(
             StatusCode::kCalibrationCacheError,
             "the calibration has ranges for {} of the {} tensors that int8 needs one for; {:.0f}% are the least; "
             "there is none for {}{}",
             mapping.wanted - mapping.missing.size(), mapping.wanted, kLeastCoverage * 100, names,
             mapping.missing.size() > kMostNames ? " and others" : "")
      .at(where)
      .with_hint("calibrate this model anew: tern calib");
}

/// The cache as TensorRT of `version` takes it: its header, the model's names, the scales' own bits, and what follows from them.
Result<std::string> rewritten(const TensorrtCache& cache, const CacheMapping& mapping, const TensorRanges& derived,
                              std::uint32_t version) {
  std::map<std::string, std::string, std::less<>> new_names;
  for (const CacheMapping::Renamed& renamed : mapping.renamed)
    new_names.emplace(renamed.in_cache, renamed.in_model);
  TensorrtCache out{.version = version, .algorithm = TensorrtCache::Algorithm::kEntropy2, .entries = {}};
  for (const TensorrtCache::Entry& entry : cache.entries) {
    const auto renamed = new_names.find(entry.tensor);
    const std::string& name = renamed != new_names.end() ? renamed->second : entry.tensor;
    if (mapping.ranges.contains(name)) out.entries.push_back({name, entry.scale});
  }
  for (const auto& [name, range] : derived)
    out.entries.push_back({name, scale_of(range)});
  return out.to_text();
}

std::string header_text(const TensorrtCache& cache) {
  return fmt::format("TRT-{}-{}", cache.version, to_string(cache.algorithm));
}

Status from_cache(Calibration& calibration, const Model& model, const CalibrationFiles& files,
                  std::int32_t trt_version) {
  const std::string where = files.cache.string();
  TERN_ASSIGN_OR_RETURN(const TensorrtCache cache, TensorrtCache::from_file(files.cache));
  TERN_ASSIGN_OR_RETURN(const QuantizationPlan plan, plan_quantization(model, {.target = QuantTarget::kTensorRt}));
  CacheMapping mapping = map_cache(cache, model, plan.tensors);
  TERN_RETURN_IF_ERROR(check_coverage(mapping, where));
  if (!mapping.suspicious.empty()) {
    const auto& first = mapping.suspicious.front();
    return make_error(StatusCode::kCalibrationCacheError, "the scale of '{}' can hardly be right: {}", first.tensor,
                      first.why)
        .at(where)
        .with_hint("`tern calib show` lists every scale; calibrate this model anew");
  }
  const auto version = static_cast<std::uint32_t>(trt_version);
  calibration.notes.push_back(fmt::format("int8 scales of {} tensors from {}, of {} that want one",
                                          mapping.ranges.size(), files.cache.filename().string(), mapping.wanted));
  if (cache.version != version || cache.algorithm != TensorrtCache::Algorithm::kEntropy2) {
    calibration.notes.push_back(
        fmt::format("the cache's header {} was read as TRT-{}-EntropyCalibration2", header_text(cache), version));
  }
  if (!mapping.renamed.empty())
    calibration.notes.push_back(
        fmt::format("{} tensors of the cache have other names in the model", mapping.renamed.size()));
  // Where a convolution's activation has no scale, TensorRT may find no kernel for the two (10.6: "could not find any implementation").
  TERN_ASSIGN_OR_RETURN(const TensorRanges derived, derive_ranges(model, mapping.ranges));
  if (!derived.empty())
    calibration.notes.push_back(fmt::format("scales of {} more tensors follow from those", derived.size()));
  TERN_ASSIGN_OR_RETURN(calibration.cache, rewritten(cache, mapping, derived, version));
  calibration.ranges = std::move(mapping.ranges);
  calibration.source = PrecisionMeans::Ranges::kCache;
  return {};
}

}  // namespace

Result<Calibration> read_calibration(const Model& model, const BuildConfig& config, std::int32_t trt_version) {
  Calibration calibration;
  if (config.calibration.empty()) return calibration;
  TERN_ASSIGN_OR_RETURN(const CalibrationFiles files, CalibrationFiles::named_by(config.calibration));
  // The runtime, which knows the contract, has compared that already.
  CalibrationSubject subject = CalibrationSubject::of(model, nullptr);
  subject.contract_hash.reset();
  TERN_ASSIGN_OR_RETURN(const CalibrationPassport passport, trusted_passport(files, subject));
  if (std::filesystem::path(config.calibration) == files.cache) {
    TERN_RETURN_IF_ERROR(from_cache(calibration, model, files, trt_version));
    return calibration;
  }
  if (passport.coverage() < kLeastCoverage) {
    return make_error(StatusCode::kCalibrationCacheError,
                      "the calibration has ranges for {} of the {} tensors that int8 needs one for", passport.covered,
                      passport.wanted)
        .at(files.passport.string())
        .with_hint("calibrate this model anew: tern calib");
  }
  calibration.ranges = passport.ranges;
  calibration.source = PrecisionMeans::Ranges::kPassport;
  calibration.notes.push_back(fmt::format("int8 ranges of {} tensors from {} ({})", passport.ranges.size(),
                                          files.passport.filename().string(), passport.method));
  return calibration;
}

}  // namespace tern::trt_backend
