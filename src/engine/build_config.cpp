// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "base/byte_size.h"
#include "base/error.h"
#include "model/json_object.h"
#include "model/strict_json.h"
#include "model/text.h"
#include "tern/engine.h"

namespace tern {
namespace {

using nlohmann::json;

constexpr int kMaxBatch = 4096;
constexpr std::size_t kMaxProfiles = 64;  // of one input
constexpr int kMaxThreads = 1024;
constexpr int kMaxOptimizationLevel = 5;
constexpr int kMaxAuxStreams = 16, kMaxDlaCores = 16;
constexpr std::uint64_t kMaxTimeout = 7 * 24 * 3600;

std::string_view name_of(PerformanceHint hint) {
  return hint == PerformanceHint::kLatency ? "latency" : "throughput";
}

std::string_view name_of(BuildConfig::Isolation isolation) {
  return isolation == BuildConfig::Isolation::kInProcess ? "in_process" : "process";
}

/// Reads a word that must be one of two.
template <typename E>
void read_word(JsonObject& object, std::string_view key, E& out, E first, E second) {
  std::string word(name_of(out));
  object.optional(key, word);
  if (word == name_of(first)) {
    out = first;
  } else if (word == name_of(second)) {
    out = second;
  } else {
    object.fail(key, fmt::format("is {}; it must be {} or {}", in_quotes(word), name_of(first), name_of(second)));
  }
}

void read_shape(JsonObject& object, std::string_view key, Shape& out) {
  const json* value = object.require(key);
  if (value == nullptr) return;
  std::vector<std::int64_t> dims;
  const bool is_list = value->is_array() && std::ranges::all_of(*value, [&](const json& d) {
                         if (!d.is_number_unsigned() || d.get<std::uint64_t>() > INT32_MAX || d.get<std::int64_t>() < 1)
                           return false;
                         dims.push_back(d.get<std::int64_t>());
                         return true;
                       });
  const auto shape = is_list ? Shape::from(dims) : Result<Shape>(Shape{});
  if (!is_list || dims.empty() || !shape.ok())
    return object.fail(key, "must be a list of 1 to 8 positive whole numbers");
  out = *shape;
}

bool is_ordered(const Shape& low, const Shape& high) {
  return low.rank() == high.rank() && std::ranges::equal(low.dims(), high.dims(), std::less_equal<>());
}

Status read_profile(const json& value, const std::string& tensor, const std::string& path,
                    std::vector<ShapeProfile>& out) {
  JsonObject object(value, StatusCode::kConfigError, path);
  ShapeProfile profile{tensor, {}, {}, {}};
  read_shape(object, "min", profile.min);
  read_shape(object, "opt", profile.opt);
  read_shape(object, "max", profile.max);
  if (object.ok() && (!is_ordered(profile.min, profile.opt) || !is_ordered(profile.opt, profile.max)))
    object.fail("opt", "must lie between min and max in every dimension, all three of one rank");
  TERN_RETURN_IF_ERROR(object.finish());
  out.push_back(std::move(profile));
  return {};
}

void read_profiles(JsonObject& config, std::vector<ShapeProfile>& out) {
  const json* profiles = config.optional("profiles");
  if (profiles == nullptr) return;
  if (!profiles->is_object()) return config.fail("profiles", "must be an object: input name -> min, opt, max");
  for (const auto& [tensor, value] : profiles->items()) {
    const std::string path = "profiles." + in_quotes(tensor);
    if (!value.is_array()) {
      const Status status = read_profile(value, tensor, path, out);
      if (!status.ok()) return config.fail_with(status);
      continue;
    }
    if (value.empty() || value.size() > kMaxProfiles)
      return config.fail(path, fmt::format("must list 1 to {} profiles of the input", kMaxProfiles));
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Status status = read_profile(value[i], tensor, fmt::format("{}[{}]", path, i), out);
      if (!status.ok()) return config.fail_with(status);
    }
  }
}

/// A number that may be null, which is -1.
void read_number(JsonObject& object, std::string_view key, int& out, int max) {
  if (const json* value = object.optional(key); value != nullptr && !value->is_null()) object.require(key, out, 0, max);
}

json number_json(int value) {
  return value < 0 ? json(nullptr) : json(value);
}

void read_gpu_options(JsonObject& object, BuildConfig& config) {
  object.optional("tf32", config.tf32);
  std::string hardware(to_string(config.hardware)), device;
  object.optional("hardware", hardware);
  if (const auto level = parse_hardware_level(hardware); level.ok()) {
    config.hardware = *level;
  } else {
    object.fail("hardware", fmt::format("is {}; it must be this_gpu or ampere_plus", in_quotes(hardware)));
  }
  object.optional("version_compatible", config.version_compatible);
  read_number(object, "aux_streams", config.aux_streams, kMaxAuxStreams);
  read_number(object, "dla_core", config.dla_core, kMaxDlaCores - 1);
  if (const json* value = object.optional("device"); value != nullptr && !value->is_null()) {
    object.require("device", device);
    const auto gpu = parse_gpu(device);
    if (!gpu.ok()) return object.fail("device", gpu.status().message());
    config.device = *gpu;
  }
}

json shape_json(const Shape& shape) {
  return json(std::vector<std::int64_t>(shape.dims().begin(), shape.dims().end()));
}

/// An input's only profile as an object, several as a list.
json profiles_json(const std::vector<ShapeProfile>& profiles) {
  json document = json::object();
  for (const ShapeProfile& p : profiles) {
    const json one = {{"min", shape_json(p.min)}, {"opt", shape_json(p.opt)}, {"max", shape_json(p.max)}};
    json& all = document[p.tensor];
    if (all.is_null()) {
      all = one;
    } else if (all.is_object()) {
      all = json::array({all, one});
    } else {
      all.push_back(one);
    }
  }
  return document;
}

}  // namespace

