// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What is decided before TensorRT is asked: precision, profiles, progress.
#include <algorithm>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnx_builder.h"
#include "precision.h"
#include "profiles.h"
#include "progress.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

using ::testing::HasSubstr;

Model model_of(const test::OnnxBuilder& builder) {
  return Model::from_bytes(builder.bytes()).value();
}

Model float_model() {
  test::OnnxBuilder b;
  b.weights("w", {3, 3}).input("x", {1, 3}).node("MatMul", {"x", "w"}, {"y"}).output("y", {1, 3});
  return model_of(b);
}

Model half_model() {
  test::OnnxBuilder b;
  b.weights("w", {3, 3}).input("x", {1, 3}, 10).node("MatMul", {"x", "w"}, {"y"}).output("y", {1, 3}, 10);
  auto& tensor = *b.model.mutable_graph()->mutable_initializer(0);
  tensor.set_data_type(10);
  tensor.set_raw_data(std::string(18, '\0'));
  return model_of(b);
}

/// Quantises to the type of its zero point (ONNX's numbers: 2 is u8, 3 is i8) and back.
Model quantised_model(int type = 3) {
  test::OnnxBuilder b;
  b.weights("scale", {}).weights("zero", {}).input("x", {1, 3});
  b.node("QuantizeLinear", {"x", "scale", "zero"}, {"q"}).node("DequantizeLinear", {"q", "scale", "zero"}, {"y"});
  b.output("y", {1, 3});
  auto& zero = *b.model.mutable_graph()->mutable_initializer(1);
  zero.set_data_type(type);
  zero.set_raw_data(std::string(1, '\0'));
  return model_of(b);
}

constexpr bool k11 = compat::kMajor >= 11;

TEST(PlanPrecision, auto_takes_what_the_model_and_the_gpu_offer) {
  const auto plan = [](const Model& model, bool fast) { return plan_precision(Precision::kAuto, model, fast).value(); };
  EXPECT_EQ(plan(float_model(), true).precision, k11 ? Precision::kF32 : Precision::kF16);
  EXPECT_EQ(plan(float_model(), false).precision, Precision::kF32);
  EXPECT_EQ(plan(half_model(), false).precision, Precision::kF16);
  EXPECT_EQ(plan(quantised_model(), true).precision, Precision::kI8);
  EXPECT_FALSE(plan(float_model(), true).was_asked);
}

TEST(PlanPrecision, values_in_u8_are_refused) {
  for (const Precision asked : {Precision::kAuto, Precision::kI8}) {
    const Status status = plan_precision(asked, quantised_model(2), true).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError);
    EXPECT_THAT(status.message(), HasSubstr("u8"));
    EXPECT_THAT(status.hint(), HasSubstr("i8"));
  }
}

TEST(PlanPrecision, a_model_with_types_of_its_own_keeps_them) {
  EXPECT_TRUE(plan_precision(Precision::kF16, half_model(), true)->strongly_typed);
  EXPECT_EQ(plan_precision(Precision::kF32, float_model(), true)->strongly_typed, k11);
}

TEST(PlanPrecision, what_cannot_be_had_is_refused_with_what_can) {
  const auto refused = [](Precision asked, const Model& model, bool fast, std::string_view offered) {
    const Status status = plan_precision(asked, model, fast).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << to_string(asked);
    EXPECT_EQ(status.where(), "precision");
    EXPECT_FALSE(status.hint().empty());
    EXPECT_THAT(status.message(), HasSubstr("in " + std::string(offered)));
  };
  refused(Precision::kI8, float_model(), true, k11 ? "f32" : "f32, f16");
  refused(Precision::kBF16, float_model(), true, k11 ? "f32" : "f32, f16");
  refused(Precision::kMixed, float_model(), false, "f32");
  refused(Precision::kF16, float_model(), false, "f32");
  refused(Precision::kF32, half_model(), true, "f16");
  refused(Precision::kF32, quantised_model(), true, "i8");
  refused(Precision::kF16, quantised_model(), true, "i8");
  if (k11) refused(Precision::kF16, float_model(), true, "f32");
}

TensorSpec input(const std::string& name, const Shape& shape) {
  return {name, DType::kF32, shape};
}

constexpr std::int64_t kOpen = Shape::kDynamic;

TEST(PlanProfiles, open_batches_and_sides_have_defaults) {
  const auto profiles = plan_profiles({input("x", {kOpen, 3, kOpen, kOpen}), input("k", {2})}, {}).value();
  ASSERT_EQ(profiles.size(), 1U);
  EXPECT_EQ(profiles[0][0].min, (Shape{1, 3, 1280, 1280}));
  EXPECT_EQ(profiles[0][0].opt, (Shape{4, 3, 1280, 1280}));
  EXPECT_EQ(profiles[0][0].max, (Shape{4, 3, 1280, 1280}));
  EXPECT_EQ(profiles[0][1].max, (Shape{2}));
  const auto seven = plan_profiles({input("x", {kOpen, 3})}, {.max_batch = 7}).value();
  EXPECT_EQ(seven[0][0].min, (Shape{1, 3}));
  EXPECT_EQ(seven[0][0].opt, (Shape{7, 3}));
}

TEST(PlanProfiles, another_open_dimension_needs_one) {
  for (const Shape& shape : {Shape{1, kOpen}, Shape{1, kOpen, 8, 8}, Shape{1, 8, kOpen}}) {
    const Status status = plan_profiles({input("x", shape)}, {}).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError);
    EXPECT_EQ(status.where(), "x");
    EXPECT_FALSE(status.hint().empty());
  }
}

