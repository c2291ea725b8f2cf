// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/config.h"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/byte_size.h"
#include "base/file.h"
#include "runtime/config_keys.h"
#include "tern/store.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Source = RuntimeConfig::Origin::Source;
using Variables = std::map<std::string, std::string>;

class Config : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tern-config-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    variables_["HOME"] = folder_ / "home";
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] RuntimeConfig::Environment environment() const {
    return [this](const std::string& name) -> std::optional<std::string> {
      const auto it = variables_.find(name);
      return it == variables_.end() ? std::nullopt : std::optional(it->second);
    };
  }
  fs::path write(const std::string& text, const fs::path& name = "tern.json") {
    fs::create_directories((folder_ / name).parent_path());
    EXPECT_TRUE(write_file(folder_ / name, text).ok());
    return folder_ / name;
  }
  Result<RuntimeConfig> from_file(const std::string& text, const RuntimeConfig::Flags& flags = {}) {
    return RuntimeConfig::resolve(write(text), flags, environment());
  }
  [[nodiscard]] Result<RuntimeConfig> resolve(const RuntimeConfig::Flags& flags = {}) const {
    return RuntimeConfig::resolve({}, flags, environment());
  }

  fs::path folder_;
  Variables variables_;
};

/// {"store": {"path": value}} for store.path.
std::string file_with(const std::string& key, const json& value) {
  const std::size_t dot = key.find('.');
  const json document =
      dot == std::string::npos ? json{{key, value}} : json{{key.substr(0, dot), {{key.substr(dot + 1), value}}}};
  return document.dump();
}

/// Values that a key takes, none of them its default, and one that it refuses.
struct Samples {
  json file;
  std::string environment, flag;
};
Samples samples_of(const ConfigKey& key) {
  if (std::holds_alternative<ConfigKey::Path>(key.field)) return {"/from/file", "/from/environment", "/from/flag"};
  if (std::holds_alternative<ConfigKey::Bytes>(key.field)) return {"1MiB", "2MiB", "3MiB"};
  if (std::holds_alternative<ConfigKey::Seconds>(key.field)) return {11, "12", "13"};
  if (key.name == "golden.policy") return {"always", "never", "always"};
  return {"at_load", "on_fault", "at_load"};
}

std::string as_text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

RuntimeConfig::Row row_of(const RuntimeConfig& config, std::string_view key) {
  for (const auto& row : config.rows()) {
    if (row.key == key) return row;
  }
  ADD_FAILURE() << key;
  return {};
}

TEST_F(Config, defaults_are_those_of_the_design) {
  const RuntimeConfig config = resolve().value();
  EXPECT_EQ(config.store_path, folder_ / "home/.cache/tern/engines");
  EXPECT_EQ(config.state_path, folder_ / "home/.local/state/tern");
  EXPECT_EQ(config.store_max_bytes, 0U);
  EXPECT_EQ(config.gpu_memory_budget_bytes, 4ULL << 30);
  EXPECT_EQ(config.host_memory_budget_bytes, 4ULL << 30);
  EXPECT_EQ(config.engine_memory_limit_bytes, 0U);
  EXPECT_EQ(config.build_timeout_s, 600U);
  EXPECT_EQ(config.build_memory_limit_bytes, 0U);
  EXPECT_EQ(config.golden_policy, GoldenPolicy::kFirstLoad);
  EXPECT_EQ(config.fallback_policy, FallbackPolicy::kNever);
  EXPECT_TRUE(config.trust_keys.empty());
  EXPECT_TRUE(config.sign_key.empty());
  for (const auto& row : config.rows())
    EXPECT_EQ(row.origin, "default") << row.key;
}

TEST_F(Config, rows_have_every_key_in_order) {
  std::vector<std::string> keys;
  const RuntimeConfig config = resolve().value();
  for (const auto& row : config.rows())
    keys.push_back(row.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"store.path", "store.max_bytes", "state.path", "gpu_memory_budget_bytes",
                                            "host_memory_budget_bytes", "engine_memory_limit_bytes", "build_timeout_s",
                                            "build_memory_limit_bytes", "golden.policy", "fallback.policy",
                                            "trust.keys", "sign.key"}));
  EXPECT_EQ(row_of(config, "gpu_memory_budget_bytes").value, "4GiB");
  EXPECT_EQ(row_of(config, "trust.keys").value, "");
}

