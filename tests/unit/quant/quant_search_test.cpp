// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Sensitivity of layers, and the search for those that stay float.
#include "tern/quant_search.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graphs.h"

namespace tern {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// l0 -> l1 -> ... -> head: a chain of `count` layers to quantise.
OnnxBuilder chain(int count) {
  OnnxBuilder b;
  b.input("t0", {1, 2, 4, 4});
  for (int i = 0; i < count; ++i)
    conv(b, fmt::format("t{}", i), fmt::format("t{}", i + 1), 2, 2, fmt::format("l{}", i), 1);
  conv(b, fmt::format("t{}", count), "y", 2, 2, "head", 1);
  b.output("y", {1, 2, 4, 4});
  return b;
}

std::set<std::string> float_layers_of(const Model& model) {
  std::set<std::string> names;
  for (const onnx::NodeProto* node : nodes_of(model, "Conv")) {
    const onnx::NodeProto* maker = maker_of(model, node->input(0));
    if (node->name() != "head" && (maker == nullptr || maker->op_type() != "DequantizeLinear"))
      names.insert(node->name());
  }
  return names;
}

/// Sensitivity in the order of the names given, the first one the most sensitive.
std::vector<LayerSensitivity> in_order(const std::vector<std::string>& names) {
  std::vector<LayerSensitivity> layers;
  for (const std::string& name : names)
    layers.push_back({name, 0, 0, 10.0 * static_cast<double>(layers.size())});
  return layers;
}

/// 1 less a loss for each layer of `costs` that is not float.
Evaluate losing(const std::map<std::string, double>& costs) {
  return [costs](const Model& model) -> Result<double> {
    const auto kept = float_layers_of(model);
    double score = 1;
    for (const auto& [layer, cost] : costs)
      if (!kept.contains(layer)) score -= cost;
    return score;
  };
}

SearchResult search(int count, const std::vector<std::string>& order, const Evaluate& evaluate,
                    const SearchOptions& options) {
  const Model model = read(chain(count));
  return search_float_layers(model, ranges_for(model), {}, in_order(order), evaluate, options).value();
}

std::vector<std::string> all(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i)
    names.push_back(fmt::format("l{}", i));
  return names;
}

TEST(SensitivityMeter, FindsTheNoiseOfKnownValues) {
  const Model model = read(two_convs());
  // Scale 1: 0.25 becomes 0, 3 stays, 200 is clipped to 127.
  SensitivityMeter meter = SensitivityMeter::create(model, {{"x", 127.0F}}).value();
  EXPECT_THAT(meter.tensors(), ElementsAre("x"));
  EXPECT_THAT(meter.layers().status().to_string(), HasSubstr("never observed"));
  ASSERT_TRUE(meter.observe("x", std::vector<float>{0.25F, 3.0F, 200.0F}).ok());
  const auto layers = meter.layers().value();
  ASSERT_EQ(layers.size(), 1U);
  const double ratio = (0.0625 + 9 + 40000) / (0.0625 + 73 * 73);
  EXPECT_NEAR(layers[0].activation_db, 10 * std::log10(ratio), 1e-9);
  EXPECT_GT(layers[0].weight_db, 35);
  EXPECT_LT(layers[0].sqnr_db, layers[0].activation_db);
}

TEST(SensitivityMeter, MergingIsObservingAll) {
  const Model model = read(two_convs());
  const auto make = [&] { return SensitivityMeter::create(model, {{"x", 1.0F}}).value(); };
  SensitivityMeter first = make(), second = make(), both = make();
  const std::vector<float> a{0.1F, 0.7F, -0.333F}, b{0.9F, 1.5F};
  ASSERT_TRUE(first.observe("x", a).ok());
  ASSERT_TRUE(second.observe("x", b).ok());
  ASSERT_TRUE(both.observe("x", a).ok());
  ASSERT_TRUE(both.observe("x", b).ok());
  first.merge(second);
  EXPECT_EQ(first.layers()->at(0).sqnr_db, both.layers()->at(0).sqnr_db);
}

