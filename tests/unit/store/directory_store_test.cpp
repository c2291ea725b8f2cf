// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/entry.h"
#include "tern/gate.h"
#include "tern/store.h"
#include "unit/app/temporary_folder.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DirectoryStoreTest : public ::testing::Test {
 protected:
  fs::path folder_of(const EngineKey& key) const { return root_ / key.hash().substr(0, 16); }
  EngineEntry put(const test::Packed& p) { return store_.put(p.key, p.files).value(); }
  /// When an entry was last used, in seconds since 1970.
  void set_last_use(const EngineKey& key, std::int64_t seconds) {
    const timespec times[2]{{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, folder_of(key).c_str(), times, 0), 0);
  }
  std::vector<std::string> names(const fs::path& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }

  TemporaryFolder folder_;
  fs::path root_ = folder_ / "a/store";
  DirectoryStore store_{root_};
};

TEST_F(DirectoryStoreTest, what_is_put_is_found_whole) {
  const SigningKey signer = SigningKey::generate().value();
  const test::Packed p = test::packed(1, 5000, &signer);
  const EngineEntry entry = put(p);
  EXPECT_EQ(entry.engine, folder_of(p.key) / p.files.name);
  const auto found = store_.find(p.key).value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->engine, entry.engine);
  EXPECT_EQ(test::read(entry.engine), std::string(reinterpret_cast<const char*>(p.engine.data()), p.engine.size()));
  EXPECT_EQ(test::read(entry.manifest()), p.files.manifest);
  EXPECT_EQ(test::read(entry.sha256()), p.files.sha256);
  EXPECT_EQ(test::read(entry.golden()), p.files.golden);
  EXPECT_EQ(test::read(entry.signature()), p.files.signature);
  EXPECT_TRUE(gate_files(entry, {.key = &p.key}).ok());
  EXPECT_THAT(names(root_), ElementsAre(p.key.hash().substr(0, 16))) << "no temporary folder may stay";
  EXPECT_EQ(names(folder_of(p.key)).size(), 5U);
}

TEST_F(DirectoryStoreTest, a_store_that_does_not_exist_is_empty) {
  EXPECT_FALSE(store_.find(test::sample_key()).value().has_value());
  EXPECT_THAT(store_.list().value(), IsEmpty());
  EXPECT_THAT(store_.usage().value(), IsEmpty());
  EXPECT_THAT(store_.prune(0).value(), IsEmpty());
  EXPECT_FALSE(fs::exists(root_)) << "reading makes no folder";
}

TEST_F(DirectoryStoreTest, another_key_is_not_found) {
  put(test::packed(1));
  EXPECT_FALSE(store_.find(test::packed(2).key).value().has_value());
}

TEST_F(DirectoryStoreTest, folders_are_private_and_files_not_writable_by_others_whatever_the_umask) {
  const mode_t before = ::umask(0);
  const EngineEntry entry = put(test::packed(1));
  const auto lock = store_.lock(test::sample_key(), {});
  ::umask(before);
  ASSERT_TRUE(lock.ok());
  struct stat info {};
  for (const fs::path& path : {root_, root_ / "locks", entry.engine.parent_path()}) {
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0700U) << path;
  }
  for (const auto& file : fs::directory_iterator(entry.engine.parent_path())) {
    ASSERT_EQ(::stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0133U, 0U) << file.path();
  }
}

TEST_F(DirectoryStoreTest, an_entry_of_the_same_key_is_replaced_whole) {
  const SigningKey signer = SigningKey::generate().value();
  const test::Packed first = test::packed(1, 5000, &signer);
  put(first);
  // Another build of the key: other bytes, no signature, no golden frames.
  EngineManifest m = test::sample_manifest("model1");
  const auto engine = test::random_bytes(300, 99);
  const EngineFiles files = pack_engine(m, engine, "", nullptr).value();
  const EngineEntry entry = store_.put(first.key, files).value();
  EXPECT_EQ(gate_files(entry, {.key = &first.key}).value().manifest.size, 300U);
  EXPECT_EQ(names(folder_of(first.key)).size(), 3U) << "no golden file or signature of the old one";
  EXPECT_EQ(names(root_).size(), 1U);
}