Result<Workspace> parse_workspace(std::string_view text) {
  if (text.ends_with('%')) {
    int percent = 0;
    const char* end = text.data() + text.size() - 1;
    const auto [stop, error] = std::from_chars(text.data(), end, percent);
    if (error == std::errc() && stop == end && percent >= 1 && percent <= 100)
      return Workspace{.bytes = 0, .percent = percent};
    return make_error(StatusCode::kConfigError, "{} is not a part of the free memory", in_quotes(text))
        .with_hint("1% to 100%");
  }
  TERN_ASSIGN_OR_RETURN(const std::uint64_t bytes, parse_byte_size(text));
  if (bytes == 0)
    return Status(StatusCode::kConfigError, "a workspace of 0 bytes is none").with_hint("leave it out for the default");
  return Workspace{.bytes = bytes, .percent = 0};
}

std::string to_string(const Workspace& workspace) {
  return workspace.percent > 0 ? fmt::format("{}%", workspace.percent) : fmt::format("{}", workspace.bytes);
}

Result<ShapeProfile> parse_profile(std::string_view text) {
  const auto malformed = [&] {
    return make_error(StatusCode::kConfigError, "{} is not a shape profile", in_quotes(text))
        .with_hint(
            "INPUT=MIN:OPT:MAX, for example images=1x3x640x640:4x3x640x640:8x3x640x640, or one shape for all three");
  };
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return malformed();
  std::vector<Shape> shapes;
  for (std::string_view rest = text.substr(equals + 1); shapes.size() < 4;) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    std::vector<std::int64_t> dims;
    for (std::string_view one = rest.substr(0, colon);;) {
      const std::size_t x = std::min(one.find('x'), one.size());
      std::int64_t d = 0;
      const auto [end, error] = std::from_chars(one.data(), one.data() + x, d);
      if (error != std::errc() || end != one.data() + x || d < 1 || d > INT32_MAX) return malformed();
      dims.push_back(d);
      if (x == one.size()) break;
      one.remove_prefix(x + 1);
    }
    const auto shape = Shape::from(dims);
    if (!shape.ok()) return malformed();
    shapes.push_back(*shape);
    if (colon == rest.size()) break;
    rest.remove_prefix(colon + 1);
  }
  if (shapes.size() == 1) shapes.resize(3, shapes.front());
  if (shapes.size() != 3) return malformed();
  if (!is_ordered(shapes[0], shapes[1]) || !is_ordered(shapes[1], shapes[2])) {
    return make_error(StatusCode::kConfigError, "{}: the shapes must have one rank and rise from MIN over OPT to MAX",
                      in_quotes(text));
  }
  return ShapeProfile{std::string(text.substr(0, equals)), shapes[0], shapes[1], shapes[2]};
}

