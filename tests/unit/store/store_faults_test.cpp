// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Disks that are full, read-only or not ours, and folders that are none.
#include <csignal>
#include <functional>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/gate.h"
#include "tern/store.h"
#include "unit/app/temporary_folder.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Fails every write beyond `bytes` of a file, as a full disk does.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit small = before_;
    small.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
};

/// A file system of its own, where the tests may mount one.
class Tmpfs {
 public:
  Tmpfs(fs::path path, const std::string& options) : path_(std::move(path)) {
    fs::create_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~Tmpfs() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  Tmpfs(const Tmpfs&) = delete;
  Tmpfs& operator=(const Tmpfs&) = delete;
  bool mounted() const { return mounted_; }
  void make_read_only() const { ASSERT_EQ(::mount("", path_.c_str(), "", MS_REMOUNT | MS_RDONLY, ""), 0); }

 private:
  fs::path path_;
  bool mounted_ = false;
};

std::ptrdiff_t count(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

void expect_io_error(const Status& status, const std::string& where) {
  EXPECT_EQ(status.code(), StatusCode::kIoError) << status.to_string();
  EXPECT_THAT(status.where(), HasSubstr(where));
  EXPECT_FALSE(status.hint().empty()) << status.to_string();
}

class StoreFaultsTest : public ::testing::Test {
 protected:
  /// `size` bytes of engine, a golden file of 20,000.
  test::Packed with_large_golden(std::size_t size) {
    test::Packed p = test::packed(1, size);
    EngineManifest m = EngineManifest::from_json(p.files.manifest, "m").value();
    p.files = pack_engine(m, p.engine, std::string(20'000, 'g'), nullptr).value();
    return p;
  }

  TemporaryFolder folder_;
  fs::path root_ = folder_ / "store";
  DirectoryStore store_{root_};
};

TEST_F(StoreFaultsTest, a_write_that_fails_in_any_file_leaves_no_entry_and_nothing_else) {
  struct Case {
    std::size_t engine;
    rlim_t limit;
    std::string file;
  };
  for (const Case& c : {Case{50'000, 30'000, ".engine"}, Case{100, 10'000, ".golden"}, Case{100, 0, ".engine"}}) {
    const test::Packed p = with_large_golden(c.engine);
    const auto entry = [&] {
      const FileLimit limit(c.limit);
      return store_.put(p.key, p.files);
    }();
    ASSERT_FALSE(entry.ok()) << c.file;
    expect_io_error(entry.status(), c.file);
    EXPECT_FALSE(store_.find(p.key).value().has_value());
    EXPECT_EQ(count(root_), 0) << c.file;
    ASSERT_TRUE(store_.put(p.key, p.files).ok()) << "the next one succeeds";
    fs::remove_all(root_);
  }
  // The manifest alone is too large.
  const test::Packed p = test::packed(1, 100);
  const auto entry = [&] {
    const FileLimit limit(1000);
    return store_.put(p.key, p.files);
  }();
  expect_io_error(entry.status(), ".engine.json");
  EXPECT_EQ(count(root_), 0);
}

TEST_F(StoreFaultsTest, a_failed_replacement_leaves_the_old_entry) {
  const test::Packed p = with_large_golden(100);
  const EngineEntry entry = store_.put(p.key, p.files).value();
  {
    const FileLimit limit(10'000);
    EXPECT_FALSE(store_.put(p.key, p.files).ok());
  }
  EXPECT_TRUE(gate_files(entry, {.key = &p.key}).ok());
  EXPECT_EQ(count(root_), 1);
}

TEST_F(StoreFaultsTest, a_full_disk_is_an_error_with_the_cure_and_the_old_entries_stay) {
  const Tmpfs disk(root_, "size=1m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << "these tests may not mount a file system";
  const test::Packed small = test::packed(1, 200'000), large = test::packed(2, 2'000'000);
  const EngineEntry old = store_.put(small.key, small.files).value();
  const auto entry = store_.put(large.key, large.files);
  ASSERT_FALSE(entry.ok());
  expect_io_error(entry.status(), ".engine");
  EXPECT_THAT(entry.status().hint(), HasSubstr("free some space"));
  EXPECT_TRUE(gate_files(old).ok());
  EXPECT_FALSE(store_.find(large.key).value().has_value());
  EXPECT_EQ(count(root_), 1) << "the half-written entry is gone, so that its space is free again";
  EXPECT_TRUE(store_.put(small.key, small.files).ok());
}

TEST_F(StoreFaultsTest, quarantine_works_on_a_full_disk) {
  const Tmpfs disk(root_, "size=1m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << "these tests may not mount a file system";
  const test::Packed p = test::packed(1, 200'000);
  const EngineEntry entry = store_.put(p.key, p.files).value();
  test::write(root_ / "filler", std::string(1'000'000, 'x'));
  EXPECT_TRUE(store_.quarantine(entry, Status(StatusCode::kEngineGateError, "bad")).ok());
  EXPECT_FALSE(store_.find(p.key).value().has_value());
  EXPECT_EQ(count(root_ / "quarantine"), 1);
}

TEST_F(StoreFaultsTest, a_read_only_disk_serves_what_it_has_and_takes_nothing) {
  const Tmpfs disk(root_, "size=4m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << "these tests may not mount a file system";
  const test::Packed p = test::packed(1), other = test::packed(2);
  const EngineEntry entry = store_.put(p.key, p.files).value();
  disk.make_read_only();
  ASSERT_TRUE(store_.find(p.key).value().has_value());
  EXPECT_TRUE(gate_files(entry, {.key = &p.key}).ok());
  EXPECT_EQ(store_.list().value().size(), 1U);
  EXPECT_THAT(store_.prune(UINT64_MAX).value(), IsEmpty());
  expect_io_error(store_.put(other.key, other.files).status(), "store");
  expect_io_error(store_.put(p.key, p.files).status(), "store");
  expect_io_error(store_.lock(p.key, {}).status(), "locks");
  expect_io_error(store_.quarantine(entry, Status(StatusCode::kEngineGateError, "bad")), "quarantine");
  expect_io_error(store_.prune(0).status(), "locks");
  EXPECT_TRUE(gate_files(entry, {.key = &p.key}).ok()) << "nothing changed";
}

TEST_F(StoreFaultsTest, folders_without_permission_are_errors_with_the_cure) {
  const test::Packed p = test::packed(1), other = test::packed(2);
  const EngineEntry entry = store_.put(p.key, p.files).value();
  ASSERT_TRUE(store_.lock(p.key, {}).ok());
  ::chmod(folder_.path().c_str(), 0755);
  if (::geteuid() == 0) {
    for (const auto& file : fs::recursive_directory_iterator(root_))
      ASSERT_EQ(::chown(file.path().c_str(), test::AsNobody::kNobody, test::AsNobody::kNobody), 0);
    ASSERT_EQ(::chown(root_.c_str(), test::AsNobody::kNobody, test::AsNobody::kNobody), 0);
  }
  for (const fs::path& path : {entry.engine.parent_path(), root_ / "locks", root_})
    ASSERT_EQ(::chmod(path.c_str(), 0555), 0);
  {
    const test::AsNobody user;
    EXPECT_TRUE(store_.find(p.key).value().has_value());
    EXPECT_TRUE(gate_files(entry, {.key = &p.key}).ok());
    EXPECT_EQ(store_.usage().value().size(), 1U);
    expect_io_error(store_.put(other.key, other.files).status(), "store");
    expect_io_error(store_.lock(other.key, {}).status(), "locks");
    expect_io_error(store_.quarantine(entry, Status(StatusCode::kEngineGateError, "bad")), "quarantine");
    expect_io_error(store_.prune(0).status(), "store");
    EXPECT_TRUE(gate_files(entry, {.key = &p.key}).ok()) << "nothing changed";
  }
  for (const fs::path& path : {root_, root_ / "locks", entry.engine.parent_path()})
    ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
}

TEST_F(StoreFaultsTest, a_store_that_may_not_be_read_is_an_error_and_not_empty) {
  const test::Packed p = test::packed(1);
  ASSERT_TRUE(store_.put(p.key, p.files).ok());
  ::chmod(folder_.path().c_str(), 0755);
  ASSERT_EQ(::chmod(root_.c_str(), 0000), 0);
  {
    const test::AsNobody user;
    expect_io_error(store_.find(p.key).status(), "store");
    expect_io_error(store_.list().status(), "store");
  }
  ASSERT_EQ(::chmod(root_.c_str(), 0700), 0);
}

TEST_F(StoreFaultsTest, a_file_in_the_place_of_the_store_is_an_error) {
  test::write(root_, "a file");
  const test::Packed p = test::packed(1);
  for (const Status& status : {store_.put(p.key, p.files).status(), store_.lock(p.key, {}).status(),
                               store_.find(p.key).status(), store_.list().status(), store_.prune(0).status()}) {
    EXPECT_EQ(status.code(), StatusCode::kIoError);
    EXPECT_THAT(status.to_string(), HasSubstr("Not a directory"));
  }
}

TEST_F(StoreFaultsTest, a_file_in_the_place_of_an_entry_is_no_entry_and_no_obstacle_to_others) {
  const test::Packed p = test::packed(1), other = test::packed(2);
  fs::create_directories(root_);
  test::write(root_ / p.key.hash().substr(0, 16), "a file");
  EXPECT_EQ(store_.find(p.key).status().code(), StatusCode::kIoError);
  EXPECT_EQ(store_.put(p.key, p.files).status().code(), StatusCode::kIoError);
  EXPECT_TRUE(store_.put(other.key, other.files).ok());
  EXPECT_EQ(store_.list().value().size(), 1U);
}

}  // namespace
}  // namespace tern
