// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime_flags.h"

#include <algorithm>
#include <vector>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/config_keys.h"

namespace tern {
namespace {

Result<RuntimeConfig> resolved(std::vector<std::string> arguments) {
  CLI::App app("test", "tern");
  RuntimeFlags flags;
  flags.declare(app);
  std::ranges::reverse(arguments);  // as CLI11 takes a vector
  app.parse(arguments);
  return flags.resolve();
}

TEST(RuntimeFlags, every_flag_sets_the_key_that_the_table_gives_it) {
  int count = 0;
  for (const ConfigKey& key : config_keys()) {
    if (key.flag.empty()) continue;
    ++count;
    const auto words = key.words();
    const std::string value = !words.empty()                                          ? std::string(words.back())
                              : std::holds_alternative<ConfigKey::Path>(key.field)    ? "/some/where"
                              : std::holds_alternative<ConfigKey::Seconds>(key.field) ? "77"
                                                                                      : "3MiB";
    const auto config = resolved({std::string(key.flag), value});
    ASSERT_TRUE(config.ok()) << config.status().to_string();
    for (const auto& row : config->rows()) {
      if (row.key != key.name) continue;
      EXPECT_EQ(row.value, value) << row.key;
      EXPECT_EQ(row.origin, "flag " + std::string(key.flag));
    }
  }
  EXPECT_EQ(count, 8);
  CLI::App app("test", "tern");
  RuntimeFlags flags;
  flags.declare(app);
  EXPECT_EQ(app.get_options().size(), 8U + 2U);  // and --config, --help
}

TEST(RuntimeFlags, an_empty_path_takes_trust_back) {
  const auto config = resolved({"--trust-keys", ""});
  ASSERT_TRUE(config.ok()) << config.status().to_string();
  EXPECT_EQ(config->origins.at("trust.keys").detail, "--trust-keys");
}

TEST(RuntimeFlags, config_names_the_file) {
  EXPECT_EQ(resolved({"--config", "/nonexistent/tern.json"}).status().code(), StatusCode::kIoError);
}

}  // namespace
}  // namespace tern
