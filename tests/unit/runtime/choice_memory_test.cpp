// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What `auto` remembers of its measurements, and how it picks a winner.
#include "runtime/choice_memory.h"

#include <fstream>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "runtime/race.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

EngineKey key_of(const std::string& backend) {
  EngineKey key;
  key.fields = {{"backend", backend}, {"model", "m"}};
  return key;
}

class Memory : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tern-choice-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] fs::path only_file() const { return fs::directory_iterator(folder_ / "choices")->path(); }

  fs::path folder_;
  const std::vector<EngineKey> keys_{key_of("a"), key_of("b")};
  const BackendChoice choice_{.candidates = {{"b", "2", "f32", 1.5}, {"a", "1", "f32", 2.0}},
                              .runs = 12,
                              .measured_at = "2026-11-25T10:00:00Z"};
};

TEST_F(Memory, recalls_a_choice_among_the_same_engines_in_any_order) {
  const ChoiceMemory memory(folder_);
  EXPECT_FALSE(memory.recall(keys_));
  ASSERT_TRUE(memory.remember(keys_, choice_).ok());
  for (const auto& keys : {keys_, {keys_[1], keys_[0]}}) {
    const auto known = memory.recall(keys);
    ASSERT_TRUE(known);
    EXPECT_EQ(known->candidates.front().backend, "b");
    EXPECT_EQ(known->candidates[1].ms, 2.0);
    EXPECT_EQ(known->runs, 12);
  }
  EXPECT_FALSE(memory.recall({key_of("a"), key_of("another version of b")}));
  EXPECT_FALSE(memory.recall({key_of("a")}));
}

TEST_F(Memory, forgets_what_is_damaged_or_no_file) {
  const ChoiceMemory memory(folder_);
  ASSERT_TRUE(memory.remember(keys_, choice_).ok());
  const fs::path file = only_file();
  for (const char* text : {"", "{}", "{\"choice\": null}", "{\"choice\": {\"candidates\": []}}", "[1, 2"}) {
    std::ofstream(file) << text;
    EXPECT_FALSE(memory.recall(keys_)) << text;
  }
  ASSERT_TRUE(memory.remember(keys_, choice_).ok());
  EXPECT_TRUE(memory.recall(keys_));
  fs::rename(file, folder_ / "elsewhere");
  fs::create_symlink(folder_ / "elsewhere", file);
  EXPECT_FALSE(memory.recall(keys_)) << "through a link";
}

TEST_F(Memory, a_folder_that_refuses_is_an_error_of_its_own) {
  std::ofstream(folder_ / "file") << "in the way";
  EXPECT_EQ(ChoiceMemory(folder_ / "file").remember(keys_, choice_).code(), StatusCode::kIoError);
}

TEST(Winner, is_the_fastest_and_of_near_equals_the_preferred) {
  EXPECT_EQ(winner({10, 9, 12}), 1U);
  EXPECT_EQ(winner({9.1, 9, 12}), 0U) << "1 % is noise";
  EXPECT_EQ(winner({9.3, 12, 9}), 2U);
  EXPECT_EQ(winner({5}), 0U);
}

}  // namespace
}  // namespace tern
