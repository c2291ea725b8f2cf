// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/engine.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::map<std::string, BackendRegistry::Entry> load_misfits() {
  const std::array<fs::path, 1> folders{MISFIT_FOLDER};
  std::map<std::string, BackendRegistry::Entry> entries;
  const BackendRegistry registry = BackendRegistry::load_from(folders);
  for (const auto& entry : registry.entries())
    entries[entry.plugin.filename().string()] = entry;
  return entries;
}

TEST(Registry, refuses_every_misfit_with_its_own_reason) {
  auto entries = load_misfits();
  const std::map<std::string, std::string> reasons{{"libtern_wrong_abi.so", "ABI 99"},
                                                   {"libtern_wrong_version.so", "tern 0.0.1"},
                                                   {"libtern_wrong_compiler.so", "babbage 1"},
                                                   {"libtern_will_not_start.so", "the moon is not full"},
                                                   {"libtern_no_entry.so", "tern_backend_v1"}};
  EXPECT_EQ(entries.size(), reasons.size());
  for (const auto& [file, reason] : reasons) {
    ASSERT_TRUE(entries.contains(file)) << file;
    EXPECT_EQ(entries[file].backend, nullptr) << file;
    EXPECT_EQ(entries[file].status.code(), StatusCode::kBackendError) << file;
    EXPECT_THAT(entries[file].status.message(), HasSubstr(reason)) << file;
    EXPECT_FALSE(entries[file].status.hint().empty()) << file;
  }
}

TEST(Registry, a_file_that_is_no_library_is_an_entry_with_its_reason) {
  const fs::path folder = fs::path(testing::TempDir()) / "tern_registry_test";
  fs::create_directories(folder);
  std::ofstream(folder / "libtern_text.so") << "not a library";
  std::ofstream(folder / "unrelated.so") << "not looked at";
  const std::array<fs::path, 1> folders{folder};
  const auto registry = BackendRegistry::load_from(folders);
  ASSERT_EQ(registry.entries().size(), 1U);
  EXPECT_FALSE(registry.entries()[0].status.ok());
  const auto found = registry.find("auto");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.status().code(), StatusCode::kBackendError);
  EXPECT_THAT(found.status().to_string(), HasSubstr("libtern_text.so"));
  fs::remove_all(folder);
}

TEST(Registry, without_plugins_it_says_where_they_belong) {
  const std::array<fs::path, 1> folders{"/nonexistent"};
  const auto found = BackendRegistry::load_from(folders).find("auto");
  ASSERT_FALSE(found.ok());
  EXPECT_THAT(found.status().hint(), HasSubstr("TERN_PLUGIN_PATH"));
}

TEST(Registry, relative_folders_of_the_path_variable_are_never_searched) {
  const fs::path before = fs::current_path();
  fs::current_path(fs::path(MISFIT_FOLDER).parent_path());
  ::setenv("TERN_PLUGIN_PATH", "misfits:./misfits::.", 1);
  const auto registry = BackendRegistry::load();
  ::unsetenv("TERN_PLUGIN_PATH");
  fs::current_path(before);
  EXPECT_TRUE(registry.entries().empty());
}

TEST(Registry, the_path_variable_replaces_the_default_folder) {
  ::setenv("TERN_PLUGIN_PATH", MISFIT_FOLDER, 1);
  const auto registry = BackendRegistry::load();
  ::unsetenv("TERN_PLUGIN_PATH");
  EXPECT_EQ(registry.entries().size(), 5U);
}

}  // namespace
}  // namespace tern
