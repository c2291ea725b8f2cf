// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/manifest.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/json_object.h"
#include "model/strict_json.h"
#include "model/text.h"
#include "store/backend_choice.h"
#include "store/digest.h"
#include "tern/contract.h"
#include "tern/engine_name.h"
#include "tern/version.h"

namespace tern {
namespace {

using nlohmann::json;

constexpr auto kRefused = StatusCode::kEngineGateError;
constexpr std::uint64_t kFormat = 1;
constexpr double kMaxSeconds = 1e9;

// ---- writing

json specs_json(const std::vector<TensorSpec>& specs) {
  json list = json::array();
  for (const TensorSpec& spec : specs) {
    const auto dims = spec.shape.dims();
    list.push_back({{"name", spec.name},
                    {"dtype", to_string(spec.dtype)},
                    {"shape", std::vector<std::int64_t>(dims.begin(), dims.end())}});
  }
  return list;
}

/// JSON inside JSON, for people to read; null for none. What is no JSON stays text, which from_json() refuses.
json nested(const std::string& text) {
  if (text.empty()) return nullptr;
  json value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json(text) : value;
}

// ---- reading

void read_digest(JsonObject& object, std::string_view key, std::string& out) {
  object.require(key, out);
  if (object.ok() && !is_hex_digest(out)) object.fail(key, "must be 64 lower-case hex digits");
}

void read_text(JsonObject& object, std::string_view key, std::string& out) {
  object.require(key, out);
  if (object.ok() && (out.empty() || has_control_character(out)))
    object.fail(key, "must be text without control characters, and not empty");
}

void read_key(JsonObject& manifest, EngineKey& key) {
  const json* value = manifest.require("key");
  if (value == nullptr) return;
  JsonObject object(*value, kRefused, "key");
  std::string hash;
  read_digest(object, "hash", hash);
  const json* fields = object.require("fields");
  if (fields != nullptr && !fields->is_object()) object.fail("fields", "must be an object: field -> value");
  if (fields != nullptr && fields->is_object()) {
    for (const auto& [name, field] : fields->items()) {
      if (!field.is_string()) {
        object.fail("fields", fmt::format("must hold text alone; {} is {}", in_quotes(name), field.type_name()));
        break;
      }
      key.fields.emplace(name, field.get<std::string>());
    }
  }
  if (object.ok() && key.fields.empty()) object.fail("fields", "must not be empty");
  if (object.ok() && key.hash() != hash)
    object.fail("hash", fmt::format("is {}, but the fields give {}", hash, key.hash()));
  manifest.fail_with(object.finish());
}

void read_layers(JsonObject& manifest, std::map<std::string, int>& layers) {
  const json* value = manifest.require("layers");
  if (value == nullptr) return;
  JsonObject object(*value, kRefused, "layers");
  if (value->is_object()) {
    for (const auto& [precision, count] : value->items()) {
      if (has_control_character(precision))
        return manifest.fail("layers", "must have names without control characters");
      object.require(precision, layers[precision], 0, INT32_MAX);
    }
  }
  manifest.fail_with(object.finish());
}

void read_chunks(JsonObject& manifest, EngineManifest& m) {
  manifest.require("chunks", m.chunks);
  read_digest(manifest, "root", m.root);
  if (!manifest.ok()) return;
  const std::uint64_t count = (m.size - 1) / EngineManifest::kChunkBytes + 1;
  if (m.chunks.size() != count) {
    return manifest.fail("chunks",
                         fmt::format("has {} digests; {} bytes have {} chunks", m.chunks.size(), m.size, count));
  }
  std::vector<Sha256::Digest> digests;
  for (const std::string& chunk : m.chunks) {
    const auto digest = parse_hex_digest(chunk);
    if (!digest) return manifest.fail("chunks", fmt::format("must hold digests alone; one is {}", in_quotes(chunk)));
    digests.push_back(*digest);
  }
  if (const std::string root = to_hex(root_of(digests)); root != m.root)
    manifest.fail("root", fmt::format("is {}, but the chunks give {}", m.root, root));
}

void read_golden(JsonObject& manifest, EngineManifest::Golden& golden) {
  const json* value = manifest.require("golden");
  if (value == nullptr || value->is_null()) return;
  JsonObject object(*value, kRefused, "golden");
  read_digest(object, "sha256", golden.sha256);
  object.require("frames", golden.frames, 1, 1 << 20);
  read_text(object, "source", golden.source);
  if (object.ok() && golden.source != "user" && golden.source != "calibration" && golden.source != "noise")
    object.fail("source", fmt::format("is {}; it must be user, calibration or noise", in_quotes(golden.source)));
  read_text(object, "reference", golden.reference);
  object.require("independent", golden.independent);
  manifest.fail_with(object.finish());
}

bool read_shape(const json& value, Shape& out) {
  std::vector<std::int64_t> dims;
  const bool is_list = value.is_array() && std::ranges::all_of(value, [&](const json& d) {
                         if (!d.is_number_integer()) return false;
                         if (d.is_number_unsigned() && d.get<std::uint64_t>() > INT64_MAX) return false;
                         dims.push_back(d.get<std::int64_t>());
                         return dims.back() >= Shape::kDynamic;
                       });
  const auto shape = is_list ? Shape::from(dims) : Result<Shape>(Status(kRefused, "no list"));
  if (shape.ok()) out = *shape;
  return shape.ok();
}

void read_specs(JsonObject& manifest, std::string_view key, std::vector<TensorSpec>& out) {
  const json* list = manifest.require(key);
  if (list == nullptr) return;
  if (!list->is_array() || list->empty()) return manifest.fail(key, "must be a list of tensors, and not empty");
  for (const json& item : *list) {
    JsonObject object(item, kRefused, fmt::format("{}[{}]", key, out.size()));
    TensorSpec spec;
    std::string dtype;
    object.require("name", spec.name);
    object.require("dtype", dtype);
    const json* shape = object.require("shape");
    if (object.ok()) {
      const auto parsed = parse_dtype(dtype);
      if (!parsed.ok()) object.fail("dtype", fmt::format("is {}, which is no element type", in_quotes(dtype)));
      if (parsed.ok()) spec.dtype = *parsed;
      if (!read_shape(*shape, spec.shape))
        object.fail("shape", "must be a list of at most 8 dimensions, each of 0 or more, or -1");
    }
    if (const Status status = object.finish(); !status.ok()) return manifest.fail_with(status);
    out.push_back(std::move(spec));
  }
}

/// An object that another class reads; the text comes back as that class writes it. Null gives "" where `may_miss`.
template <typename T>
void read_nested(JsonObject& manifest, std::string_view key, bool may_miss, std::string& out) {
  const json* value = manifest.require(key);
  if (value == nullptr || (may_miss && value->is_null())) return;
  if (!value->is_object()) return manifest.fail(key, fmt::format("must be an object, not {}", value->type_name()));
  const auto parsed = T::from_json(value->dump(), "");
  if (!parsed.ok()) {
    const Status status = parsed.status();
    return manifest.fail(key, fmt::format("is not usable: {}: {}", in_quotes(status.where()), status.message()));
  }
  out = parsed->to_json();
}

/// "2026-11-21T10:00:00Z"
bool is_utc_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";
  return std::ranges::equal(text, kForm,
                            [](char c, char form) { return form == 'd' ? c >= '0' && c <= '9' : c == form; });
}

void read_origin(JsonObject& manifest, EngineManifest& m) {
  manifest.require("build_seconds", m.build_seconds, 0, kMaxSeconds);
  manifest.require("built_at", m.built_at);
  if (manifest.ok() && !is_utc_time(m.built_at)) manifest.fail("built_at", "must be a time as 2026-11-21T10:00:00Z");
  manifest.require("driver", m.driver);
  if (manifest.ok() && has_control_character(m.driver)) manifest.fail("driver", "must have no control characters");
  read_text(manifest, "tern_version", m.tern_version);
}

void read_identity(JsonObject& manifest, EngineManifest& m) {
  std::uint64_t format = 0;
  manifest.require("format", format);
  if (manifest.ok() && format != kFormat)
    manifest.fail("format", fmt::format("is {}; this tern ({}) reads {}", format, version(), kFormat));
  read_key(manifest, m.key);
  read_text(manifest, "name", m.name);
  read_text(manifest, "stem", m.stem);
  read_text(manifest, "backend", m.backend);
  read_text(manifest, "backend_version", m.backend_version);
  read_text(manifest, "engine_id", m.engine_id);
  std::string precision;
  manifest.require("precision", precision);
  if (!manifest.ok()) return;
  const auto parsed = parse_precision(precision);
  if (!parsed.ok() || to_string(*parsed) != precision || *parsed == Precision::kAuto)
    return manifest.fail("precision",
                         fmt::format("is {}; it must be f32, f16, bf16, i8 or mixed", in_quotes(precision)));
  m.precision = *parsed;
}

/// Gate B's rule for compatible engines hangs on the key; the name tells people.
void check_compatibility(JsonObject& manifest, const EngineManifest& m, const EngineName& name) {
  const auto says = [&](const std::string& field, std::string_view value) {
    const auto found = m.key.fields.find(field);
    return found != m.key.fields.end() && found->second == value;
  };
  const bool is_ampere_plus = says("hardware", to_string(HardwareLevel::kAmperePlus));
  if (name.is_gpu() && (name.target == "hw_ampere_plus") != is_ampere_plus)
    manifest.fail("name", fmt::format("says {}, but the key says another set of GPUs", in_quotes(name.target)));
  if (name.version_compatible != says("version_compatible", "true"))
    manifest.fail("name", "and key differ in whether other versions of the backend can load the engine");
}

/// The parts that say the same thing twice.
void check_agreement(JsonObject& manifest, const EngineManifest& m) {
  if (!manifest.ok()) return;
  const auto name = EngineName::parse(m.name);
  if (!name.ok()) return manifest.fail("name", name.status().message());
  if (name->stem != m.stem)
    return manifest.fail("stem", fmt::format("is {}, but the name says {}", in_quotes(m.stem), in_quotes(name->stem)));
  if (name->precision != m.precision) {
    return manifest.fail(
        "precision", fmt::format("is {}, but the name says {}", to_string(m.precision), to_string(name->precision)));
  }
  check_compatibility(manifest, m, *name);
  const auto agrees = [&](std::string_view field, const std::string& value) {
    const auto found = m.key.fields.find(std::string(field));
    if (found != m.key.fields.end() && found->second != value)
      manifest.fail(field, fmt::format("is {}, but the key says {}", in_quotes(value), in_quotes(found->second)));
  };
  agrees("backend", m.backend);
  agrees("backend_version", m.backend_version);
  if (!m.contract.empty()) {
    if (const auto contract = Contract::from_json(m.contract, ""); contract.ok()) agrees("contract", contract->hash());
  }
}

}  // namespace

