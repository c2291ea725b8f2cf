// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Several threads and processes on one store, some of which die.
#include <atomic>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <random>
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
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class StoreProcessesTest : public ::testing::Test {
 protected:
  /// A process that holds the lock of `key` until it is killed. Returns when it has it.
  pid_t holder_of(const EngineKey& key) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    const pid_t child = test::in_child([&] {
      const auto lock = store_.lock(key, {});
      if (!lock.ok() || ::write(ready[1], "x", 1) != 1) ::_exit(1);
      for (;;)
        ::pause();
    });
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    return child;
  }
  static void kill_and_wait(pid_t child) {
    ::kill(child, SIGKILL);
    EXPECT_EQ(test::wait_for(child), SIGKILL);
  }

  TemporaryFolder folder_;
  fs::path root_ = folder_ / "store";
  DirectoryStore store_{root_};
  EngineKey key_ = test::sample_key();
};

TEST_F(StoreProcessesTest, a_lock_that_another_process_holds_times_out_at_the_deadline) {
  const pid_t child = holder_of(key_);
  const auto start = Clock::now();
  const auto lock = store_.lock(key_, {.deadline = start + 150ms});
  EXPECT_EQ(lock.status().code(), StatusCode::kTimeout) << lock.status().to_string();
  EXPECT_GE(Clock::now() - start, 150ms);
  EXPECT_EQ(store_.lock(key_, {.deadline = start}).status().code(), StatusCode::kTimeout)
      << "a deadline that has passed";
  kill_and_wait(child);
}

TEST_F(StoreProcessesTest, a_killed_holder_lets_go) {
  const pid_t child = holder_of(key_);
  std::thread killer([&] {
    std::this_thread::sleep_for(50ms);
    kill_and_wait(child);
  });
  EXPECT_TRUE(store_.lock(key_, {.deadline = Clock::now() + 20s}).ok());
  killer.join();
}

TEST_F(StoreProcessesTest, a_stop_ends_the_wait) {
  const pid_t child = holder_of(key_);
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  EXPECT_EQ(store_.lock(key_, {.stop = stop.get_token()}).status().code(), StatusCode::kCancelled);
  stopper.join();
  kill_and_wait(child);
  EXPECT_EQ(store_.lock(key_, {.stop = stop.get_token()}).status().code(), StatusCode::kCancelled)
      << "a stop that was asked for before, though the lock is free";
}

TEST_F(StoreProcessesTest, keys_do_not_wait_for_each_other) {
  const auto a = store_.lock(key_, {}), b = store_.lock(test::sample_key("other"), {.deadline = Clock::now()});
  EXPECT_TRUE(a.ok());
  EXPECT_TRUE(b.ok());
}

TEST_F(StoreProcessesTest, a_lock_is_free_again_when_its_object_goes) {
  for (int round = 0; round < 3; ++round)
    EXPECT_TRUE(store_.lock(key_, {.deadline = Clock::now()}).ok());
  const auto held = store_.lock(key_, {});
  EXPECT_EQ(store_.lock(key_, {.deadline = Clock::now()}).status().code(), StatusCode::kTimeout) << "same thread";
}

TEST_F(StoreProcessesTest, threads_of_one_process_exclude_each_other) {
  std::atomic<int> inside{0}, most{0}, done{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      DirectoryStore own(root_);
      for (int round = 0; round < 5; ++round) {
        const auto lock = own.lock(key_, {.deadline = Clock::now() + 60s});
        if (!lock.ok()) continue;
        most = std::max(most.load(), ++inside);
        std::this_thread::sleep_for(1ms);
        --inside;
        ++done;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(done, 20);
  EXPECT_EQ(most, 1);
}

TEST_F(StoreProcessesTest, of_eight_processes_one_builds_and_seven_hit) {
  const test::Packed p = test::packed(1);
  const fs::path builds = folder_ / "builds";
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(test::in_child([&] {
      const auto lock = store_.lock(p.key, {.deadline = Clock::now() + 60s});
      if (!lock.ok()) ::_exit(1);
      const auto found = store_.find(p.key);
      if (!found.ok()) ::_exit(2);
      if (*found) {
        ::_exit(gate_files(**found, {.key = &p.key}).ok() ? 0 : 3);
      }
      const int log = ::open(builds.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      if (::write(log, "b", 1) != 1) ::_exit(4);
      std::this_thread::sleep_for(20ms);
      if (!store_.put(p.key, p.files).ok()) ::_exit(5);
    }));
  }
  for (const pid_t child : children)
    EXPECT_EQ(test::wait_for(child), 0);
  EXPECT_EQ(test::read(builds), "b");
}

// A process that is killed anywhere in put() leaves no entry or a whole one, and the next put() works and cleans up.
TEST_F(StoreProcessesTest, killed_at_any_point_the_store_holds_whole_entries_alone) {
  const test::Packed p = test::packed(1, 200'000);
  std::mt19937 random(3);
  int whole = 0;
  for (int round = 0; round < 40; ++round) {
    const pid_t child = test::in_child([&] {
      const auto lock = store_.lock(p.key, {});
      while (store_.put(p.key, p.files).ok()) {
      }
      ::_exit(1);
    });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    kill_and_wait(child);
    const auto found = store_.find(p.key);
    ASSERT_TRUE(found.ok()) << found.status().to_string();
    if (*found) {
      const auto gated = gate_files(**found, {.key = &p.key});
      ASSERT_TRUE(gated.ok()) << gated.status().to_string();
      ++whole;
    }
    if (round % 4 == 3) {
      const auto lock = store_.lock(p.key, {.deadline = Clock::now() + 20s});
      ASSERT_TRUE(lock.ok()) << lock.status().to_string();
      ASSERT_TRUE(store_.put(p.key, p.files).ok());
      EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 2) << "the entry and the locks";
      EXPECT_FALSE(fs::exists(root_ / "quarantine")) << "nothing half was ever visible";
    }
  }
  EXPECT_GT(whole, 0);
}

// Readers meet writers and prune: what find() gives passes the gate, unless it was removed in between.
TEST_F(StoreProcessesTest, finding_storing_and_pruning_at_once_never_shows_half_an_entry) {
  std::vector<test::Packed> all;
  for (unsigned i = 1; i <= 3; ++i)
    all.push_back(test::packed(i, 20'000));
  std::atomic<bool> stop{false};
  std::atomic<int> gated{0}, wrong{0};
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; !stop; ++i) {
        const test::Packed& p = all[i % all.size()];
        const auto lock = store_.lock(p.key, {});
        if (!lock.ok() || !store_.put(p.key, p.files).ok()) ++wrong;
      }
    });
  }
  threads.emplace_back([&] {
    while (!stop) {
      if (!store_.prune(30'000).ok()) ++wrong;
    }
  });
  threads.emplace_back([&] {
    for (std::size_t i = 0; gated < 100 && wrong == 0; ++i) {
      const test::Packed& p = all[i % all.size()];
      const auto found = store_.find(p.key);
      if (!found.ok()) ++wrong;
      if (!found.ok() || !*found) continue;
      const auto result = gate_files(**found, {.key = &p.key});
      if (result.ok()) ++gated;
      if (!result.ok() && result.status().code() != StatusCode::kIoError) ++wrong;
    }
    stop = true;
  });
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(gated, 100);
}

}  // namespace
}  // namespace tern
