// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What a host says of its GPU, and which plans gate B lets onto it.
#include "host.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/gate.h"
#include "tern/manifest.h"

namespace tern::trt_backend {
namespace {

using ::testing::HasSubstr;

dev::CudaDeviceFacts h200() {
  dev::CudaDeviceFacts facts{};
  std::strcpy(facts.name, "NVIDIA H200");
  facts.cc_major = 9;
  facts.cc_minor = 0;
  facts.sm_count = 132;
  facts.memory_bytes = 150'000'000'000;
  return facts;
}

HostFacts host_with(const dev::CudaDeviceFacts& device, const std::string& version = "10.6.0.26",
                    std::string_view driver = "580.95.05") {
  HostFacts facts;
  facts.version = version;
  facts.fit.emplace_back("tensorrt", version);
  add_gpu(facts, device, {.driver = 13000, .runtime = 12080}, driver);
  return facts;
}

EngineManifest built_on(const HostFacts& host) {
  EngineManifest manifest;
  manifest.name = "m.cc_9.0_sm_132.engine";
  manifest.backend = "tensorrt";
  manifest.backend_version = host.version;
  for (const auto& [name, value] : host.fit)
    manifest.key.fields["fit." + name] = value;
  return manifest;
}

TEST(Gpu, is_named_as_engines_are) {
  dev::CudaDeviceFacts facts = h200();
  facts.is_integrated = 1;
  const Gpu gpu = Gpu::of(3, facts);
  EXPECT_EQ(gpu.device, 3);
  EXPECT_EQ(gpu.name, "NVIDIA H200");
  EXPECT_EQ(gpu.target, "cc_9.0_sm_132");
  EXPECT_EQ(gpu.compute_capability, 90);
  EXPECT_TRUE(gpu.is_integrated);
  EXPECT_EQ(host_with(facts).target, gpu.target);
}

TEST(HostFacts, tell_people_of_device_driver_and_both_versions_of_cuda) {
  const HostFacts facts = host_with(h200());
  const std::vector<HostFacts::Fact> wanted{{"device", "NVIDIA H200"},
                                            {"driver", "580.95.05"},
                                            {"cuda_driver", "13.0"},
                                            {"cuda_runtime", "12.8"},
                                            {"memory", "150000000000"}};
  EXPECT_EQ(facts.info, wanted);
  EXPECT_EQ(host_with(h200(), "10.6.0.26", "").info[1].second, "CUDA 13.0") << "a kernel that does not tell";
}

TEST(GateB, takes_a_plan_of_this_tensorrt_and_this_gpu_whatever_the_driver) {
  const EngineManifest manifest = built_on(host_with(h200()));
  EXPECT_TRUE(gate_fit(manifest, "tensorrt", host_with(h200())).ok());
  EXPECT_TRUE(gate_fit(manifest, "tensorrt", host_with(h200(), "10.6.0.26", "570.1.1")).ok());
}

TEST(GateB, names_the_field_of_another_gpu_or_tensorrt) {
  const EngineManifest manifest = built_on(host_with(h200()));
  const auto refused = [&](const HostFacts& host, std::string_view field, std::string_view found,
                           std::string_view wanted) {
    const Status status = gate_fit(manifest, "tensorrt", host);
    EXPECT_EQ(status.code(), StatusCode::kEngineGateError) << field;
    EXPECT_THAT(status.message(), HasSubstr(std::string(field) + ": found '" + std::string(found) + "', wanted '" +
                                            std::string(wanted) + "'"));
    EXPECT_FALSE(status.hint().empty());
  };
  dev::CudaDeviceFacts other = h200();
  other.cc_minor = 1;
  refused(host_with(other), "fit.cc", "9.0", "9.1");
  other = h200();
  other.sm_count = 114;
  refused(host_with(other), "fit.sm_count", "132", "114");
  refused(host_with(h200(), "10.6.0.27"), "backend_version", "10.6.0.26", "10.6.0.27");
  refused(host_with(h200(), "11.0.0.114"), "backend_version", "10.6.0.26", "11.0.0.114");
}

TEST(GateB, refuses_every_plan_where_there_is_no_gpu) {
  HostFacts none;
  none.version = "10.6.0.26";
  none.fit.emplace_back("tensorrt", none.version);
  const Status status = gate_fit(built_on(host_with(h200())), "tensorrt", none);
  EXPECT_EQ(status.code(), StatusCode::kEngineGateError);
  EXPECT_THAT(status.message(), HasSubstr("fit.cc"));
}

TEST(DriverVersion, is_the_number_with_dots_that_stands_alone) {
  EXPECT_EQ(driver_version_in("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Wed Sep 10 2025"),
            "580.95.05");
  EXPECT_EQ(driver_version_in("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  540.4.0  Release Build"),
            "540.4.0");
  for (const char* text : {"", "x86_64", "12", "a1.2", "1.2b", "NVIDIA 5"})
    EXPECT_EQ(driver_version_in(text), "") << text;
  const std::string whole = "Module  580.95.05";
  for (std::size_t length = 0; length <= whole.size(); ++length)
    EXPECT_TRUE(whole.find(driver_version_in(whole.substr(0, length))) != std::string::npos);
}

}  // namespace
}  // namespace tern::trt_backend
