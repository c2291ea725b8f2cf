// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <random>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

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

class WriteFlatTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  fs::path out_ = folder_ / "a/out";
};

TEST_F(WriteFlatTest, writes_an_entry_that_passes_the_gate_into_a_new_folder) {
  const SigningKey signer = SigningKey::generate().value();
  const test::Packed p = test::packed(1, 5000, &signer);
  const EngineEntry entry = write_flat(out_, p.key, p.files).value();
  EXPECT_EQ(entry.engine, out_ / p.files.name);
  EXPECT_TRUE(gate_files(entry, {.key = &p.key}).ok());
  EXPECT_EQ(test::read(entry.signature()), p.files.signature);
  EXPECT_EQ(std::distance(fs::directory_iterator(out_), fs::directory_iterator()), 5) << "nothing else stays";
}

TEST_F(WriteFlatTest, with_any_umask_the_gate_accepts_what_was_written) {
  const mode_t before = ::umask(0);
  const test::Packed p = test::packed(1);
  const auto entry = write_flat(out_, p.key, p.files);
  ::umask(before);
  EXPECT_TRUE(gate_files(entry.value()).ok());
}

TEST_F(WriteFlatTest, replaces_an_entry_of_the_same_key_with_all_its_files) {
  const SigningKey signer = SigningKey::generate().value();
  const test::Packed old = test::packed(1, 5000, &signer);
  ASSERT_TRUE(write_flat(out_, old.key, old.files).ok());
  const auto engine = test::random_bytes(300, 9);
  const EngineFiles files = pack_engine(test::sample_manifest("model1"), engine, "", nullptr).value();
  const EngineEntry entry = write_flat(out_, old.key, files).value();
  EXPECT_EQ(gate_files(entry, {.key = &old.key}).value().manifest.size, 300U);
  EXPECT_FALSE(fs::exists(entry.signature())) << "the old signature is not of this engine";
  EXPECT_FALSE(fs::exists(entry.golden()));
}

TEST_F(WriteFlatTest, the_file_of_another_key_is_refused_and_the_fields_are_named) {
  const test::Packed a = test::packed(1), b = test::packed(2);
  const EngineEntry entry = write_flat(out_, a.key, a.files).value();
  const auto second = write_flat(out_, b.key, b.files);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kConfigError);
  EXPECT_THAT(second.status().message(), HasSubstr("differs in: model"));
  EXPECT_FALSE(second.status().hint().empty());
  EXPECT_TRUE(gate_files(entry, {.key = &a.key}).ok()) << "it stays as it was";
}

TEST_F(WriteFlatTest, files_whose_owner_cannot_be_told_are_never_replaced) {
  const test::Packed p = test::packed(1);
  for (const char* suffix : {"", ".sha256", ".golden", ".sig", ".json"}) {
    fs::remove_all(out_);
    fs::create_directories(out_);
    const fs::path path = out_ / (p.files.name + suffix);
    test::write(path, "somebody's");
    const auto entry = write_flat(out_, p.key, p.files);
    EXPECT_EQ(entry.status().code(), StatusCode::kConfigError) << suffix;
    EXPECT_EQ(test::read(path), "somebody's");
    EXPECT_EQ(std::distance(fs::directory_iterator(out_), fs::directory_iterator()), 1);
  }
}

TEST_F(WriteFlatTest, a_write_that_fails_leaves_what_was_there) {
  ::signal(SIGXFSZ, SIG_IGN);
  const test::Packed p = test::packed(1, 50'000);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto limited = [&](rlim_t bytes) {
    rlimit small = before;
    small.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &small);
    const Status status = write_flat(out_, p.key, p.files).status();
    ::setrlimit(RLIMIT_FSIZE, &before);
    return status;
  };
  EXPECT_EQ(limited(10'000).code(), StatusCode::kIoError);
  EXPECT_EQ(std::distance(fs::directory_iterator(out_), fs::directory_iterator()), 0);
  const EngineEntry entry = write_flat(out_, p.key, p.files).value();
  EXPECT_EQ(limited(10'000).code(), StatusCode::kIoError);
  EXPECT_TRUE(gate_files(entry, {.key = &p.key}).ok());
  test::write(folder_ / "file", "x");
  EXPECT_EQ(write_flat(folder_ / "file", p.key, p.files).status().code(), StatusCode::kIoError);
}

TEST_F(WriteFlatTest, killed_at_any_point_the_gate_accepts_nothing_half_and_the_next_write_succeeds) {
  const test::Packed p = test::packed(1, 100'000);
  std::mt19937 random(5);
  for (int round = 0; round < 40; ++round) {
    if (round % 2 == 0) fs::remove_all(out_);  // first writes and replacements
    const pid_t child = test::in_child([&] {
      while (write_flat(out_, p.key, p.files).ok()) {
      }
      ::_exit(1);
    });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 15'000));
    ::kill(child, SIGKILL);
    ASSERT_EQ(test::wait_for(child), SIGKILL);
    const auto gated = gate_files({out_ / p.files.name}, {.key = &p.key});
    if (gated.ok()) {
      EXPECT_EQ(gated->manifest.sha256, to_hex(Sha256::of(p.engine)));
    }
    const auto entry = write_flat(out_, p.key, p.files);
    ASSERT_TRUE(entry.ok()) << entry.status().to_string();
    ASSERT_TRUE(gate_files(*entry, {.key = &p.key}).ok());
  }
}

}  // namespace
}  // namespace tern
