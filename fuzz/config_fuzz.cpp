// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary text as the runtime's configuration file and as a build configuration: what is accepted can be printed, and what was
// printed is read as the same.
#include <cstdlib>

#include "runtime/config_keys.h"
#include "tern/engine.h"

namespace {

void try_runtime_config(std::string_view text) {
  const auto values = tern::read_config_json(text);
  if (!values.ok()) return;
  tern::RuntimeConfig config, again;
  for (const tern::ConfigKey& key : tern::config_keys()) {
    const auto value = values->find(std::string(key.name));
    if (value == values->end() || !key.set(config, value->second, "/folder", "/home/user").ok()) continue;
    const std::string printed = key.text(config);
    if (!key.set(again, printed, "/other", "").ok() || key.text(again) != printed) std::abort();
  }
}

void try_build_config(std::string_view text) {
  const auto config = tern::BuildConfig::from_json(text, "fuzz");
  if (!config.ok()) return;
  const std::string json = config->to_json();
  const auto again = tern::BuildConfig::from_json(json, "again");
  if (!again.ok() || again->to_json() != json) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_runtime_config(text);
  try_build_config(text);
  // Single values, as they come from flags and the environment.
  tern::RuntimeConfig config;
  for (const tern::ConfigKey& key : tern::config_keys())
    (void)key.set(config, std::string(text), "/folder", "/home/user");
  (void)tern::check_variable_names(std::vector<std::string>{"TERN_" + std::string(text)});
  (void)tern::parse_workspace(text);
  (void)tern::parse_profile(text);
  return 0;
}
