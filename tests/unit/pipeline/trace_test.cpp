// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/allocation_counter.h"
#include "tern/pipeline_trace.h"

namespace tern {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

TEST(TraceRecorder, writes_what_chrome_and_perfetto_read) {
  auto recorder = TraceRecorder::create(10).value();
  const auto track = recorder.add_track("GPU 0").value();
  const auto infer = recorder.add_name("infer").value();
  recorder.record(track, infer, 7, 1'234'567ns, 2'000'000ns);
  const json trace = json::parse(recorder.to_json());
  EXPECT_EQ(trace["displayTimeUnit"], "ms");
  ASSERT_EQ(trace["traceEvents"].size(), 2U);
  EXPECT_EQ(trace["traceEvents"][0],
            json::parse(R"({"name":"thread_name","ph":"M","pid":1,"tid":0,"args":{"name":"GPU 0"}})"));
  EXPECT_EQ(trace["traceEvents"][1],
            json::parse(R"({"name":"infer","ph":"X","pid":1,"tid":0,"ts":1234.567,"dur":765.433,"args":{"frame":7}})"));
}

TEST(TraceRecorder, an_empty_trace_is_one) {
  EXPECT_TRUE(json::parse(TraceRecorder::create(1).value().to_json())["traceEvents"].empty());
}

TEST(TraceRecorder, keeps_the_last_spans) {
  auto recorder = TraceRecorder::create(3).value();
  const auto track = recorder.add_track("t").value(), name = recorder.add_name("n").value();
  EXPECT_EQ(recorder.add_name("n").value(), name);
  for (std::uint64_t frame = 0; frame < 5; ++frame)
    recorder.record(track, name, frame, 0ns, 1ns);
  EXPECT_EQ(recorder.overwritten(), 2U);
  std::vector<int> frames;
  const json trace = json::parse(recorder.to_json());
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] == "X") frames.push_back(event["args"]["frame"]);
  }
  EXPECT_THAT(frames, ::testing::ElementsAre(2, 3, 4));
}

TEST(TraceRecorder, takes_any_time_and_any_name) {
  auto recorder = TraceRecorder::create(10).value();
  const auto track = recorder.add_track("a \"b\"\n\\").value(), name = recorder.add_name("\x01").value();
  recorder.record(track, name, UINT64_MAX, Nanoseconds::min(), Nanoseconds::max());
  recorder.record(track, name, 0, 5ns, 1ns);
  recorder.record(track, name, 0, -1500ns, 0ns);
  recorder.record(track + 1, name, 0, 0ns, 1ns);  // not of this recorder
  recorder.record(track, name + 1, 0, 0ns, 1ns);
  const json trace = json::parse(recorder.to_json());
  ASSERT_EQ(trace["traceEvents"].size(), 4U);
  EXPECT_EQ(trace["traceEvents"][1]["args"]["frame"], UINT64_MAX);
  EXPECT_EQ(trace["traceEvents"][2]["dur"], 0);
  EXPECT_EQ(trace["traceEvents"][3]["ts"], -1.5);
  EXPECT_FALSE(recorder.add_track("\xff").ok());
  EXPECT_FALSE(TraceRecorder::create(0).ok());
  EXPECT_FALSE(TraceRecorder::create(10'000'001).ok());
}

TEST(TraceRecorder, records_from_many_threads_without_allocating) {
  auto recorder = TraceRecorder::create(1000).value();
  const auto track = recorder.add_track("t").value(), name = recorder.add_name("n").value();
  std::vector<std::thread> threads;
  std::atomic<std::size_t> allocations{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      allocations += test::count_allocations([&] {
                       for (std::uint64_t k = 0; k < 5000; ++k)
                         recorder.record(track, name, k, 0ns, 1us);
                     }).other;
    });
  }
  EXPECT_TRUE(json::accept(recorder.to_json()));
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(allocations, 0U);
  EXPECT_EQ(recorder.overwritten(), 19'000U);
}

}  // namespace
}  // namespace tern
