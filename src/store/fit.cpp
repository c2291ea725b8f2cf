// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "store/fit.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/error.h"
#include "model/text.h"
#include "store/gate_steps.h"
#include "tern/gate.h"

namespace tern {
namespace {

constexpr std::string_view kFit = "fit.";
constexpr std::string_view kBuildHere = "compile the model on this host: tern compile MODEL";

/// "10.6.0.26" -> 10, 6, 0, 26; nothing where the text is something else.
std::optional<std::vector<int>> numbers_of(std::string_view version) {
  std::vector<int> numbers;
  while (true) {
    int number = 0;
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
    if (error != std::errc() || number < 0) return std::nullopt;
    numbers.push_back(number);
    version.remove_prefix(static_cast<std::size_t>(end - version.data()));
    if (version.empty()) return numbers;
    if (version.front() != '.') return std::nullopt;
    version.remove_prefix(1);
  }
}

/// How the facts of one engine are compared with those of a host.
class FitRule {
 public:
  explicit FitRule(const EngineManifest& manifest)
      : manifest_(manifest),
        any_ampere_(field("hardware") == to_string(HardwareLevel::kAmperePlus)),
        any_newer_version_(field("version_compatible") == "true") {}

  [[nodiscard]] bool takes_version(std::string_view found) const {
    return any_newer_version_ ? is_forward_compatible(manifest_.backend_version, found)
                              : found == manifest_.backend_version;
  }
  [[nodiscard]] bool takes(std::string_view name, const std::string& recorded, std::string_view found) const {
    if (any_ampere_ && name == "cc") {
      const auto cc = numbers_of(found), least = numbers_of(kAmperePlusFit.substr(0, kAmperePlusFit.size() - 1));
      return recorded == kAmperePlusFit && cc && *cc >= *least;
    }
    if (any_newer_version_ && recorded == manifest_.backend_version) return takes_version(found);
    return recorded == found;
  }
  /// Whether an engine may be without this fact of a host.
  [[nodiscard]] bool may_miss(std::string_view name) const { return any_ampere_ && name == "sm_count"; }

 private:
  [[nodiscard]] std::string_view field(const std::string& name) const {
    const auto found = manifest_.key.fields.find(name);
    return found != manifest_.key.fields.end() ? std::string_view(found->second) : std::string_view();
  }
  const EngineManifest& manifest_;
  bool any_ampere_, any_newer_version_;
};

}  // namespace

bool is_forward_compatible(std::string_view made, std::string_view found) {
  const auto a = numbers_of(made), b = numbers_of(found);
  return a && b && a->front() == b->front() && *b >= *a;
}

Status gate_fit(const EngineManifest& manifest, std::string_view backend, const HostFacts& host) {
  const FitRule rule(manifest);
  const auto misfit = [&](std::string_view field, std::string_view found, std::string_view wanted,
                          std::string_view cure) { return refuse(field, found, wanted, cure).at(manifest.name); };
  if (manifest.backend != backend)
    return misfit("backend", in_quotes(manifest.backend), in_quotes(backend), "load it with the backend that made it");
  if (!rule.takes_version(host.version))
    return misfit("backend_version", in_quotes(manifest.backend_version), in_quotes(host.version), kBuildHere);
  // Both ways: a fact that only one of the two knows is a misfit as well.
  for (const auto& [name, value] : host.fit) {
    const std::string field = std::string(kFit) + name;
    const auto recorded = manifest.key.fields.find(field);
    if (recorded == manifest.key.fields.end()) {
      if (rule.may_miss(name)) continue;
      return misfit(field, "nothing", in_quotes(value), kBuildHere);
    }
    if (!rule.takes(name, recorded->second, value))
      return misfit(field, in_quotes(recorded->second), in_quotes(value), kBuildHere);
  }
  for (const auto& [field, value] : manifest.key.fields) {
    if (!field.starts_with(kFit)) continue;
    const std::string_view name = std::string_view(field).substr(kFit.size());
    if (std::ranges::find(host.fit, name, [](const auto& fact) { return std::string_view(fact.first); }) ==
        host.fit.end())
      return misfit(in_quotes(field), in_quotes(value), "nothing: this host does not know it", kBuildHere);
  }
  return {};
}

}  // namespace tern