TEST(SensitivityMeter, RefusesWhatIsNotOfThePlan) {
  SensitivityMeter meter = SensitivityMeter::create(read(two_convs()), {{"x", 1.0F}}).value();
  EXPECT_EQ(meter.observe("r", std::vector<float>{1}).code(), StatusCode::kInputError);
  const Status nan = meter.observe("x", std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_EQ(nan.code(), StatusCode::kInputError);
  EXPECT_FALSE(meter.layers().ok()) << "nothing of the bad frame was kept";
  EXPECT_EQ(SensitivityMeter::create(read(two_convs()), {}).status().code(), StatusCode::kInputError);
}

TEST(SearchFloatLayers, LeavesAllInInt8WhereThatHolds) {
  const SearchResult result = search(6, all(6), losing({}), {.floor = 0.9});
  EXPECT_TRUE(result.holds);
  EXPECT_TRUE(result.float_layers.empty());
  EXPECT_EQ(result.steps.size(), 1U);
}

TEST(SearchFloatLayers, FindsTheFewestAlongTheOrderAndGivesTheInnocentBack) {
  // The third in the order costs too much, the first two nothing.
  const SearchResult result = search(9, all(9), losing({{"l2", 0.5}}), {.floor = 0.9});
  EXPECT_TRUE(result.holds);
  EXPECT_THAT(result.float_layers, ElementsAre("l2"));
  EXPECT_EQ(result.score, 1);
  EXPECT_EQ(float_layers_of(result.model), std::set<std::string>{"l2"});
}

TEST(SearchFloatLayers, KeepsEveryLayerThatMatters) {
  std::vector<std::string> order = all(12);
  std::swap(order[1], order[9]);
  const SearchResult result = search(12, order, losing({{"l9", 0.2}, {"l4", 0.2}, {"l6", 0.01}}), {.floor = 0.95});
  EXPECT_TRUE(result.holds);
  EXPECT_THAT(std::set(result.float_layers.begin(), result.float_layers.end()), ElementsAre("l4", "l9"));
  EXPECT_DOUBLE_EQ(result.score, 0.99);
  for (const SearchStep& step : result.steps)
    EXPECT_FALSE(step.score >= 0.95 && step.float_layers.size() < 2);
}

TEST(SearchFloatLayers, GivesTheBestWhereNothingHolds) {
  std::size_t calls = 0;
  const Evaluate evaluate = [&](const Model& model) -> Result<double> {
    ++calls;
    return 0.1 * static_cast<double>(float_layers_of(model).size());
  };
  const SearchResult result = search(5, all(5), evaluate, {.floor = 0.9});
  EXPECT_FALSE(result.holds);
  EXPECT_EQ(result.float_layers.size(), 4U) << "one layer stays int8";
  EXPECT_EQ(calls, result.steps.size());
}

TEST(SearchFloatLayers, KeepsToItsBudgetAndStops) {
  EXPECT_EQ(search(9, all(9), losing({{"l8", 0.5}}), {.floor = 0.9, .max_evaluations = 3}).steps.size(), 3U);
  const Model model = read(chain(3));
  const auto run = [&](const SearchOptions& options, const Evaluate& evaluate) {
    return search_float_layers(model, ranges_for(model), {}, in_order(all(3)), evaluate, options).status();
  };
  std::stop_source stop;
  std::vector<double> told;
  const SearchOptions options{.floor = 2,
                              .progress = [&](std::string_view, double fraction) { told.push_back(fraction); },
                              .stop = stop.get_token()};
  const Evaluate once = [&](const Model&) -> Result<double> {
    stop.request_stop();
    return 0.5;
  };
  EXPECT_EQ(run(options, once).code(), StatusCode::kCancelled);
  EXPECT_THAT(told, ElementsAre(0.0));
  EXPECT_EQ(run({.max_evaluations = 0}, once).code(), StatusCode::kConfigError);
  EXPECT_EQ(
      run({.floor = 1}, [](const Model&) -> Result<double> { return Status(StatusCode::kIoError, "gone"); }).code(),
      StatusCode::kIoError);
  EXPECT_EQ(run({.floor = 1}, [](const Model&) -> Result<double> { return std::nan(""); }).code(),
            StatusCode::kInputError);
}

}  // namespace
}  // namespace tern
