// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Several GPUs, told apart by a watched backend whose work is done on the CPU.
#include "tern/device_pool.h"

#include <algorithm>
#include <thread>

#include "runtime_fixture.h"

namespace tern {
namespace {

using ::testing::HasSubstr;
using testing::RuntimeTest;
using testing::tiny_model;

const Device kFirst{DeviceKind::kCuda, 0}, kSecond{DeviceKind::kCuda, 1};

class DevicePoolTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    change_facts_ = [](HostFacts& facts) {
      facts.target = "cc_9.0_sm_132";
      facts.fit = {{"cc", "9.0"}, {"sm_count", "132"}};
    };
    shared_ = std::make_shared<InferenceRuntime>(runtime());
  }
  Result<DevicePool> open(std::vector<Device> devices, int contexts = 1) {
    DevicePoolOptions options;
    options.devices = std::move(devices);
    options.compile.backend = "watched";
    options.engine.contexts = contexts;
    return DevicePool::open(shared_, model_, {}, options);
  }
  static std::vector<std::uint64_t> runs(const DevicePool& pool) {
    std::vector<std::uint64_t> all;
    for (const DevicePool::Member& member : pool.members())
      all.push_back(member.runs);
    return all;
  }

  std::shared_ptr<InferenceRuntime> shared_;
  Model model_ = Model::from_file(tiny_model("affine")).value();
};

TEST_F(DevicePoolTest, equal_gpus_share_one_engine_and_each_has_memory_of_its_own) {
  const DevicePool pool = open({kFirst, kSecond}).value();
  EXPECT_EQ(watch_->count("compile cuda:0"), 2U) << "the engine, and the reference that it is proven with";
  EXPECT_EQ(watch_->count("compile cuda:1"), 0U) << "found in the store";
  EXPECT_GE(watch_->count("load cuda:0"), 1U);
  EXPECT_EQ(watch_->count("load cuda:1"), 1U);
  ASSERT_EQ(pool.members().size(), 2U);
  EXPECT_EQ(pool.members()[1].device, kSecond);
  EXPECT_EQ(shared_->label(pool.members()[1].handle), "watched");
  const auto on = [&](int index) { return shared_->ledger(DeviceKind::kCuda, index).resident_bytes(); };
  EXPECT_GT(on(0), 0U);
  EXPECT_EQ(on(0), on(1));
  EXPECT_EQ(shared_->resident_bytes(), on(0) + on(1));
  EXPECT_EQ(shared_->ledger().resident_bytes(), 0U);
}

TEST_F(DevicePoolTest, work_is_spread_evenly_and_the_results_are_those_of_one_engine) {
  DevicePool pool = open({kFirst, kSecond}).value();
  const Tensor input = input_for(*shared_->engine(pool.members()[0].handle).value());
  std::vector<Tensor> expected, outputs;
  ASSERT_TRUE(shared_->infer(pool.members()[0].handle, {&input.view(), 1}, expected).ok());
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(pool.infer({&input.view(), 1}, outputs).ok());
    EXPECT_TRUE(std::ranges::equal(outputs[0].as<float>(), expected[0].as<float>()));
  }
  EXPECT_THAT(runs(pool), ::testing::ElementsAre(5, 5));
}

TEST_F(DevicePoolTest, many_threads_keep_every_gpu_busy) {
  DevicePool pool = open({kFirst, kSecond}, 2).value();
  const Tensor input = input_for(*shared_->engine(pool.members()[0].handle).value());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        std::vector<Tensor> outputs;
        for (int i = 0; i < 25; ++i)
          ASSERT_TRUE(pool.infer({&input.view(), 1}, outputs).ok());
      });
    }
  }
  const auto counts = runs(pool);
  EXPECT_EQ(counts[0] + counts[1], 100U);
  EXPECT_GT(counts[0], 20U);
  EXPECT_GT(counts[1], 20U);
}

TEST_F(DevicePoolTest, a_gpu_that_fails_is_named_and_nothing_stays_loaded) {
  watch_->fault = [](const std::string& call) {
    return call == "load cuda:1" ? Status(StatusCode::kBackendError, "fell off the bus") : Status();
  };
  const Status status = open({kFirst, kSecond}).status();
  EXPECT_EQ(status.code(), StatusCode::kBackendError) << status.to_string();
  EXPECT_THAT(status.to_string(), HasSubstr("cuda:1"));
  EXPECT_EQ(shared_->resident_bytes(), 0U);
}

TEST_F(DevicePoolTest, releases_its_engines_and_counts_runs_that_failed) {
  {
    DevicePool pool = open({kFirst}).value();
    std::vector<Tensor> outputs;
    EXPECT_FALSE(pool.infer({}, outputs).ok());
    EXPECT_THAT(runs(pool), ::testing::ElementsAre(1));
    DevicePool moved = std::move(pool);
    EXPECT_EQ(moved.members().size(), 1U);
  }
  EXPECT_EQ(shared_->resident_bytes(), 0U);
}

TEST_F(DevicePoolTest, wrong_lists_of_gpus_are_refused) {
  EXPECT_EQ(open({kFirst, kFirst}).status().code(), StatusCode::kConfigError);
  EXPECT_EQ(open({kFirst}, 0).status().code(), StatusCode::kConfigError);
  EXPECT_EQ(shared_->resident_bytes(), 0U);
}

}  // namespace
}  // namespace tern
