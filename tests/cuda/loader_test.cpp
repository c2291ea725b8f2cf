// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// tern/device.h on the real libtern_cuda.
#include <algorithm>
#include <array>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/device.h"
#include "tern/engine.h"
#include "tern/engine_name.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

bool has_driver() {
  const auto cuda = Cuda::load();
  return cuda.ok() && cuda->versions().ok();
}

TEST(Loader, finds_the_library_beside_libtern) {
  ::unsetenv("TERN_PLUGIN_PATH");
  const auto cuda = Cuda::load();
  ASSERT_TRUE(cuda.ok()) << cuda.status().to_string();
  EXPECT_TRUE(fs::equivalent(cuda->library(), TERN_CUDA_LIBRARY)) << cuda->library();
}

TEST(Loader, without_a_driver_every_call_says_so_and_what_to_do) {
  if (has_driver()) GTEST_SKIP() << "there is a driver";
  const Cuda cuda = Cuda::load().value();
  const std::array failures{cuda.versions().status(), cuda.devices().status(), cuda.device(0).status(),
                            cuda.memory(0).status(), cuda.self_test(0).status()};
  for (const Status& status : failures) {
    EXPECT_EQ(status.code(), StatusCode::kBackendError);
    EXPECT_THAT(status.message(), HasSubstr("no NVIDIA driver"));
    EXPECT_THAT(status.where(), HasSubstr("libtern_cuda.so"));
    EXPECT_FALSE(status.hint().empty());
    EXPECT_FALSE(status.cause().empty());
  }
  EXPECT_EQ(gpu_memory_bytes(0), kUnknownGpuMemory);
}

TEST(Loader, the_registry_does_not_take_it_for_a_backend) {
  const std::array<fs::path, 1> folders{fs::path(TERN_CUDA_LIBRARY).parent_path()};
  const auto registry = BackendRegistry::load_from(folders);
  for (const auto& entry : registry.entries())
    EXPECT_NE(entry.plugin.filename(), "libtern_cuda.so");
}

TEST(LoaderGpu, traits_make_an_engine_name_that_parses_back) {
  const auto devices = Cuda::load().value().devices();
  if (!devices.ok()) GTEST_SKIP() << devices.status().to_string();
  ASSERT_FALSE(devices->empty());
  for (const DeviceTraits& traits : *devices) {
    const EngineName name{.stem = "m", .target = traits.target(), .precision = Precision::kF16};
    EXPECT_EQ(EngineName::parse(name.format().value()).value(), name);
    EXPECT_EQ(gpu_memory_bytes(traits.index), traits.memory_bytes);
  }
  EXPECT_EQ(gpu_memory_bytes(static_cast<int>(devices->size())), kUnknownGpuMemory);
  EXPECT_EQ(Cuda::load().value().device(-1).status().code(), StatusCode::kConfigError);
}

TEST(LoaderGpu, the_self_test_passes_and_refuses_too_much) {
  const Cuda cuda = Cuda::load().value();
  const auto devices = cuda.devices();
  if (!devices.ok()) GTEST_SKIP() << devices.status().to_string();
  const auto result = cuda.self_test(0);
  ASSERT_TRUE(result.ok()) << result.status().to_string();
  EXPECT_GT(result->on_device_gb_s, 0);
  EXPECT_EQ(cuda.self_test(0, std::uint64_t{1} << 60).status().code(), StatusCode::kOutOfMemoryError);
}

}  // namespace
}  // namespace tern
