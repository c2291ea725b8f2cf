// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <span>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/sidecar.h"
#include "model/text.h"
#include "tern/passport.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using Kind = CalibrationVerdict::Kind;

constexpr auto kRefused = StatusCode::kCalibrationCacheError;
constexpr std::string_view kImport =
    "say what it belongs to: tern calib import CACHE --model MODEL; or remove it and calibrate: tern calib run MODEL "
    "--images DIR";
constexpr std::string_view kPassportEnd = ".calib.json", kCacheEnd = ".calib_cache";
constexpr std::string_view kRemove = "do not use it: remove the calibration's files and calibrate again";

/// Whether anything stands there, be it a broken link.
bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

std::string hash_of(std::string_view text) {
  return to_hex(Sha256::of(std::as_bytes(std::span(text))));
}

/// What .dataset_sha256 holds: the data set's hash, or that of no file.
std::string dataset_line(const CalibrationPassport& passport) {
  return passport.dataset_hash.empty() ? hash_of("0\n") : passport.dataset_hash;
}

Result<std::string> read_limited(const fs::path& path, std::uint64_t max_bytes) {
  const auto bytes = read_file(path, max_bytes, kRefused);
  if (!bytes.ok()) return bytes.status().code() == kRefused ? bytes.status().with_hint(kRemove) : bytes.status();
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

/// The digest in a sidecar, which must be about `name`.
Result<std::string> read_sidecar(const fs::path& path, const std::string& name) {
  TERN_ASSIGN_OR_RETURN(const std::string text, read_limited(path, Sidecar::kMaxBytes));
  const auto sidecar = parse_sidecar(text, kRefused);
  if (!sidecar.ok()) return sidecar.status().at(path.string()).with_hint(kRemove);
  if (!sidecar->name.empty() && sidecar->name != name) {
    return make_error(kRefused, "is about {}, not {}", in_quotes(sidecar->name), in_quotes(name))
        .at(path.string())
        .with_hint(kRemove);
  }
  return sidecar->sha256;
}

/// Neighbours in the order of floats: a range cannot always give back the scale that it was read from.
bool is_same_scale(float a, float b) noexcept {
  const auto difference = static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(a)) - std::bit_cast<std::uint32_t>(b);
  return difference >= -1 && difference <= 1;
}

Status check_scales(const TensorrtCache& cache, const CalibrationPassport& passport) {
  for (const TensorrtCache::Entry& entry : cache.entries) {
    const auto range = passport.ranges.find(entry.tensor);
    if (range != passport.ranges.end() && !is_same_scale(scale_of(range->second), entry.scale)) {
      return make_error(kRefused, "the scale is {}, but the passport's range gives {}", entry.scale,
                        scale_of(range->second))
          .at(in_quotes(entry.tensor));
    }
  }
  return {};
}

/// The cache and its sidecars against each other and the passport.
Status check_cache(const CalibrationFiles& files, const CalibrationPassport& passport) {
  for (const fs::path& sidecar : {files.sha256(), files.dataset_sha256()}) {
    if (!is_there(sidecar)) {
      return make_error(kRefused, "the calibration cache has no {} beside it", sidecar.filename().string())
          .at(files.cache.string())
          .with_hint(kImport);
    }
  }
  const std::string name = files.cache.filename().string();
  TERN_ASSIGN_OR_RETURN(const std::string text, read_limited(files.cache, TensorrtCache::kMaxBytes));
  TERN_ASSIGN_OR_RETURN(const std::string wanted, read_sidecar(files.sha256(), name));
  TERN_ASSIGN_OR_RETURN(const std::string dataset, read_sidecar(files.dataset_sha256(), name));
  if (const std::string found = hash_of(text); found != wanted) {
    return make_error(kRefused, "has the SHA-256 {}, but {} says {}", found, files.sha256().filename().string(), wanted)
        .at(files.cache.string())
        .with_hint(kRemove);
  }
  if (dataset != dataset_line(passport)) {
    return make_error(kRefused, "is {}, but the passport says {}", dataset, dataset_line(passport))
        .at(files.dataset_sha256().string())
        .with_hint(kRemove);
  }
  const auto cache = TensorrtCache::parse(text, files.cache.string());
  if (!cache.ok()) return cache.status().with_hint(kRemove);
  const Status scales = check_scales(*cache, passport);
  return scales.ok() ? scales : scales.at(files.cache.string()).with_hint(kRemove);
}

/// Writes the files; an empty `cache` is none. The passport comes last.
Status write_all(const CalibrationFiles& files, const CalibrationPassport& passport, std::string_view cache) {
  const std::string json = passport.to_json();
  TERN_RETURN_IF_ERROR(CalibrationPassport::from_json(json, "the new passport").status());
  if (!cache.empty()) {
    const std::string name = files.cache.filename().string();
    TERN_RETURN_IF_ERROR(write_file(files.cache, cache));
    TERN_RETURN_IF_ERROR(write_file(files.sha256(), format_sidecar(hash_of(cache), name)));
    TERN_RETURN_IF_ERROR(write_file(files.dataset_sha256(), format_sidecar(dataset_line(passport), name)));
  }
  return write_file(files.passport, json);
}

