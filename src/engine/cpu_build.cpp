// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/dev/cpu_build.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/sha256.h"

namespace tern::dev {
namespace {

Result<ShapeRange> range_of(const ValueInfo& input, const ShapeProfile* profile, int max_batch) {
  if (!input.has_shape)
    return Status(StatusCode::kModelError, "a tensor of unknown rank is not supported").at(input.name);
  ShapeRange range{input.shape, input.shape};
  for (std::size_t i = 0; i < input.shape.rank(); ++i) {
    if (input.shape[i] == Shape::kDynamic) range.min[i] = 1;
  }
  if (profile == nullptr) {
    if (input.shape.rank() > 0 && input.shape[0] == Shape::kDynamic) range.max[0] = max_batch;
    return range;
  }
  if (profile->min.rank() != input.shape.rank() || profile->max.rank() != input.shape.rank()) {
    return make_error(StatusCode::kConfigError, "the profile has rank {}; the input has {}", profile->max.rank(),
                      input.shape.rank())
        .at(input.name);
  }
  for (std::size_t i = 0; i < input.shape.rank(); ++i) {
    const std::int64_t min = profile->min[i], max = profile->max[i];
    const bool is_open = input.shape[i] == Shape::kDynamic;
    const bool is_inside = is_open || (min <= input.shape[i] && input.shape[i] <= max);
    if (min < 1 || max < min || !is_inside) {
      return make_error(StatusCode::kConfigError, "the profile's dimension {} ({}..{}) does not fit the model's {}", i,
                        min, max, input.shape.to_string())
          .at(input.name);
    }
    if (is_open) {
      range.min[i] = min;
      range.max[i] = max;
    }
  }
  return range;
}

/// A dimension, "1..4", "640" or "1..?", from the front of `text`, with the 'x' behind it.
std::optional<std::pair<std::int64_t, std::int64_t>> take_dimension(std::string_view& text) {
  const std::size_t length = std::min(text.find('x'), text.size());
  const std::string_view one = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  const auto number = [](std::string_view digits) -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0) return std::nullopt;
    return value;
  };
  const std::size_t dots = one.find("..");
  const auto min = number(one.substr(0, dots));
  if (!min) return std::nullopt;
  if (dots == std::string_view::npos) return std::pair(*min, *min);
  const std::string_view end = one.substr(dots + 2);
  if (end == "?") return std::pair(*min, Shape::kDynamic);
  const auto max = number(end);
  if (!max || *max <= *min) return std::nullopt;
  return std::pair(*min, *max);
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool names_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

}  // namespace

bool ShapeRange::holds(const Shape& shape) const noexcept {
  if (shape.rank() != min.rank()) return false;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (shape[i] < min[i] || (max[i] != Shape::kDynamic && shape[i] > max[i])) return false;
  }
  return true;
}

Shape ShapeRange::spec() const noexcept {
  Shape shape = min;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (max[i] != min[i]) shape[i] = Shape::kDynamic;
  }
  return shape;
}

std::string ShapeRange::to_string() const {
  if (min.rank() == 0) return "scalar";
  std::string text;
  for (std::size_t i = 0; i < min.rank(); ++i) {
    text += fmt::format("{}{}", i > 0 ? "x" : "", min[i]);
    if (max[i] != min[i]) text += max[i] == Shape::kDynamic ? std::string("..?") : fmt::format("..{}", max[i]);
  }
  return text;
}

Result<ShapeRange> ShapeRange::parse(std::string_view text) {
  if (text == "scalar") return ShapeRange();
  std::vector<std::int64_t> min, max;
  std::string_view rest = text;
  const bool ends_open = text.empty() || text.back() == 'x';
  while (!ends_open && !rest.empty() && min.size() <= Shape::kMaxRank) {
    const auto dimension = take_dimension(rest);
    if (!dimension) break;
    min.push_back(dimension->first);
    max.push_back(dimension->second);
  }
  const auto lower = Shape::from(min), upper = Shape::from(max);
  ShapeRange range;
  if (lower.ok() && upper.ok()) range = {*lower, *upper};
  // One way to write each range: what prints otherwise was never one.
  if (min.empty() || range.to_string() != text)
    return make_error(StatusCode::kEngineGateError, "'{}' is no range of shapes", text.substr(0, 100));
  return range;
}

Result<std::vector<ShapeRange>> shape_ranges(const Model& model, const BuildConfig& config, std::string_view runtime) {
  for (const ShapeProfile& profile : config.profiles) {
    if (std::ranges::find(model.inputs(), profile.tensor, &ValueInfo::name) == model.inputs().end())
      return Status(StatusCode::kConfigError, "a shape profile names an input that the model does not have")
          .at(profile.tensor);
    if (std::ranges::count(config.profiles, profile.tensor, &ShapeProfile::tensor) > 1) {
      return make_error(StatusCode::kConfigError, "{} takes one shape profile for an input", runtime)
          .at(profile.tensor)
          .with_hint("give one range that holds them all");
    }
  }
  std::vector<ShapeRange> ranges;
  for (const ValueInfo& input : model.inputs()) {
    const auto profile = std::ranges::find(config.profiles, input.name, &ShapeProfile::tensor);
    TERN_ASSIGN_OR_RETURN(ShapeRange range, range_of(input, profile == config.profiles.end() ? nullptr : &*profile,
                                                     std::max(1, config.max_batch)));
    ranges.push_back(range);
  }
  return ranges;
}

Status check_what_runs(Precision asked, Precision runs, std::string_view runtime) {
  if (asked == Precision::kAuto || asked == runs) return {};
  const Status error = make_error(StatusCode::kEngineBuildError, "{} was asked for, but {} runs the model in {}",
                                  to_string(asked), runtime, to_string(runs))
                           .at("precision");
  if (runs == Precision::kI8)
    return error.with_hint(
        "the model's quantised layers run in i8: ask for i8 or auto, or give the model before quantisation");
  if (asked == Precision::kI8)
    return error.with_hint(
        "it finds no quantised convolution or matrix product that this CPU can run; ask for auto or f32");
  return error.with_hint("ask for auto");
}

std::string engine_id(const Model& model, const BuildConfig& config, Precision precision, std::string_view built_with) {
  std::string key =
      fmt::format("{} {} {} batch {}", built_with, model.content_hash(), to_string(precision), config.max_batch);
  for (const ShapeProfile& p : config.profiles)
    key += fmt::format(" {}={}:{}:{}", p.tensor, p.min.to_string(), p.opt.to_string(), p.max.to_string());
  return fmt::format("{}-{}", model.stem(), to_hex(Sha256::of(std::as_bytes(std::span(key)))).substr(0, 12));
}

std::string blamed_nodes(const Model& model, std::string_view message) {
  constexpr std::size_t kMaxBytes = 400;
  std::string found;
  for (const auto& [op, count] : model.op_counts()) {
    const std::size_t domain_end = op.rfind("::");
    if (!names_word(message, domain_end == std::string::npos ? op : op.substr(domain_end + 2))) continue;
    for (const std::string& name : model.node_names(op)) {
      if (found.size() < kMaxBytes) found += fmt::format("{}{} (node '{}')", found.empty() ? "" : ", ", op, name);
    }
  }
  return found;
}

}  // namespace tern::dev
