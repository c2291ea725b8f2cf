// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <atomic>
#include <thread>

#include "backend_suite.h"

namespace tern::conformance {
namespace {

using std::chrono::steady_clock;

class ForeignStream final : public Stream {
 public:
  Status synchronize() override { return {}; }
  [[nodiscard]] void* native_handle() const noexcept override { return nullptr; }
};

class ForeignEvent final : public Event {
 public:
  [[nodiscard]] bool done() const noexcept override { return true; }
  Status wait(const WaitOptions& /*options*/) override { return {}; }
};

TEST_P(BackendConformance, enqueue_runs_behind_the_callers_back_and_the_event_tells) {
  const auto engine = build(tiny_model("affine"));
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  const auto stream = engine->create_stream().value();
  const auto event = engine->create_event().value();
  EXPECT_TRUE(event->done()) << "a fresh event has nothing to wait for";
  std::array<float, 4> x{1, 2, 3, 4};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 4})).ok());
  for (int i = 0; i < 50; ++i) {  // the same event again and again
    x[0] = static_cast<float>(i);
    ASSERT_TRUE(context->enqueue(*stream, *event).ok());
    ASSERT_TRUE(event->wait().ok());
    EXPECT_TRUE(event->done());
    EXPECT_EQ(context->output(0).value().as<float>()[0], 2.0F * static_cast<float>(i) + 1);
  }
  EXPECT_TRUE(stream->synchronize().ok());
}

TEST_P(BackendConformance, work_of_one_stream_runs_in_order) {
  const auto engine = build(tiny_model("affine"));
  ASSERT_NE(engine, nullptr);
  const auto stream = engine->create_stream().value();
  // Each context reads what the one before it writes: any other order gives other numbers.
  constexpr std::size_t kChain = 8;
  std::array<std::array<float, 4>, kChain + 1> values{};
  values[0] = {1, 1, 1, 1};
  std::vector<std::unique_ptr<ExecutionContext>> contexts;
  std::vector<std::unique_ptr<Event>> events;
  for (std::size_t i = 0; i < kChain; ++i) {
    contexts.push_back(context_of(*engine));
    events.push_back(engine->create_event().value());
    ASSERT_TRUE(contexts[i]->bind_input(0, TensorView(values[i].data(), DType::kF32, {1, 4})).ok());
    ASSERT_TRUE(contexts[i]->bind_output(0, TensorView(values[i + 1].data(), DType::kF32, {1, 4})).ok());
  }
  for (std::size_t i = 0; i < kChain; ++i)
    ASSERT_TRUE(contexts[i]->enqueue(*stream, *events[i]).ok());
  ASSERT_TRUE(stream->synchronize().ok());
  EXPECT_EQ(values[kChain][0], 511);  // x -> 2x + 1, eight times from 1
  for (const auto& event : events)
    EXPECT_TRUE(event->done());
}

TEST_P(BackendConformance, streams_and_events_of_another_backend_are_refused) {
  const auto engine = build(tiny_model("affine"));
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  std::array<float, 4> x{};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 4})).ok());
  const auto stream = engine->create_stream().value();
  const auto event = engine->create_event().value();
  ForeignStream foreign_stream;
  ForeignEvent foreign_event;
  EXPECT_EQ(context->enqueue(foreign_stream, *event).code(), StatusCode::kInputError);
  EXPECT_EQ(context->enqueue(*stream, foreign_event).code(), StatusCode::kInputError);
  EXPECT_TRUE(context->infer().ok()) << "a refused enqueue must leave the context usable";
}

TEST_P(BackendConformance, a_busy_context_refuses_a_second_run_and_new_bindings) {
  const auto engine = build(demo_model("overhead-detect"));
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  const Tensor image = patterned({1, 3, 640, 640}, 3);
  ASSERT_TRUE(context->bind_input(0, image.view()).ok());
  const auto stream = engine->create_stream().value();
  const auto event = engine->create_event().value(), other = engine->create_event().value();
  // Other contexts' runs before it in the stream, so that it is busy for a while on a fast device too.
  std::vector<std::unique_ptr<ExecutionContext>> before;
  for (int i = 0; i < 8; ++i) {
    before.push_back(context_of(*engine));
    ASSERT_TRUE(before.back()->bind_input(0, image.view()).ok());
    for (int warm = 0; warm < 3; ++warm)
      ASSERT_TRUE(before.back()->infer().ok());
  }
  std::vector<std::unique_ptr<Event>> events;
  for (const auto& run : before) {
    events.push_back(engine->create_event().value());
    ASSERT_TRUE(run->enqueue(*stream, *events.back()).ok());
  }
  ASSERT_TRUE(context->enqueue(*stream, *event).ok());
  EXPECT_EQ(context->enqueue(*stream, *other).code(), StatusCode::kInputError);
  EXPECT_EQ(context->infer().code(), StatusCode::kInputError);
  EXPECT_EQ(context->bind_input(0, image.view()).code(), StatusCode::kInputError);
  EXPECT_EQ(context->output(0).status().code(), StatusCode::kInputError);
  EXPECT_TRUE(event->wait().ok());
  EXPECT_TRUE(context->output(0).ok());
}

