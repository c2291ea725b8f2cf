// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/gate.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

using ::testing::HasSubstr;

HostFacts host() {
  return {.version = "2026.4.1-1", .target = "x86_64_avx2", .fit = {{"arch", "x86_64"}, {"isa", "avx2"}}, .info = {}};
}

void expect_misfit(const Status& status, const std::string& field, const std::string& found,
                   const std::string& wanted) {
  EXPECT_EQ(status.code(), StatusCode::kEngineGateError);
  EXPECT_THAT(status.message(), HasSubstr(field + ": found " + found + ", wanted " + wanted));
  EXPECT_THAT(status.where(), HasSubstr("yolo.v8.x86_64_avx2.fp32.engine"));
  EXPECT_FALSE(status.hint().empty());
}

TEST(GateFit, passes_where_everything_agrees) {
  EXPECT_TRUE(gate_fit(test::sample_manifest(), "openvino", host()).ok());
}

TEST(GateFit, another_backend_version_or_fact_is_named) {
  const EngineManifest m = test::sample_manifest();
  expect_misfit(gate_fit(m, "tensorrt", host()), "backend", "'openvino'", "'tensorrt'");
  HostFacts other = host();
  other.version = "2026.4.2-1";
  expect_misfit(gate_fit(m, "openvino", other), "backend_version", "'2026.4.1-1'", "'2026.4.2-1'");
  other = host();
  other.fit[1].second = "avx512";
  expect_misfit(gate_fit(m, "openvino", other), "fit.isa", "'avx2'", "'avx512'");
}

TEST(GateFit, a_fact_that_only_one_side_knows_is_a_misfit) {
  const EngineManifest m = test::sample_manifest();
  HostFacts other = host();
  other.fit.emplace_back("driver", "550");
  expect_misfit(gate_fit(m, "openvino", other), "fit.driver", "nothing", "'550'");
  other = host();
  other.fit.pop_back();
  expect_misfit(gate_fit(m, "openvino", other), "'fit.isa'", "'avx2'", "nothing");
}

TEST(GateFit, what_is_for_people_and_the_target_do_not_count) {
  HostFacts other = host();
  other.target = "x86_64_avx512";
  other.info = {{"device", "another"}};
  EXPECT_TRUE(gate_fit(test::sample_manifest(), "openvino", other).ok());
}

/// A plan of TensorRT, by what makes it compatible.
EngineManifest plan(HardwareLevel hardware, bool version_compatible) {
  EngineManifest m = test::sample_manifest();
  m.name = std::string("yolo.v8.") + (hardware == HardwareLevel::kAmperePlus ? "hw_ampere_plus" : "cc_9.0_sm_132") +
           (version_compatible ? ".vc" : "") + ".fp32.engine";
  m.backend = "tensorrt";
  m.backend_version = "10.6.0.26";
  m.key.fields = {{"hardware", std::string(to_string(hardware))},
                  {"version_compatible", version_compatible ? "true" : "false"},
                  {"fit.tensorrt", "10.6.0.26"},
                  {"fit.cc", hardware == HardwareLevel::kAmperePlus ? "8.0+" : "9.0"}};
  if (hardware == HardwareLevel::kThisGpu) m.key.fields["fit.sm_count"] = "132";
  return m;
}

HostFacts gpu(const std::string& cc, const std::string& sm_count, const std::string& version = "10.6.0.26") {
  return {.version = version,
          .target = "cc_9.0_sm_132",
          .fit = {{"tensorrt", version}, {"cc", cc}, {"sm_count", sm_count}},
          .info = {}};
}

Status fit(const EngineManifest& manifest, const HostFacts& host) {
  return gate_fit(manifest, "tensorrt", host);
}

TEST(GateFit, an_engine_for_ampere_and_newer_fits_those_and_no_older_gpu) {
  const EngineManifest m = plan(HardwareLevel::kAmperePlus, false);
  for (const char* cc : {"8.0", "8.6", "9.0", "10.0", "12.1"})
    EXPECT_TRUE(fit(m, gpu(cc, "7")).ok()) << cc;
  for (const char* cc : {"7.5", "7.9", "6.1", "", "new", "8.0+", "-9.0", "9.", ".9", "9.x"}) {
    const Status status = fit(m, gpu(cc, "7"));
    EXPECT_EQ(status.code(), StatusCode::kEngineGateError) << cc;
    EXPECT_THAT(status.message(), HasSubstr("fit.cc: found '8.0+'"));
  }
  EXPECT_THAT(fit(m, gpu("9.0", "7", "10.7.0.1")).message(), HasSubstr("backend_version"));
  EngineManifest forged = m;
  forged.key.fields["fit.cc"] = "6.0+";
  EXPECT_THAT(fit(forged, gpu("7.0", "7")).message(), HasSubstr("fit.cc")) << "the engine does not make the rule";
  HostFacts no_gpu = gpu("9.0", "7");
  no_gpu.fit.resize(1);
  EXPECT_THAT(fit(m, no_gpu).message(), HasSubstr("fit.cc"));
}

TEST(GateFit, an_engine_for_one_gpu_does_not_profit_from_the_rule) {
  EngineManifest m = plan(HardwareLevel::kThisGpu, false);
  EXPECT_TRUE(fit(m, gpu("9.0", "132")).ok());
  EXPECT_THAT(fit(m, gpu("9.0", "114")).message(), HasSubstr("fit.sm_count"));
  m.key.fields["fit.cc"] = "8.0+";
  EXPECT_THAT(fit(m, gpu("9.0", "132")).message(), HasSubstr("fit.cc"));
  m.key.fields.erase("fit.sm_count");
  EXPECT_FALSE(fit(m, gpu("9.0", "132")).ok());
}

TEST(GateFit, a_version_compatible_engine_fits_newer_versions_of_its_major_version) {
  const EngineManifest m = plan(HardwareLevel::kThisGpu, true);
  for (const char* version : {"10.6.0.26", "10.6.0.27", "10.7.0.1", "10.16.0.1"})
    EXPECT_TRUE(fit(m, gpu("9.0", "132", version)).ok()) << version;
  for (const char* version : {"10.6.0.25", "10.3.0.26", "10.6", "11.0.0.1", "9.9.9.9", "", "10.7.x", "10.7."})
    EXPECT_EQ(fit(m, gpu("9.0", "132", version)).code(), StatusCode::kEngineGateError) << version;
  EXPECT_THAT(fit(m, gpu("8.6", "132", "10.7.0.1")).message(), HasSubstr("fit.cc"));
  EXPECT_FALSE(fit(plan(HardwareLevel::kThisGpu, false), gpu("9.0", "132", "10.7.0.1")).ok());
  EXPECT_TRUE(fit(plan(HardwareLevel::kAmperePlus, true), gpu("8.9", "9", "10.7.0.1")).ok());
}

}  // namespace
}  // namespace tern
