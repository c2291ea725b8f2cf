// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/engine_name.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

constexpr std::array<std::pair<std::string_view, Precision>, 5> kPrecisions{{{"fp32", Precision::kF32},
                                                                             {"fp16", Precision::kF16},
                                                                             {"bf16", Precision::kBF16},
                                                                             {"int8", Precision::kI8},
                                                                             {"mixed", Precision::kMixed}}};
constexpr std::string_view kVersionCompatible = "vc";
constexpr std::string_view kAmperePlus = "hw_ampere_plus";

bool is_number(std::string_view text) {
  const bool digits =
      !text.empty() && text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return digits && (text.size() == 1 || text.front() != '0');
}

/// "cc_9.0_sm_132"
bool is_gpu_target(std::string_view text) {
  constexpr std::string_view kCc = "cc_", kSm = "_sm_";
  if (!text.starts_with(kCc)) return false;
  text.remove_prefix(kCc.size());
  const std::size_t dot = text.find('.'), sm = text.find(kSm);
  if (dot == std::string_view::npos || sm == std::string_view::npos || dot > sm) return false;
  return is_number(text.substr(0, dot)) && is_number(text.substr(dot + 1, sm - dot - 1)) &&
         is_number(text.substr(sm + kSm.size()));
}

/// "x86_64_avx2", "aarch64_neon": lower-case words with underscores between them, at least two.
bool is_cpu_target(std::string_view text) {
  if (!text.starts_with("x86_64_") && !text.starts_with("aarch64_")) return false;
  return text.back() != '_' && text.find("__") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_stem(std::string_view stem) {
  return !stem.empty() && stem.front() != '.' && stem.find('/') == std::string_view::npos &&
         !has_control_character(stem) && is_utf8(stem);
}

/// Cuts the last ".word" off `text` and returns the word; empty when there is no dot.
std::string_view take_last(std::string_view& text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view word = text.substr(dot + 1);
  text = text.substr(0, dot);
  return word;
}

/// Cuts the target off the end of `text`; empty when it has none. A GPU's target has a dot of its own.
std::string_view take_target(std::string_view& text) {
  std::string_view rest = text;
  const std::string_view last = take_last(rest);
  if (last == kAmperePlus || is_cpu_target(last)) {
    text = rest;
    return last;
  }
  const std::string_view before = take_last(rest);
  const std::string_view both = text.substr(text.size() - std::min(text.size(), before.size() + 1 + last.size()));
  if (!before.empty() && is_gpu_target(both)) {
    text = rest;
    return both;
  }
  return {};
}

Result<EngineName> parse_parts(std::string_view rest) {
  EngineName name;
  bool has_precision = false;
  std::string_view before = rest;
  const std::string_view word = take_last(before);
  for (const auto& [text, precision] : kPrecisions) {
    if (word != text) continue;
    has_precision = true;
    name.precision = precision;
    rest = before;
  }
  before = rest;
  if (take_last(before) == kVersionCompatible) {
    name.version_compatible = true;
    rest = before;
  }
  name.target = take_target(rest);
  name.stem = rest;
  const auto refuse = [](std::string_view why) { return make_error(StatusCode::kEngineGateError, "{}", why); };
  if (name.target.empty()) return refuse("names no device before '.engine'");
  if (!is_stem(name.stem)) return refuse("names no model before the device");
  if (name.is_gpu() && has_precision && name.precision == Precision::kF16)
    return refuse("says fp16, which a GPU engine's name leaves out");
  if (!name.is_gpu() && !has_precision) return refuse("names no precision, which a CPU engine needs");
  if (!name.is_gpu() && name.version_compatible) return refuse("says vc, which only GPU engines can be");
  if (!has_precision) name.precision = Precision::kF16;
  return name;
}

}  // namespace

Result<std::string> EngineName::format() const {
  std::string text = stem + "." + target;
  if (version_compatible) text += "." + std::string(kVersionCompatible);
  if (!(is_gpu() && precision == Precision::kF16)) {
    const auto known = std::ranges::find(kPrecisions, precision, &std::pair<std::string_view, Precision>::second);
    if (known == kPrecisions.end())
      return Status(StatusCode::kConfigError, "an engine's name needs the precision that it runs in");
    text += "." + std::string(known->first);
  }
  text += kSuffix;
  const auto parsed = parse(text);
  if (!parsed.ok() || *parsed != *this) {
    return make_error(StatusCode::kConfigError, "no engine can be named after model {} on device {}", in_quotes(stem),
                      in_quotes(target))
        .with_hint(fmt::format("names have no slash, no control character, no dot in front, and at most {} bytes",
                               kMaxLength));
  }
  return text;
}

Result<EngineName> EngineName::parse(std::string_view file_name) {
  const auto located = [&](const Status& status) {
    return status.at(in_quotes(file_name))
        .with_hint("engines are named MODEL.DEVICE.PRECISION.engine, as tern compile names them");
  };
  if (file_name.size() > kMaxLength)
    return located(make_error(StatusCode::kEngineGateError, "the name has {} bytes; the limit is {}", file_name.size(),
                              kMaxLength));
  if (!file_name.ends_with(kSuffix)) return located(Status(StatusCode::kEngineGateError, "does not end in '.engine'"));
  auto name = parse_parts(file_name.substr(0, file_name.size() - kSuffix.size()));
  if (!name.ok()) return located(name.status());
  return name;
}

}  // namespace tern
