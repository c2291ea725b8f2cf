// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/dev/host_stream.h"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tern/engine.h"

namespace tern::dev {
namespace {

struct Counter {
  std::atomic<int> value = 0;
  static Status add(void* self) noexcept {
    ++static_cast<Counter*>(self)->value;
    return {};
  }
  static Status fail(void* /*self*/) noexcept { return {StatusCode::kInferenceError, "failed as told"}; }
};

struct Gate {
  std::latch open{1};
  static Status wait(void* self) noexcept {
    static_cast<Gate*>(self)->open.wait();
    return {};
  }
};

TEST(HostStream, runs_jobs_and_tells_their_outcome) {
  HostStream stream;
  HostEvent good, bad;
  Counter counter;
  ASSERT_TRUE(stream.enqueue(Counter::add, &counter, good).ok());
  ASSERT_TRUE(stream.enqueue(Counter::fail, nullptr, bad).ok());
  EXPECT_TRUE(good.wait({}).ok());
  EXPECT_EQ(bad.wait({}).code(), StatusCode::kInferenceError);
  EXPECT_EQ(stream.synchronize().code(), StatusCode::kInferenceError) << "the first failure is reported";
  EXPECT_TRUE(stream.synchronize().ok()) << "and only once";
  EXPECT_EQ(counter.value, 1);
}

TEST(HostStream, refuses_more_than_its_queue_holds_and_an_event_in_flight) {
  HostStream stream;
  Gate gate;
  HostEvent first;
  ASSERT_TRUE(stream.enqueue(Gate::wait, &gate, first).ok());
  EXPECT_EQ(stream.enqueue(Gate::wait, &gate, first).code(), StatusCode::kInputError);
  std::vector<std::unique_ptr<HostEvent>> events;
  Status status;
  for (int i = 0; i < HostStream::kMaxQueued + 2 && status.ok(); ++i) {
    events.push_back(std::make_unique<HostEvent>());
    status = stream.enqueue(Gate::wait, &gate, *events.back());
  }
  EXPECT_EQ(status.code(), StatusCode::kInferenceError);
  EXPECT_GE(events.size(), static_cast<std::size_t>(HostStream::kMaxQueued));
  gate.open.count_down();
  EXPECT_TRUE(stream.synchronize().ok());
}

TEST(HostStream, the_destructor_runs_what_is_queued) {
  Counter counter;
  {
    HostStream stream;
    for (int i = 0; i < 20; ++i) {
      HostEvent event;  // gone before its job has run
      ASSERT_TRUE(stream.enqueue(Counter::add, &counter, event).ok());
    }
  }
  EXPECT_EQ(counter.value, 20);
}

TEST(HostStream, many_threads_may_enqueue) {
  HostStream stream;
  Counter counter;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        HostEvent event;
        for (int i = 0; i < 200; ++i) {
          while (!stream.enqueue(Counter::add, &counter, event).ok())
            std::this_thread::yield();
          EXPECT_TRUE(event.wait({}).ok());
        }
      });
    }
  }
  EXPECT_EQ(counter.value, 800);
}

TEST(Precision, names_round_trip_and_aliases_are_read) {
  for (int i = 0; i <= static_cast<int>(Precision::kMixed); ++i) {
    const auto precision = static_cast<Precision>(i);
    EXPECT_EQ(parse_precision(to_string(precision)).value(), precision);
  }
  EXPECT_EQ(parse_precision("fp16").value(), Precision::kF16);
  EXPECT_EQ(parse_precision("int8").value(), Precision::kI8);
  EXPECT_EQ(parse_precision("fast").status().code(), StatusCode::kConfigError);
}

}  // namespace
}  // namespace tern::dev
