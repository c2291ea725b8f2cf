// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// How libtern finds, refuses and understands its CUDA library; the library itself is held by tests/cuda.
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/device.h"
#include "tern/engine.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

fs::path misfit(const std::string& name) {
  return fs::path(MISFIT_CUDA_FOLDER) / name;
}

Result<Cuda> load_misfit(const std::string& name) {
  const std::array<fs::path, 1> folders{misfit(name)};
  return Cuda::load_from(folders);
}

TEST(Cuda, every_misfit_is_refused_with_its_own_reason) {
  const std::map<std::string, std::string> reasons{{"wrong_abi", "ABI 99"},
                                                   {"wrong_version", "tern 0.0.1"},
                                                   {"wrong_compiler", "babbage 1"},
                                                   {"null_entry", "returned nothing"},
                                                   {"no_entry", "tern_cuda_v1"}};
  for (const auto& [name, reason] : reasons) {
    const Status status = load_misfit(name).status();
    EXPECT_EQ(status.code(), StatusCode::kBackendError) << name;
    EXPECT_THAT(status.message(), HasSubstr(reason)) << name;
    EXPECT_THAT(status.where(), HasSubstr("libtern_cuda.so")) << name;
    EXPECT_FALSE(status.hint().empty()) << name;
  }
}

TEST(Cuda, a_file_that_is_no_library_is_refused) {
  const fs::path folder = fs::path(testing::TempDir()) / "tern_cuda_test";
  fs::create_directories(folder);
  std::ofstream(folder / "libtern_cuda.so") << "not a library";
  const std::array<fs::path, 1> folders{folder};
  EXPECT_EQ(Cuda::load_from(folders).status().code(), StatusCode::kBackendError);
  fs::remove_all(folder);
}

TEST(Cuda, without_the_library_it_says_how_to_get_it) {
  const std::array<fs::path, 1> folders{"/nonexistent"};
  const Status status = Cuda::load_from(folders).status();
  EXPECT_EQ(status.code(), StatusCode::kBackendError);
  EXPECT_THAT(status.message(), HasSubstr("built without CUDA"));
  EXPECT_THAT(status.hint(), HasSubstr("TERN_PLUGIN_PATH"));
}

TEST(Cuda, the_first_folder_that_has_one_decides) {
  const std::array<fs::path, 3> folders{"/nonexistent", misfit("scripted"), misfit("wrong_abi")};
  const auto cuda = Cuda::load_from(folders);
  ASSERT_TRUE(cuda.ok()) << cuda.status().to_string();
  EXPECT_EQ(cuda->library(), misfit("scripted") / "libtern_cuda.so");
}

TEST(Cuda, relative_folders_of_the_path_variable_are_never_searched) {
  const fs::path before = fs::current_path();
  fs::current_path(fs::path(MISFIT_CUDA_FOLDER));
  ::setenv("TERN_PLUGIN_PATH", "scripted:./scripted", 1);
  const auto cuda = Cuda::load();
  ::unsetenv("TERN_PLUGIN_PATH");
  fs::current_path(before);
  EXPECT_EQ(cuda.status().code(), StatusCode::kBackendError);
}

TEST(Cuda, each_failure_of_the_library_has_its_code_and_cure) {
  const Cuda cuda = load_misfit("scripted").value();
  struct Row {
    int code;
    StatusCode status;
    std::string message;
  };
  const std::string brim(504, 'x');
  const std::array rows{Row{1, StatusCode::kBackendError, "no NVIDIA driver"},
                        Row{2, StatusCode::kBackendError, "older"},
                        Row{3, StatusCode::kBackendError, "sees no GPU"},
                        Row{4, StatusCode::kConfigError, brim},
                        Row{5, StatusCode::kOutOfMemoryError, brim},
                        Row{6, StatusCode::kBackendError, brim},
                        Row{7, StatusCode::kBackendError, brim},
                        Row{1234, StatusCode::kBackendError, brim}};
  for (const Row& row : rows) {
    for (const Status& status : {cuda.device(row.code).status(), cuda.memory(row.code).status(),
                                 cuda.self_test(row.code).status(), GpuFrame::create(cuda, row.code).status()}) {
      EXPECT_EQ(status.code(), row.status) << row.code;
      EXPECT_THAT(status.message(), HasSubstr(row.message)) << row.code;
      EXPECT_TRUE(status.message() == brim || status.cause() == brim) << row.code;
    }
  }
  EXPECT_EQ(cuda.devices().status().code(), StatusCode::kBackendError);  // the second device fails: not a shorter list
}

TEST(Cuda, traits_and_versions_arrive_whole) {
  const Cuda cuda = load_misfit("scripted").value();
  const DeviceTraits traits = cuda.device(0).value();
  EXPECT_EQ(traits.name, std::string(256, 'n'));  // a field that is full to the brim
  EXPECT_EQ(traits.target(), "cc_10.3_sm_148");
  const CudaVersions versions = cuda.versions().value();
  EXPECT_EQ(versions.driver, "12.4");
  EXPECT_EQ(versions.runtime, "13.0");
}

TEST(Cuda, a_gpu_of_unknown_memory_has_2_gib) {
  EXPECT_EQ(kUnknownGpuMemory, 2147483648U);
  ::setenv("TERN_PLUGIN_PATH", "/nonexistent", 1);  // no library
  EXPECT_EQ(gpu_memory_bytes(0), kUnknownGpuMemory);
  ::setenv("TERN_PLUGIN_PATH", misfit("scripted").c_str(), 1);
  EXPECT_EQ(gpu_memory_bytes(0), kUnknownGpuMemory);  // it gives 0
  EXPECT_EQ(gpu_memory_bytes(1), kUnknownGpuMemory);  // it fails
  ::unsetenv("TERN_PLUGIN_PATH");
}

TEST(Registry, the_cuda_library_is_not_taken_for_a_backend) {
  for (const char* name : {"scripted", "no_entry"}) {
    const std::array<fs::path, 1> folders{misfit(name)};
    const auto registry = BackendRegistry::load_from(folders);
    EXPECT_TRUE(registry.entries().empty()) << name;
  }
}

}  // namespace
}  // namespace tern