TEST_F(DirectoryStoreTest, another_key_with_the_same_16_digits_is_refused_and_both_are_named) {
  const test::Packed a = test::packed(1), b = test::packed(2);
  put(b);
  fs::rename(folder_of(b.key), folder_of(a.key));
  const auto entry = store_.put(a.key, a.files);
  ASSERT_FALSE(entry.ok());
  EXPECT_EQ(entry.status().code(), StatusCode::kIoError);
  EXPECT_THAT(entry.status().message(), HasSubstr(a.key.hash()));
  EXPECT_THAT(entry.status().message(), HasSubstr(b.key.hash()));
  EXPECT_EQ(test::read(folder_of(a.key) / (b.files.name + ".json")), b.files.manifest) << "it stays as it was";
  EXPECT_EQ(names(root_).size(), 1U);
}

TEST_F(DirectoryStoreTest, an_entry_that_cannot_be_read_is_quarantined_before_the_new_one_comes) {
  const test::Packed p = test::packed(1);
  const EngineEntry entry = put(p);
  test::write(entry.manifest(), "{ damaged");
  ASSERT_TRUE(store_.put(p.key, p.files).ok());
  EXPECT_TRUE(gate_files(entry).ok());
  const fs::path old = root_ / "quarantine" / (p.key.hash().substr(0, 16) + "-1");
  EXPECT_EQ(test::read(old / entry.manifest().filename()), "{ damaged");
  EXPECT_THAT(test::read(old / "REASON"), HasSubstr("not valid JSON"));
  // Nor is one that lost its manifest, or its engine.
  fs::remove(entry.manifest());
  ASSERT_TRUE(store_.put(p.key, p.files).ok());
  fs::remove(entry.engine);
  EXPECT_FALSE(store_.find(p.key).value().has_value());
  ASSERT_TRUE(store_.put(p.key, p.files).ok());
  EXPECT_TRUE(gate_files(entry).ok());
  EXPECT_EQ(names(root_ / "quarantine").size(), 3U);
}

TEST_F(DirectoryStoreTest, what_is_no_entry_is_not_put) {
  test::Packed p = test::packed(1);
  const auto refused = [&](const EngineFiles& files) {
    EXPECT_EQ(store_.put(p.key, files).status().code(), StatusCode::kConfigError);
    EXPECT_FALSE(fs::exists(root_));
  };
  for (const char* name : {"", "x.engine", "../yolo.x86_64_avx2.fp32.engine", "a/yolo.x86_64_avx2.fp32.engine"}) {
    EngineFiles files = p.files;
    files.name = name;
    refused(files);
  }
  EngineFiles files = p.files;
  files.engine = {};
  refused(files);
  files = p.files;
  files.manifest.clear();
  refused(files);
  files = p.files;
  files.sha256.clear();
  refused(files);
}

TEST_F(DirectoryStoreTest, a_folder_with_two_engines_is_an_error_that_says_so) {
  const test::Packed p = test::packed(1);
  put(p);
  test::write(folder_of(p.key) / "second.engine", "x");
  const auto found = store_.find(p.key);
  EXPECT_EQ(found.status().code(), StatusCode::kIoError);
  EXPECT_THAT(found.status().message(), HasSubstr("two engines"));
}