std::string EngineManifest::to_json() const {
  json golden_json = nullptr;
  if (!golden.sha256.empty()) {
    golden_json = {{"sha256", golden.sha256},
                   {"frames", golden.frames},
                   {"source", golden.source},
                   {"reference", golden.reference},
                   {"independent", golden.independent}};
  }
  const json document = {{"format", kFormat},
                         {"key", {{"fields", key.fields}, {"hash", key.hash()}}},
                         {"name", name},
                         {"stem", stem},
                         {"backend", backend},
                         {"backend_version", backend_version},
                         {"engine_id", engine_id},
                         {"precision", tern::to_string(precision)},
                         {"layers", layers},
                         {"notes", notes},
                         {"size", size},
                         {"sha256", sha256},
                         {"chunks", chunks},
                         {"root", root},
                         {"golden", golden_json},
                         {"opt_buffer_bytes", opt_buffer_bytes},
                         {"inputs", specs_json(inputs)},
                         {"outputs", specs_json(outputs)},
                         {"contract", nested(contract)},
                         {"build_config", nested(build_config)},
                         {"build_seconds", build_seconds},
                         {"built_at", built_at},
                         {"driver", driver},
                         {"tern_version", tern_version},
                         {"choice", choice ? tern::to_json(*choice) : json(nullptr)}};
  return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<EngineManifest> EngineManifest::from_json(std::string_view text, std::string_view where) {
  const auto refuse = [&](const Status& status) {
    return status.at(where).with_hint(
        "the manifest is damaged, or of another version of tern: compile the model again");
  };
  if (text.size() > kMaxBytes)
    return refuse(make_error(kRefused, "the manifest has {} bytes; the limit is {}", text.size(), kMaxBytes));
  const auto document = parse_strict_json(text, kRefused);
  if (!document.ok()) return refuse(document.status());
  EngineManifest m;
  JsonObject object(*document, kRefused);
  if (document->contains("$schema")) object.fail("$schema", "is not a known key");
  read_identity(object, m);
  read_layers(object, m.layers);
  object.require("notes", m.notes);
  if (std::ranges::any_of(m.notes, [](const std::string& note) { return has_control_character(note); }))
    object.fail("notes", "must hold lines without control characters");
  object.require("size", m.size, std::uint64_t{1});
  read_digest(object, "sha256", m.sha256);
  read_chunks(object, m);
  read_golden(object, m.golden);
  object.require("opt_buffer_bytes", m.opt_buffer_bytes);
  read_specs(object, "inputs", m.inputs);
  read_specs(object, "outputs", m.outputs);
  read_nested<Contract>(object, "contract", true, m.contract);
  read_nested<BuildConfig>(object, "build_config", false, m.build_config);
  read_origin(object, m);
  read_choice(object, "choice", kRefused, m.choice);
  check_agreement(object, m);
  if (const Status status = object.finish(); !status.ok()) return refuse(status);
  return m;
}

}  // namespace tern