TEST_P(BackendConformance, objects_may_be_destroyed_in_any_order_while_work_is_in_flight) {
  const Tensor image = patterned({1, 3, 640, 640}, 3);
  auto engine = build(demo_model("overhead-segment"));
  ASSERT_NE(engine, nullptr);
  auto context = context_of(*engine);
  auto stream = engine->create_stream().value();
  auto event = engine->create_event().value();
  ASSERT_TRUE(context->bind_input(0, image.view()).ok());
  ASSERT_TRUE(context->enqueue(*stream, *event).ok());
  engine.reset();
  backend_.reset();
  event.reset();
  context.reset();  // waits for the run
  stream.reset();
}

TEST_P(BackendConformance, contexts_of_one_engine_run_in_parallel) {
  const auto engine = build(demo_model("overhead-segment"), {.threads = 2, .hint = PerformanceHint::kThroughput});
  ASSERT_NE(engine, nullptr);
  constexpr int kThreads = 4, kRuns = 3;
  std::vector<std::vector<float>> expected;
  std::vector<Tensor> images;
  for (unsigned i = 0; i < kThreads; ++i) {
    images.push_back(patterned({1, 3, 640, 640}, i));
    const auto context = context_of(*engine);
    ASSERT_TRUE(context->bind_input(0, images[i].view()).ok());
    ASSERT_TRUE(context->infer().ok());
    expected.push_back(values(context->output(0).value()));
  }
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        auto context = engine->create_context().value();
        if (!context->bind_input(0, images[i].view()).ok()) ++wrong;
        for (int run = 0; run < kRuns; ++run) {
          if (!context->infer().ok() ||
              largest_difference(values(context->output(0).value()), expected[i]) > GetParam().tolerance)
            ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST_P(BackendConformance, a_deadline_ends_the_run_and_the_context_lives_on) {
  const auto engine = build(demo_model("overhead-detect"), {.max_batch = 8});
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  const Tensor images = patterned({8, 3, 640, 640}, 5);
  ASSERT_TRUE(context->bind_input(0, images.view()).ok());
  ASSERT_TRUE(context->infer().ok());
  const auto expected = values(context->output(0).value());
  EXPECT_EQ(context->infer({.deadline = steady_clock::now() - std::chrono::seconds(1)}).code(), StatusCode::kTimeout);
  EXPECT_EQ(context->infer({.deadline = steady_clock::now() + std::chrono::milliseconds(2)}).code(),
            StatusCode::kTimeout);
  EXPECT_FALSE(context->output(0).ok()) << "a run that was cut short has no results";
  EXPECT_TRUE(context->infer({.deadline = steady_clock::now() + std::chrono::minutes(5)}).ok());
  EXPECT_LE(largest_difference(values(context->output(0).value()), expected), GetParam().tolerance);
}

TEST_P(BackendConformance, a_stop_ends_the_run_and_the_context_lives_on) {
  const auto engine = build(demo_model("overhead-detect"), {.max_batch = 8});
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  const Tensor images = patterned({8, 3, 640, 640}, 5);
  ASSERT_TRUE(context->bind_input(0, images.view()).ok());
  ASSERT_TRUE(context->infer().ok());
  std::stop_source stop;
  {
    const std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      stop.request_stop();
    });
    EXPECT_EQ(context->infer({.stop = stop.get_token()}).code(), StatusCode::kCancelled);
  }
  EXPECT_EQ(context->infer({.stop = stop.get_token()}).code(), StatusCode::kCancelled)
      << "a token that is stopped already";
  EXPECT_TRUE(context->infer().ok());
}

TEST_P(BackendConformance, waiting_for_an_event_has_a_deadline_and_a_stop_too) {
  const auto engine = build(demo_model("overhead-detect"), {.max_batch = 8});
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  const Tensor images = patterned({8, 3, 640, 640}, 5);
  ASSERT_TRUE(context->bind_input(0, images.view()).ok());
  const auto stream = engine->create_stream().value();
  const auto event = engine->create_event().value();
  ASSERT_TRUE(context->enqueue(*stream, *event).ok());
  EXPECT_EQ(event->wait({.deadline = steady_clock::now() + std::chrono::milliseconds(1)}).code(), StatusCode::kTimeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(event->wait({.stop = stop.get_token()}).code(), StatusCode::kCancelled);
  EXPECT_TRUE(event->wait().ok());
}

}  // namespace
}  // namespace tern::conformance