Result<BuildConfig> BuildConfig::from_json(std::string_view text, std::string_view where) {
  auto document = parse_strict_json(text, StatusCode::kConfigError);
  if (!document.ok()) return document.status().at(where);
  BuildConfig config;
  JsonObject object(*document, StatusCode::kConfigError);
  std::string precision(tern::to_string(config.precision)), workspace;
  object.optional("precision", precision);
  if (const auto parsed = parse_precision(precision); parsed.ok()) {
    config.precision = *parsed;
  } else {
    object.fail("precision", fmt::format("is {}; it must be auto, f32, f16, bf16, i8 or mixed", in_quotes(precision)));
  }
  read_profiles(object, config.profiles);
  object.optional("max_batch", config.max_batch, 0, kMaxBatch);
  object.optional("threads", config.threads, 0, kMaxThreads);
  read_word(object, "hint", config.hint, PerformanceHint::kLatency, PerformanceHint::kThroughput);
  const json* given = object.optional("workspace");
  if (given != nullptr && !given->is_null()) {
    object.require("workspace", workspace);
    const auto parsed = parse_workspace(workspace);
    if (parsed.ok()) {
      config.workspace = *parsed;
    } else {
      object.fail("workspace", parsed.status().message());
    }
  }
  read_number(object, "optimization_level", config.optimization_level, kMaxOptimizationLevel);
  read_gpu_options(object, config);
  if (const json* path = object.optional("timing_cache"); path != nullptr && !path->is_null())
    object.require("timing_cache", config.timing_cache);
  if (const json* path = object.optional("calibration"); path != nullptr && !path->is_null())
    object.require("calibration", config.calibration);
  auto timeout = static_cast<std::uint64_t>(config.timeout.count());
  object.optional("timeout_s", timeout, std::uint64_t{1}, kMaxTimeout);
  config.timeout = std::chrono::seconds(timeout);
  read_word(object, "isolation", config.isolation, Isolation::kInProcess, Isolation::kProcess);
  TERN_RETURN_IF_ERROR(object.finish().at(where));
  return config;
}

std::string BuildConfig::to_json() const {
  const json document = {{"precision", tern::to_string(precision)},
                         {"profiles", profiles_json(profiles)},
                         {"max_batch", max_batch},
                         {"threads", threads},
                         {"hint", name_of(hint)},
                         {"workspace", workspace ? json(tern::to_string(*workspace)) : json(nullptr)},
                         {"optimization_level", number_json(optimization_level)},
                         {"tf32", tf32},
                         {"hardware", tern::to_string(hardware)},
                         {"version_compatible", version_compatible},
                         {"aux_streams", number_json(aux_streams)},
                         {"dla_core", number_json(dla_core)},
                         {"device", device ? json(device->to_string()) : json(nullptr)},
                         {"timing_cache", timing_cache.empty() ? json(nullptr) : json(timing_cache)},
                         {"calibration", calibration.empty() ? json(nullptr) : json(calibration)},
                         {"timeout_s", timeout.count()},
                         {"isolation", name_of(isolation)}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace tern
