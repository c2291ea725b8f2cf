// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/passport.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "model/json_object.h"
#include "model/strict_json.h"
#include "model/text.h"
#include "tern/version.h"

namespace tern {
namespace {

using nlohmann::json;

constexpr auto kRefused = StatusCode::kCalibrationCacheError;
constexpr std::uint64_t kFormat = 1;
constexpr std::string_view kImported = "imported";
constexpr double kMinPercentile = 50, kMaxPercentile = 100;

json or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

/// The number whose shortest decimal form people would write for this float; it reads back as the same float.
double short_double(float value) {
  const double shortest = std::strtod(fmt::format("{}", value).c_str(), nullptr);
  // That of the largest float lies beyond it.
  const bool in_range = shortest <= static_cast<double>(std::numeric_limits<float>::max());
  return in_range && static_cast<float>(shortest) == value ? shortest : static_cast<double>(value);
}

// ---- reading

void read_digest(JsonObject& object, std::string_view key, std::string& out) {
  object.require(key, out);
  if (object.ok() && !is_hex_digest(out)) object.fail(key, "must be 64 lower-case hex digits");
}

void read_digest_or_null(JsonObject& object, std::string_view key, std::string& out) {
  const json* value = object.require(key);
  if (value != nullptr && !value->is_null()) read_digest(object, key, out);
}

void read_text(JsonObject& object, std::string_view key, std::string& out) {
  object.require(key, out);
  if (object.ok() && (out.empty() || has_control_character(out)))
    object.fail(key, "must be text without control characters, and not empty");
}

void read_model(JsonObject& passport, CalibrationPassport& p) {
  const json* value = passport.require("model");
  if (value == nullptr) return;
  JsonObject object(*value, kRefused, "model");
  read_text(object, "name", p.model_name);
  read_digest(object, "sha256", p.model_hash);
  passport.fail_with(object.finish());
}

void read_images(JsonObject& passport, CalibrationPassport& p) {
  const json* value = passport.require("images");
  if (value == nullptr) return;
  JsonObject object(*value, kRefused, "images");
  read_digest_or_null(object, "sha256", p.dataset_hash);
  object.require("frames", p.frames);
  passport.fail_with(object.finish());
}

void read_method(JsonObject& passport, CalibrationPassport& p) {
  read_text(passport, "method", p.method);
  if (passport.ok() && p.method != kImported && !parse_calibration_method(p.method).ok())
    passport.fail("method",
                  fmt::format("is {}; it must be max, entropy, percentile, mse or imported", in_quotes(p.method)));
  const json* percentile = passport.require("percentile");
  const bool has_percentile = percentile != nullptr && !percentile->is_null();
  if (has_percentile) passport.require("percentile", p.percentile, kMinPercentile, kMaxPercentile);
  if (passport.ok() && has_percentile != (p.method == to_string(CalibrationMethod::kPercentile)))
    passport.fail("percentile", "belongs to the method percentile, and to no other");
  const json* backend = passport.require("backend");
  if (backend != nullptr && !backend->is_null()) read_text(passport, "backend", p.backend);
  read_digest_or_null(passport, "imported_sha256", p.imported_sha256);
  if (!passport.ok()) return;
  const bool is_imported = p.method == kImported;
  if (is_imported == p.imported_sha256.empty())
    passport.fail("imported_sha256", "belongs to the method imported, and to no other");
  if (is_imported != p.backend.empty()) passport.fail("backend", "must be there, unless the method is imported");
  if (is_imported != (p.frames == 0)) passport.fail("images.frames", "must be above 0, unless the method is imported");
  if (!is_imported && p.dataset_hash.empty())
    passport.fail("images.sha256", "must be there, unless the method is imported");
}

void read_ranges(JsonObject& passport, TensorRanges& ranges) {
  const json* value = passport.require("ranges");
  if (value == nullptr) return;
  if (!value->is_object() || value->empty() || value->size() > ActivationStatistics::kMaxTensors) {
    return passport.fail("ranges", fmt::format("must be an object, tensor -> range, with 1 to {} tensors",
                                               ActivationStatistics::kMaxTensors));
  }
  for (const auto& [tensor, range] : value->items()) {
    if (tensor.empty() || tensor.size() > ActivationStatistics::kMaxNameBytes || has_control_character(tensor))
      return passport.fail("ranges",
                           fmt::format("has a name that is empty, too long or no plain text: {}", in_quotes(tensor)));
    const double number = range.is_number() ? range.get<double>() : -1;
    if (!(number >= 0 && number <= static_cast<double>(std::numeric_limits<float>::max())))
      return passport.fail("ranges." + in_quotes(tensor),
                           fmt::format("is {}; it must be a number of at least 0", range.dump()));
    ranges.emplace(tensor, static_cast<float>(number) + 0.0F);
  }
}

void read_coverage(JsonObject& passport, CalibrationPassport& p) {
  const json* value = passport.require("coverage");
  if (value == nullptr) return;
  JsonObject object(*value, kRefused, "coverage");
  std::uint64_t wanted = 0, covered = 0;
  object.require("wanted", wanted, std::uint64_t{0}, std::uint64_t{ActivationStatistics::kMaxTensors});
  object.require("covered", covered);
  if (object.ok() && (covered > wanted || covered > p.ranges.size()))
    object.fail("covered",
                fmt::format("is {}; wanted are {}, and there are {} ranges", covered, wanted, p.ranges.size()));
  p.wanted = wanted;
  p.covered = covered;
  passport.fail_with(object.finish());
}

}  // namespace

double CalibrationPassport::coverage() const noexcept {
  return wanted == 0 ? 1 : static_cast<double>(covered) / static_cast<double>(wanted);
}

std::string CalibrationPassport::to_json() const {
  json range_list = json::object();
  for (const auto& [tensor, range] : ranges)
    range_list[tensor] = short_double(range);
  const json document = {{"format", kFormat},
                         {"model", {{"name", model_name}, {"sha256", model_hash}}},
                         {"contract_sha256", or_null(contract_hash)},
                         {"images", {{"sha256", or_null(dataset_hash)}, {"frames", frames}}},
                         {"method", method},
                         {"percentile", percentile > 0 ? json(percentile) : json(nullptr)},
                         {"backend", or_null(backend)},
                         {"imported_sha256", or_null(imported_sha256)},
                         {"coverage", {{"wanted", wanted}, {"covered", covered}}},
                         {"ranges", range_list}};
  return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<CalibrationPassport> CalibrationPassport::from_json(std::string_view text, std::string_view where) {
  const auto refuse = [&](const Status& status) {
    return status.at(where).with_hint("the passport is damaged, or of another version of tern: calibrate again");
  };
  if (text.size() > kMaxBytes)
    return refuse(make_error(kRefused, "the passport has {} bytes; the limit is {}", text.size(), kMaxBytes));
  const auto document = parse_strict_json(text, kRefused);
  if (!document.ok()) return refuse(document.status());
  CalibrationPassport p;
  JsonObject object(*document, kRefused);
  std::uint64_t format = 0;
  object.require("format", format);
  if (object.ok() && format != kFormat)
    object.fail("format", fmt::format("is {}; this tern ({}) reads {}", format, version(), kFormat));
  read_model(object, p);
  read_digest_or_null(object, "contract_sha256", p.contract_hash);
  read_images(object, p);
  read_method(object, p);
  read_ranges(object, p.ranges);
  read_coverage(object, p);
  if (const Status status = object.finish(); !status.ok()) return refuse(status);
  return p;
}

Result<CalibrationPassport> CalibrationPassport::from_file(const std::filesystem::path& path) {
  TERN_ASSIGN_OR_RETURN(const auto bytes, read_file(path, kMaxBytes, kRefused));
  return from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

std::string CalibrationPassport::hash() const {
  const std::string text = to_json();
  return to_hex(Sha256::of(std::as_bytes(std::span(text))));
}

std::string calibration_contract_hash(const Contract& contract) {
  const std::string text = json::parse(contract.to_json()).at("input").dump();
  return to_hex(Sha256::of(std::as_bytes(std::span(text))));
}

CalibrationSubject CalibrationSubject::of(const Model& model, const Contract* contract) {
  return {model.content_hash(), contract != nullptr ? calibration_contract_hash(*contract) : std::string()};
}

}  // namespace tern