TEST_F(Config, precedence_holds_for_every_key) {
  for (const ConfigKey& key : config_keys()) {
    const std::string name(key.name);
    const Samples samples = samples_of(key);
    const fs::path file = write(file_with(name, samples.file));

    variables_ = {{"HOME", "/home/me"}};
    RuntimeConfig config = RuntimeConfig::resolve(file, {}, environment()).value();
    EXPECT_EQ(row_of(config, name).value, as_text(samples.file)) << name;
    EXPECT_EQ(row_of(config, name).origin, "file " + file.string()) << name;
    EXPECT_EQ(config.origins[name].source, Source::kFile);

    variables_[key.variable()] = samples.environment;
    config = RuntimeConfig::resolve(file, {}, environment()).value();
    EXPECT_EQ(row_of(config, name).value, samples.environment) << name;
    EXPECT_EQ(row_of(config, name).origin, "environment " + key.variable()) << name;

    config = RuntimeConfig::resolve(file, {{name, samples.flag}}, environment()).value();
    EXPECT_EQ(row_of(config, name).value, samples.flag) << name;
    EXPECT_EQ(config.origins[name].source, Source::kFlag);
    EXPECT_EQ(row_of(config, name).origin, "flag " + std::string(key.flag.empty() ? key.name : key.flag)) << name;
    // No other key was touched.
    for (const auto& row : config.rows())
      EXPECT_EQ(row.origin == "default", row.key != name) << row.key;
  }
}

TEST_F(Config, variables_are_the_keys_in_capitals) {
  std::set<std::string> variables;
  for (const ConfigKey& key : config_keys())
    variables.insert(key.variable());
  EXPECT_EQ(variables.size(), config_keys().size());
  EXPECT_TRUE(variables.contains("TERN_STORE_MAX_BYTES"));
  EXPECT_TRUE(variables.contains("TERN_GPU_MEMORY_BUDGET_BYTES"));
}

TEST_F(Config, an_empty_variable_is_as_good_as_none) {
  for (const ConfigKey& key : config_keys())
    variables_[key.variable()] = "";
  const auto config = from_file(file_with("trust.keys", "/etc/keys"));
  ASSERT_TRUE(config.ok()) << config.status().to_string();
  EXPECT_EQ(config->trust_keys, "/etc/keys");
}

TEST_F(Config, every_bad_value_is_refused_with_key_value_and_origin) {
  struct Bad {
    std::string key, value;
  };
  std::vector<Bad> table;
  for (const ConfigKey& key : config_keys()) {
    const auto add = [&](std::initializer_list<const char*> values) {
      for (const char* value : values)
        table.push_back({std::string(key.name), value});
    };
    if (std::holds_alternative<ConfigKey::Bytes>(key.field)) {
      add({"-1", "1.5GiB", "4 Gibi", "GiB", "0x10", "1e9", "18446744073709551616", "17179869184GiB", "4gib", "1GiB ",
           " 1GiB", "+1"});
      if (!std::get<ConfigKey::Bytes>(key.field).may_be_zero) add({"0", "0GiB"});
    }
    if (std::holds_alternative<ConfigKey::Seconds>(key.field))
      add({"0", "-1", "1.5", "10s", "604801", "99999999999999999999", " 1"});
    if (!key.words().empty()) add({"Always", "always ", "sometimes", "0", "true"});
    if (std::holds_alternative<ConfigKey::Path>(key.field)) add({"/a\nb", "/a\x7F", "\x1B[31m"});
  }
  for (const char* key : {"gpu_memory_budget_bytes", "host_memory_budget_bytes"})
    EXPECT_TRUE(std::ranges::any_of(table, [&](const Bad& bad) { return bad.key == key && bad.value == "0"; })) << key;
  for (const auto& [key, value] : table) {
    variables_ = {{"HOME", "/home/me"}};
    const Status flag = resolve({{key, value}}).status();
    EXPECT_EQ(flag.code(), StatusCode::kConfigError) << key << "=" << value;
    EXPECT_THAT(flag.where(), HasSubstr(key));
    EXPECT_THAT(flag.message(), HasSubstr("must be")) << "";
    EXPECT_TRUE(std::ranges::none_of(flag.message(), [](unsigned char c) { return c < 0x20; }));

    for (const ConfigKey& row : config_keys()) {
      if (row.name == key) variables_[row.variable()] = value;
    }
    const Status environment = resolve().status();
    EXPECT_EQ(environment.code(), StatusCode::kConfigError) << key << "=" << value;
    EXPECT_THAT(environment.where(), AllOf(HasSubstr("TERN_"), HasSubstr(key)));

    variables_ = {{"HOME", "/home/me"}};
    if (key == "build_timeout_s") continue;  // a number in the file, see below
    const Status file = from_file(file_with(key, value)).status();
    EXPECT_EQ(file.code(), StatusCode::kConfigError) << key << "=" << value;
    EXPECT_THAT(file.where(), AllOf(HasSubstr("tern.json"), HasSubstr(key)));
  }
}