TEST(PlanProfiles, several_of_one_input_are_profiles_of_their_own) {
  BuildConfig config;
  config.profiles = {parse_profile("x=1x3:2x3:4x3").value(), parse_profile("k=5").value(),
                     parse_profile("x=5x3:6x3:8x3").value()};
  const auto profiles = plan_profiles({input("x", {kOpen, 3}), input("k", {kOpen}), input("n", {9})}, config).value();
  ASSERT_EQ(profiles.size(), 2U);
  EXPECT_EQ(profiles[0][0].max, (Shape{4, 3}));
  EXPECT_EQ(profiles[1][0].min, (Shape{5, 3}));
  EXPECT_EQ(profiles[1][1].opt, (Shape{5})) << "an input with fewer repeats its last";
  EXPECT_EQ(profiles[1][2].opt, (Shape{9}));
}

TEST(PlanProfiles, one_that_does_not_fit_is_refused_by_name) {
  const auto refused = [](const ShapeProfile& profile) {
    BuildConfig config;
    config.profiles = {profile};
    const Status status = plan_profiles({input("x", {kOpen, 3})}, config).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError);
    EXPECT_EQ(status.where(), profile.tensor);
  };
  refused({"y", {1, 3}, {1, 3}, {1, 3}});
  refused({"x", {1}, {1}, {1}});
  refused({"x", {1, 3}, {1, 3}, {1, 3, 1}});
  refused({"x", {1, 3}, {1}, {1, 3}});
  refused({"x", {0, 3}, {1, 3}, {1, 3}});
  refused({"x", {2, 3}, {1, 3}, {4, 3}});
  refused({"x", {1, 3}, {5, 3}, {4, 3}});
  refused({"x", {1, 3}, {1, 3}, {1, 4}});
  refused({"x", {1, 2}, {1, 3}, {1, 3}});
}

TEST(Bounds, contain_what_lies_between_their_ends) {
  const Bounds bounds{{1, 3}, {2, 3}, {4, 3}};
  for (const std::int64_t batch : {1, 2, 3, 4})
    EXPECT_TRUE(bounds.contains({batch, 3}));
  for (const Shape& shape : {Shape{0, 3}, Shape{5, 3}, Shape{2, 2}, Shape{2, 4}, Shape{2}, Shape{2, 3, 1}, Shape{}})
    EXPECT_FALSE(bounds.contains(shape)) << shape.to_string();
}

TEST(ProgressMonitor, rises_through_nested_phases_and_never_falls) {
  std::vector<double> fractions;
  const Progress progress = [&](std::string_view phase, double fraction) {
    EXPECT_FALSE(phase.empty());
    fractions.push_back(fraction);
  };
  const std::stop_token stop;
  ProgressMonitor monitor(progress, stop, 0.1, 0.9);
  monitor.phaseStart("Build", nullptr, 2);
  monitor.phaseStart("Tactics", "Build", 4);
  for (int step = 0; step < 4; ++step)
    EXPECT_TRUE(monitor.stepComplete("Tactics", step));
  EXPECT_DOUBLE_EQ(fractions.back(), 0.5) << "one whole step of two";
  monitor.phaseFinish("Tactics");
  EXPECT_TRUE(monitor.stepComplete("Build", 0));
  EXPECT_DOUBLE_EQ(fractions.back(), 0.5);
  EXPECT_TRUE(monitor.stepComplete("Build", 1));
  EXPECT_DOUBLE_EQ(fractions.back(), 0.9);
  monitor.phaseFinish("Build");
  monitor.phaseStart("Afterthought", nullptr, 3);
  EXPECT_TRUE(monitor.stepComplete("Afterthought", 0));
  EXPECT_TRUE(std::ranges::is_sorted(fractions));
  EXPECT_LE(fractions.back(), 0.9);
}

TEST(ProgressMonitor, ends_the_build_when_a_stop_is_asked_for) {
  std::stop_source source;
  const Progress progress;
  const std::stop_token stop = source.get_token();
  ProgressMonitor monitor(progress, stop, 0, 1);
  monitor.phaseStart("Build", nullptr, 2);
  EXPECT_TRUE(monitor.stepComplete("Build", 0));
  source.request_stop();
  EXPECT_FALSE(monitor.stepComplete("Build", 1));
}

TEST(ProgressMonitor, takes_anything_from_the_builder_and_from_the_callback) {
  const Progress progress = [](std::string_view, double) { throw std::runtime_error("a bar that breaks"); };
  const std::stop_token stop;
  ProgressMonitor monitor(progress, stop, 0, 1);
  monitor.phaseStart(nullptr, nullptr, 0);
  monitor.phaseStart("a", "a", -1);
  monitor.phaseStart("b", "c", 1);
  monitor.phaseStart("c", "b", 1);
  EXPECT_TRUE(monitor.stepComplete("a", 5));
  EXPECT_TRUE(monitor.stepComplete("c", 0));
  EXPECT_TRUE(monitor.stepComplete("nobody", 0));
  EXPECT_TRUE(monitor.stepComplete(nullptr, 0));
  monitor.phaseFinish("nobody");
  monitor.phaseFinish(nullptr);
}

}  // namespace
}  // namespace tern::trt_backend
