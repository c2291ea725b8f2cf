// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The checks on every GPU of this machine, through the plugin's C entry.
#include <gtest/gtest.h>

#include "checks.h"

namespace tern::test {
namespace {

class Gpu : public ::testing::TestWithParam<CudaCheck> {
 protected:
  void SetUp() override {
    std::string error;
    plugin_ = open_cuda_plugin(TERN_CUDA_LIBRARY, error);
    ASSERT_NE(plugin_, nullptr) << error;
    count_ = count_gpus(*plugin_, error);
    ASSERT_GE(count_, 0) << error;
    if (count_ == 0) GTEST_SKIP() << error;
  }
  const dev::CudaPlugin* plugin_ = nullptr;
  std::int32_t count_ = 0;
};

TEST_P(Gpu, keeps_its_promise) {
  for (std::int32_t device = 0; device < count_; ++device)
    EXPECT_EQ(GetParam().run(*plugin_, device), "") << "on GPU " << device;
}

INSTANTIATE_TEST_SUITE_P(Cuda, Gpu, ::testing::ValuesIn(cuda_checks().begin(), cuda_checks().end()),
                         [](const auto& check) { return std::string(check.param.name); });

}  // namespace
}  // namespace tern::test
