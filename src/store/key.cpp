// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "model/text.h"
#include "store/fit.h"
#include "tern/manifest.h"

namespace tern {
namespace {

/// A JSON value as a field: text as it is, "default" for what was left open, anything else as JSON.
std::string field_text(const nlohmann::json& value) {
  if (value.is_null()) return "default";
  if (value.is_string()) return value.get<std::string>();
  return value.dump();
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes)
    text += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
  return text;
}

}  // namespace

EngineKey EngineKey::of(const Model& model, std::string_view contract_hash, const BuildConfig& config,
                        std::string_view backend, const HostFacts& host, std::string_view calibration_hash) {
  EngineKey key;
  key.fields = {{"model", model.content_hash()},
                {"contract", std::string(contract_hash)},
                {"calibration", calibration_hash.empty() ? "none" : std::string(calibration_hash)},
                {"plugins", "none"},
                {"backend", std::string(backend)},
                {"backend_version", host.version}};
  // All that to_json() writes, so that an option that is added there cannot be forgotten here.
  const nlohmann::json options = nlohmann::json::parse(config.to_json());
  for (const auto& [name, value] : options.items()) {
    const bool is_no_part = name == "timeout_s" || name == "isolation" || name == "timing_cache" || name == "device" ||
                            name == "calibration";
    if (!is_no_part) key.fields[name] = field_text(value);
  }
  for (const auto& [name, value] : host.fit) {
    if (config.hardware == HardwareLevel::kThisGpu) {
      key.fields["fit." + name] = value;
    } else if (name != "sm_count") {
      key.fields["fit." + name] = name == "cc" ? std::string(kAmperePlusFit) : value;
    }
  }
  return key;
}

std::string EngineKey::hash() const {
  const bool is_text = std::ranges::all_of(fields, [](const auto& f) { return is_utf8(f.first) && is_utf8(f.second); });
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [name, value] : fields)
    object[is_text ? name : hex(name)] = is_text ? value : hex(value);
  Sha256 hash;
  // JSON holds UTF-8 alone; other bytes are hashed as hex digits, under a mark that keeps the two apart.
  hash.update(is_text ? "tern-key-v1\n" : "tern-key-v1-hex\n");
  hash.update(object.dump());
  return to_hex(hash.finish());
}

std::vector<std::string> EngineKey::differences(const EngineKey& other) const {
  std::set<std::string> names;
  for (const auto& [name, value] : fields) {
    const auto found = other.fields.find(name);
    if (found == other.fields.end() || found->second != value) names.insert(name);
  }
  for (const auto& [name, value] : other.fields) {
    if (!fields.contains(name)) names.insert(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace tern