TEST_F(DirectoryStoreTest, quarantine_moves_the_entry_with_its_reason_and_never_deletes) {
  const test::Packed p = test::packed(1);
  std::vector<std::string> manifests;
  for (int round = 1; round <= 12; ++round) {
    const EngineEntry entry = put(p);
    const std::string mark = "round " + std::to_string(round);
    test::write(entry.golden(), mark);
    ASSERT_TRUE(store_.quarantine(entry, Status(StatusCode::kEngineGateError, "bad " + mark).with_hint("build")).ok());
    EXPECT_FALSE(store_.find(p.key).value().has_value());
    const fs::path place = root_ / "quarantine" / (p.key.hash().substr(0, 16) + "-" + std::to_string(round));
    EXPECT_EQ(test::read(place / (p.files.name + ".golden")), mark);
    EXPECT_THAT(test::read(place / "REASON"), HasSubstr("EngineGateError: bad " + mark));
    EXPECT_THAT(test::read(place / "REASON"), HasSubstr(p.files.name));
    EXPECT_EQ(names(place).size(), 5U);
  }
  EXPECT_EQ(names(root_ / "quarantine").size(), 12U);
  EXPECT_THAT(store_.list().value(), IsEmpty()) << "what is in quarantine is no entry";
  EXPECT_THAT(store_.prune(0).value(), IsEmpty());
  EXPECT_EQ(names(root_ / "quarantine").size(), 12U) << "prune leaves the quarantine alone";
}

TEST_F(DirectoryStoreTest, quarantine_of_an_entry_that_is_gone_is_no_error_and_makes_nothing) {
  const EngineEntry entry = put(test::packed(1));
  fs::remove_all(entry.engine.parent_path());
  EXPECT_TRUE(store_.quarantine(entry, Status(StatusCode::kEngineGateError, "bad")).ok());
  EXPECT_THAT(names(root_ / "quarantine"), IsEmpty());
}

TEST_F(DirectoryStoreTest, quarantine_of_files_elsewhere_is_refused) {
  put(test::packed(1));
  const fs::path other = folder_ / "0123456789abcdef";
  fs::create_directory(other);
  test::write(other / "x.engine", "x");
  for (const fs::path& engine : {other / "x.engine", root_ / "locks/x.engine", root_ / "x.engine", fs::path("x.engine"),
                                 root_ / ".." / "0123456789abcdef" / "x.engine"}) {
    EXPECT_EQ(store_.quarantine({engine}, Status(StatusCode::kEngineGateError, "bad")).code(), StatusCode::kConfigError)
        << engine;
  }
  EXPECT_TRUE(fs::exists(other / "x.engine"));
}

TEST_F(DirectoryStoreTest, lists_the_most_recently_used_first_and_finding_is_a_use) {
  std::vector<test::Packed> all;
  for (unsigned i = 1; i <= 3; ++i) {
    all.push_back(test::packed(i, 1000 * i));
    put(all.back());
    set_last_use(all.back().key, 1000 + i);
  }
  const auto order = [&] {
    std::vector<std::uint64_t> sizes;
    for (const auto& usage : store_.usage().value())
      sizes.push_back(fs::file_size(usage.entry.engine));
    return sizes;
  };
  EXPECT_THAT(order(), ElementsAre(3000, 2000, 1000));
  EXPECT_EQ(store_.usage().value()[0].last_used.time_since_epoch(), std::chrono::seconds(1003));
  ASSERT_TRUE(store_.find(all[0].key).value().has_value());
  EXPECT_THAT(order(), ElementsAre(1000, 3000, 2000));
  ASSERT_EQ(store_.list().value().size(), 3U);
  EXPECT_EQ(fs::file_size(store_.list().value()[0].engine), 1000U) << "listing is no use";
}

TEST_F(DirectoryStoreTest, usage_counts_all_files_of_an_entry) {
  const test::Packed p = test::packed(1);
  put(p);
  EXPECT_EQ(store_.usage().value()[0].bytes,
            p.engine.size() + p.files.manifest.size() + p.files.sha256.size() + p.files.golden.size());
}

