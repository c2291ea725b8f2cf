// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime_flags.h"

#include <array>

#include <CLI/CLI.hpp>

namespace tern {
namespace {

struct Flag {
  const char *flag, *key, *type, *help;
};

constexpr std::array<Flag, 8> kFlags{{
    {"--store", "store.path", "DIR", "Where engines are kept"},
    {"--golden-policy", "golden.policy", "POLICY",
     "Check engines against their golden frames: always, first_load or never"},
    {"--fallback", "fallback.policy", "POLICY", "May another backend serve instead: never, at_load or on_fault"},
    {"--trust-keys", "trust.keys", "DIR", "Refuse engines that none of these public keys (*.pub) has signed"},
    {"--sign", "sign.key", "FILE", "Sign engines built here with this private key"},
    {"--host-memory-budget", "host_memory_budget_bytes", "BYTES", "For engines that run on the CPU, e.g. 4GiB"},
    {"--gpu-memory-budget", "gpu_memory_budget_bytes", "BYTES", "For engines that run on a GPU, e.g. 4GiB"},
    {"--build-timeout", "build_timeout_s", "SECONDS", "Builds are ended after this long"},
}};

}  // namespace

void RuntimeFlags::declare(CLI::App& app) {
  app.add_option("--config", file_, "Configuration file (docs/configuration.md); flags and TERN_ variables win over it")
      ->type_name("FILE")
      ->group("Configuration");
  for (const Flag& flag : kFlags) {
    app.add_option_function<std::string>(
           flag.flag, [this, key = flag.key](const std::string& value) { given_[key] = value; }, flag.help)
        ->type_name(flag.type)
        ->group("Configuration");
  }
}

Result<RuntimeConfig> RuntimeFlags::resolve() const {
  std::optional<std::filesystem::path> file;
  if (file_) file = *file_;
  return RuntimeConfig::resolve(file, given_);
}

}  // namespace tern