TEST_F(Config, a_value_of_a_wrong_type_in_the_file_is_refused) {
  const json list = json::array({1}), object = {{"a", 1}};
  for (const ConfigKey& key : config_keys()) {
    const std::string name(key.name);
    std::vector<json> wrong{nullptr, true, list, object, -1, 1.5};
    if (std::holds_alternative<ConfigKey::Seconds>(key.field)) {
      wrong.insert(wrong.end(), {json(0), json("600"), json(604801)});
    } else if (!std::holds_alternative<ConfigKey::Bytes>(key.field)) {
      wrong.emplace_back(5);
    }
    for (const json& value : wrong) {
      const Status status = from_file(file_with(name, value)).status();
      EXPECT_EQ(status.code(), StatusCode::kConfigError) << name << "=" << value;
      EXPECT_THAT(status.where(), AllOf(HasSubstr("tern.json"), HasSubstr(name)));
      EXPECT_THAT(status.message(), HasSubstr("must be")) << name << "=" << value;
    }
  }
}

TEST_F(Config, sizes_may_be_numbers_or_texts) {
  const auto size = [&](const json& value) {
    return from_file(file_with("gpu_memory_budget_bytes", value)).value().gpu_memory_budget_bytes;
  };
  EXPECT_EQ(size(1), 1U);
  EXPECT_EQ(size("4GiB"), 4ULL << 30);
  EXPECT_EQ(size("2GB"), 2'000'000'000U);
  EXPECT_EQ(size("10 MiB"), 10U << 20);
  EXPECT_EQ(size(UINT64_MAX), UINT64_MAX);
}

TEST_F(Config, unknown_keys_are_refused_with_a_suggestion) {
  const auto refused = [&](const std::string& text) {
    const Status status = from_file(text).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << text;
    return status.to_string();
  };
  EXPECT_THAT(refused(R"({"store": {"pth": "/a"}})"), AllOf(HasSubstr("store.'pth'"), HasSubstr("'path'")));
  EXPECT_THAT(refused(R"({"gpu_memory_budget": 1})"), HasSubstr("'gpu_memory_budget_bytes'"));
  EXPECT_THAT(refused(R"({"stores": {}})"), HasSubstr("'store'"));
  EXPECT_THAT(refused(R"({"xyzzy": 1})"), HasSubstr("known: "));
  EXPECT_THAT(refused(R"({"store.path": "/a"})"), HasSubstr("store"));
  EXPECT_THAT(refused(R"({"store": "/a"})"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(refused(R"({"store": {"path": "/a"}, "store": {}})"), HasSubstr("twice"));
  EXPECT_THAT(refused("[]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(refused(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(refused("{} x"), HasSubstr("not valid JSON"));
  EXPECT_TRUE(from_file(R"({"$schema": "runtime-config.schema.json", "store": {"$schema": "x"}})").ok());
  EXPECT_TRUE(from_file("{}").ok());
}

TEST_F(Config, unknown_flags_are_refused_with_a_suggestion) {
  const Status status = resolve({{"golden.polcy", "always"}}).status();
  EXPECT_EQ(status.code(), StatusCode::kConfigError);
  EXPECT_THAT(status.to_string(), AllOf(HasSubstr("'golden.polcy'"), HasSubstr("'golden.policy'")));
}

TEST_F(Config, misspelled_variables_are_refused_and_others_left_alone) {
  const auto check = [](const std::string& name) { return check_variable_names(std::vector<std::string>{name}); };
  for (const auto& [name, meant] :
       std::vector<std::pair<std::string, std::string>>{{"TERN_STORE_PAHT", "TERN_STORE_PATH"},
                                                        {"TERN_STOREPATH", "TERN_STORE_PATH"},
                                                        {"TERN_GPU_MEMORY_BUDGET", "TERN_GPU_MEMORY_BUDGET_BYTES"},
                                                        {"TERN_BUILD_TIMEOUT", "TERN_BUILD_TIMEOUT_S"},
                                                        {"TERN_TRUST_KEY", "TERN_TRUST_KEYS"}}) {
    const Status status = check(name);
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << name;
    EXPECT_THAT(status.where(), HasSubstr(name));
    EXPECT_THAT(status.hint(), HasSubstr("'" + meant + "'"));
  }
  for (const char* name : {"TERN_PLUGIN_PATH", "TERN_BUILD_WORKER", "TERN_BENCH_OPENVINO", "TERN_SOURCE_DIR", "TERN_",
                           "PATH", "STORE_PAHT", "MY_TERN_STORE_PAHT", "tern_store_paht"})
    EXPECT_TRUE(check(name).ok()) << name;
  for (const ConfigKey& key : config_keys())
    EXPECT_TRUE(check(key.variable()).ok()) << key.name;
}

TEST_F(Config, the_processs_own_environment_is_read_and_checked) {
  ::setenv("TERN_STATE_PATH", "/from/process", 1);
  const auto config = RuntimeConfig::resolve(write("{}"), {});
  ::setenv("TERN_STATE_PTH", "/x", 1);
  const auto misspelled = RuntimeConfig::resolve(write("{}"), {});
  ::unsetenv("TERN_STATE_PTH");
  ::unsetenv("TERN_STATE_PATH");
  ASSERT_TRUE(config.ok()) << config.status().to_string();
  EXPECT_EQ(config->state_path, "/from/process");
  EXPECT_EQ(misspelled.status().code(), StatusCode::kConfigError);
  EXPECT_THAT(misspelled.status().hint(), HasSubstr("'TERN_STATE_PATH'"));
}

TEST_F(Config, the_stores_own_default_is_the_same_folder) {
  ::unsetenv("TERN_STORE_PATH");  // the test preset sets it
  const RuntimeConfig config = RuntimeConfig::resolve(write("{}"), {}).value();
  EXPECT_EQ(config.store_path, DirectoryStore::default_root().value());
}

TEST_F(Config, xdg_folders_win_over_home) {
  variables_["XDG_CACHE_HOME"] = "/xdg/cache";
  variables_["XDG_STATE_HOME"] = "/xdg/state";
  RuntimeConfig config = resolve().value();
  EXPECT_EQ(config.store_path, "/xdg/cache/tern/engines");
  EXPECT_EQ(config.state_path, "/xdg/state/tern");
  variables_["XDG_CACHE_HOME"] = "relative/is/ignored";
  config = resolve().value();
  EXPECT_EQ(config.store_path, folder_ / "home/.cache/tern/engines");
}

TEST_F(Config, without_home_the_folders_must_be_given) {
  variables_.clear();
  Status status = resolve().status();
  EXPECT_EQ(status.code(), StatusCode::kConfigError);
  EXPECT_EQ(status.where(), "store.path");
  EXPECT_THAT(status.hint(), HasSubstr("TERN_STORE_PATH"));
  status = resolve({{"store.path", "/s"}}).status();
  EXPECT_EQ(status.where(), "state.path");
  variables_["TERN_STATE_PATH"] = "/t";
  EXPECT_TRUE(resolve({{"store.path", "/s"}}).ok());
  variables_["HOME"] = "not/absolute";
  EXPECT_FALSE(resolve().ok());
}

TEST_F(Config, the_users_file_is_read_where_it_exists) {
  const fs::path file = write(file_with("build_timeout_s", 7), "home/.config/tern/config.json");
  RuntimeConfig config = resolve().value();
  EXPECT_EQ(config.build_timeout_s, 7U);
  EXPECT_EQ(config.origins["build_timeout_s"].detail, file.string());

  write(file_with("build_timeout_s", 8), "xdg/tern/config.json");
  variables_["XDG_CONFIG_HOME"] = folder_ / "xdg";
  EXPECT_EQ(resolve()->build_timeout_s, 8U);
  EXPECT_EQ(from_file("{}")->build_timeout_s, 600U);  // a file that is named stands alone
}

TEST_F(Config, a_file_that_cannot_be_read_is_an_error) {
  EXPECT_EQ(RuntimeConfig::resolve(folder_ / "none.json", {}, environment()).status().code(), StatusCode::kIoError);
  EXPECT_EQ(RuntimeConfig::resolve(folder_, {}, environment()).status().code(), StatusCode::kIoError);
  // The user's own file, too, when something is in its place.
  fs::create_directories(folder_ / "home/.config/tern/config.json");
  EXPECT_EQ(resolve().status().code(), StatusCode::kIoError);
  EXPECT_FALSE(from_file("\"" + std::string(2 << 20, 'a') + "\"").ok());
}

TEST_F(Config, paths_become_absolute) {
  fs::create_directories(folder_ / "conf");
  const fs::path file = write(R"({"store": {"path": "../engines"}, "trust": {"keys": "keys"}, "sign": {"key": "~/k"}})",
                              "conf/tern.json");
  const RuntimeConfig config = RuntimeConfig::resolve(file, {}, environment()).value();
  EXPECT_EQ(config.store_path, folder_ / "engines");
  EXPECT_EQ(config.trust_keys, folder_ / "conf/keys");
  EXPECT_EQ(config.sign_key, folder_ / "home/k");

  const RuntimeConfig flags = resolve({{"store.path", "engines"}, {"trust.keys", "~"}, {"sign.key", "~me/k"}}).value();
  EXPECT_EQ(flags.store_path, fs::current_path() / "engines");
  EXPECT_EQ(flags.trust_keys, folder_ / "home");
  EXPECT_EQ(flags.sign_key, fs::current_path() / "~me/k");

  variables_ = {{"XDG_CACHE_HOME", "/c"}, {"XDG_STATE_HOME", "/s"}};
  EXPECT_EQ(resolve({{"sign.key", "~/k"}}).status().code(), StatusCode::kConfigError);
}

TEST_F(Config, keys_of_trust_may_be_taken_back_and_folders_may_not) {
  const fs::path file = write(R"({"trust": {"keys": "/k"}, "sign": {"key": "/s"}})");
  const auto none = RuntimeConfig::resolve(file, {{"trust.keys", ""}, {"sign.key", ""}}, environment());
  ASSERT_TRUE(none.ok()) << none.status().to_string();
  EXPECT_TRUE(none->trust_keys.empty());
  EXPECT_TRUE(none->sign_key.empty());
  for (const char* key : {"store.path", "state.path"}) {
    EXPECT_EQ(RuntimeConfig::resolve(file, {{key, ""}}, environment()).status().code(), StatusCode::kConfigError);
  }
}

TEST_F(Config, what_rows_print_is_read_as_the_same) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 300; ++i) {
    RuntimeConfig::Flags flags;
    for (const ConfigKey& key : config_keys()) {
      const auto number = (random() >> (random() % 64)) | 1U;
      if (std::holds_alternative<ConfigKey::Bytes>(key.field))
        flags[std::string(key.name)] = std::to_string(i % 2 == 0 ? number : number % 1000 << 30 | 1 << 30);
      if (std::holds_alternative<ConfigKey::Seconds>(key.field))
        flags[std::string(key.name)] = std::to_string(number % 604800 + 1);
      if (const auto words = key.words(); !words.empty()) flags[std::string(key.name)] = words[random() % words.size()];
    }
    const RuntimeConfig config = resolve(flags).value();
    RuntimeConfig::Flags printed;
    for (const auto& row : config.rows())
      printed[row.key] = row.value;
    const RuntimeConfig again = resolve(printed).value();
    const auto a = config.rows(), b = again.rows();
    for (std::size_t k = 0; k < a.size(); ++k)
      EXPECT_EQ(a[k].value, b[k].value) << a[k].key;
    EXPECT_EQ(again.gpu_memory_budget_bytes, config.gpu_memory_budget_bytes);
    EXPECT_EQ(again.store_max_bytes, parse_byte_size(flags["store.max_bytes"]).value());
  }
}

}  // namespace
}  // namespace tern
