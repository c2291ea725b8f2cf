// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What is decided before TensorRT is asked: precision, profiles, progress.
#include <algorithm>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers.h"
#include "onnx_builder.h"
#include "precision.h"
#include "profiles.h"
#include "progress.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

using ::testing::ElementsAre;
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

using Ranges = PrecisionMeans::Ranges;

std::vector<Precision> precisions(const std::vector<PrecisionPlan>& plans) {
  std::vector<Precision> all;
  for (const PrecisionPlan& plan : plans)
    all.push_back(plan.precision);
  return all;
}

TEST(PlanPrecision, auto_takes_the_best_that_model_calibration_and_gpu_offer_and_what_stands_in_for_it) {
  const auto plans = [](const Model& model, bool fast, Ranges ranges = Ranges::kNone) {
    return plan_precision(Precision::kAuto, model, {.fast_f16 = fast, .ranges = ranges}).value();
  };
  using P = Precision;
  EXPECT_THAT(precisions(plans(float_model(), true)), ElementsAre(P::kF16, P::kF32));
  EXPECT_THAT(precisions(plans(float_model(), false)), ElementsAre(P::kF32));
  for (const Ranges ranges : {Ranges::kCache, Ranges::kPassport}) {
    EXPECT_THAT(precisions(plans(float_model(), true, ranges)), ElementsAre(P::kI8, P::kF16, P::kF32));
    EXPECT_THAT(precisions(plans(float_model(), false, ranges)), ElementsAre(P::kI8, P::kF32));
  }
  EXPECT_THAT(precisions(plans(half_model(), false)), ElementsAre(P::kF16));
  EXPECT_THAT(precisions(plans(quantised_model(), true)), ElementsAre(P::kI8));
  for (const PrecisionPlan& plan : plans(float_model(), true, Ranges::kCache))
    EXPECT_FALSE(plan.was_asked);
}

TEST(PlanPrecision, a_calibration_becomes_a_cache_on_10_and_edits_of_the_graph_elsewhere) {
  const auto plan = [](Precision asked, Ranges ranges) {
    return plan_precision(asked, float_model(), {.fast_f16 = true, .ranges = ranges}).value().front();
  };
  const PrecisionPlan cache = plan(Precision::kI8, Ranges::kCache), passport = plan(Precision::kI8, Ranges::kPassport);
  EXPECT_EQ(cache.use_cache, !k11);
  EXPECT_EQ(cache.insert_qdq, k11);
  EXPECT_FALSE(passport.use_cache);
  EXPECT_TRUE(passport.insert_qdq);
  EXPECT_EQ(passport.convert_to_f16, k11) << "on 10 the builder may choose f16 for the rest";
  EXPECT_EQ(passport.strongly_typed, k11);
  for (const Ranges ranges : {Ranges::kNone, Ranges::kCache, Ranges::kPassport}) {
    const PrecisionPlan mixed = plan(Precision::kMixed, ranges);
    EXPECT_TRUE(mixed.strongly_typed && mixed.convert_to_f16 && !mixed.use_cache);
    EXPECT_EQ(mixed.insert_qdq, ranges != Ranges::kNone);
  }
}

TEST(PlanPrecision, f16_is_a_flag_on_10_and_an_edit_of_the_graph_on_11) {
  const PrecisionPlan plan = plan_precision(Precision::kF16, float_model(), {.fast_f16 = true}).value().front();
  EXPECT_EQ(plan.convert_to_f16, k11);
  EXPECT_EQ(plan.strongly_typed, k11);
  EXPECT_TRUE(plan.was_asked);
}

TEST(PlanPrecision, values_in_u8_are_refused) {
  for (const Precision asked : {Precision::kAuto, Precision::kI8, Precision::kMixed}) {
    const Status status = plan_precision(asked, quantised_model(2), {.fast_f16 = true}).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError);
    EXPECT_THAT(status.message(), HasSubstr("u8"));
    EXPECT_THAT(status.hint(), HasSubstr("i8"));
  }
}

TEST(PlanPrecision, a_model_with_types_of_its_own_is_strongly_typed) {
  const auto plan = [](Precision asked, const Model& model) {
    return plan_precision(asked, model, {.fast_f16 = true}).value().front();
  };
  EXPECT_TRUE(plan(Precision::kF16, half_model()).strongly_typed);
  EXPECT_FALSE(plan(Precision::kF16, half_model()).convert_to_f16);
  EXPECT_EQ(plan(Precision::kI8, quantised_model()).strongly_typed, k11);
  EXPECT_EQ(plan(Precision::kF32, float_model()).strongly_typed, k11);
  EXPECT_TRUE(plan(Precision::kMixed, quantised_model()).convert_to_f16);
}

TEST(PlanPrecision, what_cannot_be_had_is_refused_with_what_can) {
  const auto refused = [](Precision asked, const Model& model, const PrecisionMeans& means, std::string_view offered) {
    const Status status = plan_precision(asked, model, means).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << to_string(asked);
    EXPECT_EQ(status.where(), "precision");
    EXPECT_FALSE(status.hint().empty());
    EXPECT_THAT(status.message(), HasSubstr("in " + std::string(offered)));
  };
  refused(Precision::kI8, float_model(), {.fast_f16 = true}, "f32, f16, mixed");
  refused(Precision::kBF16, float_model(), {.fast_f16 = true}, "f32, f16, mixed");
  refused(Precision::kMixed, float_model(), {}, "f32");
  refused(Precision::kF16, float_model(), {}, "f32");
  refused(Precision::kF32, half_model(), {.fast_f16 = true}, "f16");
  refused(Precision::kMixed, half_model(), {.fast_f16 = true}, "f16");
  refused(Precision::kF32, quantised_model(), {.fast_f16 = true}, "i8, mixed");
  refused(Precision::kF16, quantised_model(), {.fast_f16 = true}, "i8, mixed");
}

TEST(PlanPrecision, a_calibration_that_nothing_would_use_is_refused) {
  const PrecisionMeans means{.fast_f16 = true, .ranges = Ranges::kPassport};
  for (const Precision asked : {Precision::kF32, Precision::kF16, Precision::kBF16})
    EXPECT_EQ(plan_precision(asked, float_model(), means).status().where(), "calibration") << to_string(asked);
  for (const Precision asked : {Precision::kAuto, Precision::kI8, Precision::kMixed}) {
    EXPECT_EQ(plan_precision(asked, quantised_model(), means).status().where(), "calibration") << to_string(asked);
    EXPECT_EQ(plan_precision(asked, half_model(), means).status().where(), "calibration") << to_string(asked);
    EXPECT_TRUE(plan_precision(asked, float_model(), means).ok());
  }
}

TEST(Precisions, mixed_is_no_wider_than_anything_below_f32) {
  EXPECT_TRUE(is_wider(Precision::kF32, Precision::kMixed));
  EXPECT_FALSE(is_wider(Precision::kMixed, Precision::kMixed));
  EXPECT_FALSE(is_wider(Precision::kI8, Precision::kMixed));
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