/// Why the passport is not the subject's; empty when it is.
std::string difference(const CalibrationPassport& passport, const CalibrationSubject& subject) {
  const auto text = [](const std::string& hash) { return hash.empty() ? std::string("unknown") : hash.substr(0, 16); };
  if (passport.model_hash != subject.model_hash) {
    return fmt::format("it was made for another model (SHA-256 {}..., this one is {}...)", text(passport.model_hash),
                       text(subject.model_hash));
  }
  if (subject.contract_hash && passport.contract_hash != *subject.contract_hash) {
    return fmt::format("it was made with another preprocessing (contract {}..., this one is {}...)",
                       text(passport.contract_hash), text(*subject.contract_hash));
  }
  if (subject.dataset_hash && passport.dataset_hash != *subject.dataset_hash) {
    return fmt::format("it was made with another data set ({}..., this one is {}...)", text(passport.dataset_hash),
                       text(*subject.dataset_hash));
  }
  return {};
}

}  // namespace

CalibrationFiles CalibrationFiles::beside(const fs::path& model) {
  const fs::path base = model.parent_path() / model.stem();
  return {base.string() + std::string(kPassportEnd), base.string() + std::string(kCacheEnd)};
}

Result<CalibrationFiles> CalibrationFiles::named_by(const fs::path& file) {
  const std::string name = file.string();
  for (const std::string_view end : {kPassportEnd, kCacheEnd}) {
    if (!name.ends_with(end)) continue;
    const std::string base = name.substr(0, name.size() - end.size());
    return CalibrationFiles{base + std::string(kPassportEnd), base + std::string(kCacheEnd)};
  }
  return make_error(StatusCode::kConfigError, "is neither a passport (*{}) nor a calibration cache (*{})", kPassportEnd,
                    kCacheEnd)
      .at(name);
}

Result<CalibrationVerdict> judge_calibration(const CalibrationFiles& files, const CalibrationSubject& subject) {
  const bool has_cache = !files.cache.empty() && is_there(files.cache);
  if (!is_there(files.passport)) {
    if (!has_cache) return CalibrationVerdict{};
    return make_error(kRefused, "the calibration cache has no {} beside it", files.passport.filename().string())
        .at(files.cache.string())
        .with_hint(kImport);
  }
  CalibrationVerdict verdict;
  TERN_ASSIGN_OR_RETURN(verdict.passport, CalibrationPassport::from_file(files.passport));
  if (has_cache) TERN_RETURN_IF_ERROR(check_cache(files, *verdict.passport));
  verdict.reason = difference(*verdict.passport, subject);
  verdict.kind = verdict.reason.empty() ? Kind::kTrusted : Kind::kOther;
  return verdict;
}

Result<CalibrationPassport> trusted_passport(const CalibrationFiles& files, const CalibrationSubject& subject) {
  TERN_ASSIGN_OR_RETURN(CalibrationVerdict verdict, judge_calibration(files, subject));
  if (verdict.kind == Kind::kTrusted) return *std::move(verdict.passport);
  const std::string why = verdict.kind == Kind::kNone ? "is not there" : verdict.reason;
  return make_error(kRefused, "{}", why)
      .at(files.passport.string())
      .with_hint("calibrate the model: tern calib run MODEL --images DIR");
}

Status store_calibration(const CalibrationFiles& files, const CalibrationPassport& passport,
                         const std::optional<std::uint32_t>& tensorrt_version, TensorrtCache::Algorithm algorithm) {
  // What cannot be judged is not overwritten: it may be a cache that somebody still needs.
  TERN_RETURN_IF_ERROR(judge_calibration(files, {}).status());
  TensorrtCache cache = TensorrtCache::of(passport.ranges, tensorrt_version.value_or(0), algorithm);
  if (!tensorrt_version && is_there(files.cache)) {
    // The passport's new numbers would not be those of a cache that stays.
    TERN_ASSIGN_OR_RETURN(const TensorrtCache old, TensorrtCache::from_file(files.cache));
    cache.version = old.version;
    cache.algorithm = old.algorithm;
  }
  if (cache.version == 0) return write_all(files, passport, {});
  TERN_ASSIGN_OR_RETURN(const std::string text, cache.to_text());
  return write_all(files, passport, text);
}

Status import_calibration(const CalibrationFiles& files, const CalibrationPassport& passport, std::string_view cache) {
  TERN_ASSIGN_OR_RETURN(const TensorrtCache parsed, TensorrtCache::parse(cache, files.cache.string()));
  TERN_RETURN_IF_ERROR(check_scales(parsed, passport));
  const Status judged = judge_calibration(files, {}).status();
  if (!judged.ok()) {
    // The bare cache that is imported may lie in the place already: nothing else may.
    const auto there = read_limited(files.cache, TensorrtCache::kMaxBytes);
    if (is_there(files.passport) || is_there(files.sha256()) || is_there(files.dataset_sha256()) || !there.ok() ||
        *there != cache)
      return judged;
  }
  return write_all(files, passport, cache);
}

}  // namespace tern
