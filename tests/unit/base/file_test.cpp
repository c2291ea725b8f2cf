// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <csignal>
#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("tern_file_test_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(FileTest, reads_what_was_written) {
  const fs::path path = folder_ / "a.txt";
  ASSERT_TRUE(write_file(path, "hello").ok());
  EXPECT_EQ(read_text_file(path, 100).value(), "hello");
  EXPECT_EQ(files(), 1U) << "no temporary file may stay";
}

TEST_F(FileTest, reads_an_empty_file) {
  ASSERT_TRUE(write_file(folder_ / "empty", "").ok());
  EXPECT_EQ(read_file(folder_ / "empty", 0).value().size(), 0U);
}

TEST_F(FileTest, a_limit_is_exact_and_gives_the_code_asked_for) {
  ASSERT_TRUE(write_file(folder_ / "five", "12345").ok());
  EXPECT_TRUE(read_file(folder_ / "five", 5).ok());
  EXPECT_EQ(read_file(folder_ / "five", 4, StatusCode::kModelError).status().code(), StatusCode::kModelError);
}

TEST_F(FileTest, an_endless_file_ends_at_the_limit) {
  const auto zeros = read_file("/dev/zero", 1000);
  ASSERT_FALSE(zeros.ok());
  EXPECT_EQ(zeros.status().code(), StatusCode::kInputError);
}

TEST_F(FileTest, missing_files_and_folders_are_named) {
  EXPECT_EQ(read_file(folder_ / "nobody", 10).status().code(), StatusCode::kIoError);
  EXPECT_THAT(read_file(folder_ / "nobody", 10).status().where(), HasSubstr("nobody"));
  EXPECT_THAT(read_file(folder_, 10).status().message(), HasSubstr("folder"));
  EXPECT_EQ(write_file(folder_ / "no/such/folder", "x").code(), StatusCode::kIoError);
}

TEST_F(FileTest, without_a_commit_nothing_appears_and_the_old_file_stays) {
  const fs::path path = folder_ / "a";
  ASSERT_TRUE(write_file(path, "old").ok());
  {
    auto file = AtomicFile::create(path).value();
    ASSERT_TRUE(file.write("new").ok());
    EXPECT_EQ(read_text_file(path, 10).value(), "old") << "not before the commit";
  }
  EXPECT_EQ(read_text_file(path, 10).value(), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, the_temporary_file_keeps_the_extension) {
  const auto file = AtomicFile::create(folder_ / "video.mp4").value();
  EXPECT_EQ(file.temporary_path().extension(), ".mp4");
  EXPECT_EQ(file.temporary_path().parent_path(), folder_);
}

TEST_F(FileTest, a_write_that_the_system_refuses_is_an_error_and_leaves_nothing) {
  // A limit on file sizes makes write() fail half-way, as a full disk does.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 1000;
  ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = write_file(folder_ / "big", std::string(5000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_THAT(status.where(), HasSubstr("big"));
  EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace tern