TEST_F(DirectoryStoreTest, what_is_no_entry_is_not_listed) {
  put(test::packed(1));
  fs::create_directory(root_ / "0123456789abcdef");
  fs::create_directory(root_ / "notes");
  test::write(root_ / "notes" / "x.engine", "x");
  test::write(root_ / "fedcba9876543210", "a file");
  fs::create_directory(folder_ / "outside");
  test::write(folder_ / "outside" / "y.engine", "y");
  fs::create_directory_symlink(folder_ / "outside", root_ / "00000000000000aa");
  EXPECT_EQ(store_.list().value().size(), 1U);
  ASSERT_TRUE(store_.prune(0).ok());
  EXPECT_TRUE(fs::exists(folder_ / "outside" / "y.engine")) << "a link does not lead prune out of the store";
}

TEST_F(DirectoryStoreTest, prune_removes_the_least_recently_used_until_the_rest_fits) {
  std::vector<test::Packed> all;
  for (unsigned i = 1; i <= 4; ++i) {
    all.push_back(test::packed(i, 100'000));
    put(all.back());
    set_last_use(all.back().key, 1000 - 10 * static_cast<int>(i));  // the first is the youngest
  }
  const std::uint64_t each = store_.usage().value()[0].bytes;
  const auto removed = store_.prune(2 * each + each / 2).value();
  ASSERT_EQ(removed.size(), 2U);
  EXPECT_EQ(removed[0].entry.engine, folder_of(all[3].key) / all[3].files.name) << "the oldest goes first";
  EXPECT_EQ(removed[1].entry.engine, folder_of(all[2].key) / all[2].files.name);
  EXPECT_EQ(removed[0].bytes, each);
  EXPECT_TRUE(store_.find(all[0].key).value().has_value());
  EXPECT_TRUE(store_.find(all[1].key).value().has_value());
  EXPECT_FALSE(fs::exists(folder_of(all[2].key)));
  EXPECT_THAT(store_.prune(2 * each).value(), IsEmpty()) << "what fits exactly stays";
  EXPECT_EQ(store_.prune(0).value().size(), 2U);
  EXPECT_THAT(names(root_), ElementsAre("locks"));
}

TEST_F(DirectoryStoreTest, prune_leaves_what_is_being_built_alone) {
  const test::Packed locked = test::packed(1), open = test::packed(2);
  put(locked);
  put(open);
  const auto lock = store_.lock(locked.key, {});
  const auto removed = store_.prune(0).value();
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0].entry.engine.parent_path(), folder_of(open.key));
  EXPECT_TRUE(store_.find(locked.key).value().has_value());
}

TEST_F(DirectoryStoreTest, a_limit_is_kept_by_put_and_never_at_the_cost_of_the_new_entry) {
  std::vector<test::Packed> all;
  for (unsigned i = 1; i <= 3; ++i) {
    all.push_back(test::packed(i, 100'000));
    put(all.back());
    set_last_use(all.back().key, 4'000'000'000 + i);  // the clock went back: these were used in the future
  }
  const std::uint64_t each = store_.usage().value()[0].bytes;
  const test::Packed fresh = test::packed(9, 100'000);
  DirectoryStore limited(root_, 2 * each + 100);
  ASSERT_TRUE(limited.put(fresh.key, fresh.files).ok());
  EXPECT_TRUE(store_.find(fresh.key).value().has_value());
  EXPECT_TRUE(store_.find(all[2].key).value().has_value());
  EXPECT_EQ(store_.list().value().size(), 2U);
  DirectoryStore tiny(root_, 1);
  ASSERT_TRUE(tiny.put(fresh.key, fresh.files).ok());
  EXPECT_EQ(store_.list().value().size(), 1U);
  EXPECT_TRUE(store_.find(fresh.key).value().has_value()) << "an entry above the limit alone is stored all the same";
}

TEST_F(DirectoryStoreTest, times_before_1970_and_far_ahead_break_nothing) {
  const test::Packed a = test::packed(1), b = test::packed(2);
  put(a);
  put(b);
  set_last_use(a.key, -1'000'000);
  set_last_use(b.key, 9'000'000'000);
  const auto usage = store_.usage().value();
  EXPECT_EQ(usage[0].entry.engine.parent_path(), folder_of(b.key));
  EXPECT_EQ(usage[1].last_used.time_since_epoch(), std::chrono::seconds(-1'000'000));
  EXPECT_TRUE(store_.find(a.key).value().has_value());
}

TEST_F(DirectoryStoreTest, what_a_killed_build_left_is_swept_by_the_next_one_of_the_key) {
  const test::Packed p = test::packed(1), other = test::packed(2);
  put(other);
  const std::string mine = ".tmp-" + p.key.hash().substr(0, 16) + "-abcdef",
                    others = ".tmp-" + other.key.hash().substr(0, 16) + "-abcdef";
  for (const std::string& name : {mine, others}) {
    fs::create_directory(root_ / name);
    test::write(root_ / name / "half.engine", "half");
  }
  put(p);
  EXPECT_FALSE(fs::exists(root_ / mine));
  EXPECT_TRUE(fs::exists(root_ / others)) << "the other key's builder may be alive";
  {
    const auto lock = store_.lock(other.key, {});
    ASSERT_TRUE(store_.prune(UINT64_MAX).ok());
    EXPECT_TRUE(fs::exists(root_ / others)) << "it is alive";
  }
  ASSERT_TRUE(store_.prune(UINT64_MAX).ok());
  EXPECT_FALSE(fs::exists(root_ / others));
  EXPECT_EQ(store_.list().value().size(), 2U);
}

class RecordingLogger final : public Logger {
 public:
  void log(LogLevel /*level*/, std::string_view /*component*/, std::string_view message) noexcept override {
    const std::lock_guard guard(mutex_);
    lines_ += std::string(message) + "\n";
  }
  LogLevel level() const noexcept override { return LogLevel::kDebug; }
  std::string lines() {
    const std::lock_guard guard(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::string lines_;
};

TEST_F(DirectoryStoreTest, tells_its_logger_what_it_moves_and_removes) {
  const auto logger = std::make_shared<RecordingLogger>();
  DirectoryStore store(root_, 1, logger);
  const test::Packed a = test::packed(1), b = test::packed(2);
  const EngineEntry first = store.put(a.key, a.files).value();
  const EngineEntry entry = store.put(b.key, b.files).value();
  ASSERT_TRUE(store.quarantine(entry, Status(StatusCode::kEngineGateError, "bad")).ok());
  EXPECT_THAT(logger->lines(), HasSubstr("stored " + entry.engine.string()));
  EXPECT_THAT(logger->lines(), HasSubstr("removed " + first.engine.string()));
  EXPECT_THAT(logger->lines(), HasSubstr("moved " + entry.engine.parent_path().string()));
}

/// Sets an environment variable for one test.
class Variable {
 public:
  Variable(const char* name, std::optional<std::string> value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  ~Variable() { set(old_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const std::optional<std::string>& value) const {
    value ? ::setenv(name_, value->c_str(), 1) : ::unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> old_;
};

TEST(DefaultRoot, follows_the_xdg_specification) {
  {
    const Variable cache("XDG_CACHE_HOME", "/cache"), home("HOME", "/home/u");
    EXPECT_EQ(DirectoryStore::default_root().value(), "/cache/tern/engines");
  }
  for (const auto& unset :
       {std::optional<std::string>(), std::optional<std::string>(""), std::optional<std::string>("relative")}) {
    const Variable cache("XDG_CACHE_HOME", unset);
    {
      const Variable home("HOME", "/home/u");
      EXPECT_EQ(DirectoryStore::default_root().value(), "/home/u/.cache/tern/engines");
    }
    const Variable home("HOME", unset);
    EXPECT_EQ(DirectoryStore::default_root().status().code(), StatusCode::kConfigError);
  }
}

}  // namespace
}  // namespace tern
