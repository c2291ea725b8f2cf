// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "tern/postprocess.h"

namespace tern {
namespace {

Geometry geometry(ResizeRule rule, int width, int height, int side) {
  InputContract input;
  input.resize = rule;
  return Geometry::make(input, width, height, side, side).value();
}

/// What a detector gives on a 640x640 image: `objects` objects, each found by a few neighbouring anchors, and a floor of
/// low scores everywhere else.
std::vector<float> yolo_output(std::size_t classes, std::size_t anchors, int objects, float floor) {
  std::mt19937 random(1);
  const auto uniform = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
  std::vector<float> values((4 + classes) * anchors);
  for (std::size_t a = 0; a < anchors; ++a) {
    values[a] = uniform(0, 640);
    values[anchors + a] = uniform(0, 640);
    values[2 * anchors + a] = uniform(8, 80);
    values[3 * anchors + a] = uniform(8, 80);
    for (std::size_t c = 0; c < classes; ++c)
      values[(4 + c) * anchors + a] = uniform(0.5F, 1) * floor;
  }
  for (int i = 0; i < objects; ++i) {
    const std::size_t first = random() % (anchors - 4), label = random() % classes;
    for (std::size_t a = first; a < first + 4; ++a) {
      for (std::size_t row = 0; row < 4; ++row)
        values[row * anchors + a] = values[row * anchors + first] + uniform(-1, 1);
      values[(4 + label) * anchors + a] = uniform(0.3F, 0.95F);
    }
  }
  return values;
}

void yolo(benchmark::State& state, int classes, float threshold, float floor) {
  constexpr std::int64_t kAnchors = 8400;
  OutputContract contract;
  contract.classes = classes;
  contract.score_threshold = threshold;
  contract.nms_iou = 0.65F;
  std::vector<float> values = yolo_output(static_cast<std::size_t>(classes), kAnchors, 13, floor);
  const TensorView output(values.data(), DType::kF32, {1, 4 + classes, kAnchors});
  Postprocessor postprocessor = Postprocessor::create(contract).value();
  const Geometry g = geometry(ResizeRule::kLetterbox, 1920, 1080, 640);
  std::vector<std::vector<Detection>> results(1);
  for (auto _ : state) {
    const Status status = postprocessor.detect(output, {&g, 1}, results);
    if (!status.ok()) state.SkipWithError(status.to_string().c_str());
    benchmark::DoNotOptimize(results.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(values.size() * sizeof(float)));
  state.counters["boxes"] = static_cast<double>(results[0].size());
}
BENCHMARK_CAPTURE(yolo, classes_5_threshold_25, 5, 0.25F, 0.01F)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(yolo, classes_80_threshold_25, 80, 0.25F, 0.01F)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(yolo, classes_5_all_candidates, 5, 0.001F, 0.01F)->Unit(benchmark::kMicrosecond);

/// Regions with smooth borders, about as ragged as an aerial scene's.
std::vector<float> region_logits(int classes, int side) {
  std::vector<float> values;
  for (int c = 0; c < classes; ++c) {
    const float f = 0.02F + 0.011F * static_cast<float>(c);
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x)
        values.push_back(6 * std::sin(f * static_cast<float>(x) + static_cast<float>(c)) *
                         std::cos(f * static_cast<float>(y)));
    }
  }
  return values;
}

void segment(benchmark::State& state, int width, int height, float threshold) {
  constexpr int kClasses = 5, kSide = 640;
  OutputContract contract;
  contract.kind = OutputKind::kSegmentation;
  contract.logits = true;
  contract.classes = kClasses;
  contract.score_threshold = threshold;
  std::vector<float> values = region_logits(kClasses, kSide);
  const TensorView output(values.data(), DType::kF32, {1, kClasses, kSide, kSide});
  Postprocessor postprocessor = Postprocessor::create(contract).value();
  const Geometry g = geometry(ResizeRule::kLetterbox, width, height, kSide);
  std::vector<Segmentation> results(1);
  for (auto _ : state) {
    const Status status = postprocessor.segment(output, {&g, 1}, results);
    if (!status.ok()) state.SkipWithError(status.to_string().c_str());
    benchmark::DoNotOptimize(results.data());
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(values.size() * sizeof(float) + results[0].classes.size()));
}
BENCHMARK_CAPTURE(segment, same_size, 640, 640, 0.0F)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(segment, same_size_threshold_25, 640, 640, 0.25F)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(segment, same_size_threshold_90, 640, 640, 0.9F)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(segment, to_1080p, 1920, 1080, 0.0F)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(segment, to_4k, 3840, 2160, 0.0F)->Unit(benchmark::kMicrosecond);

/// The bandwidth to hold the above against: reading the logits once.
void read_logits(benchmark::State& state) {
  const std::vector<float> values = region_logits(5, 640);
  for (auto _ : state) {
    float sum[16] = {};
    for (std::size_t i = 0; i < values.size(); i += 16) {
      for (std::size_t k = 0; k < 16; ++k)
        sum[k] += values[i + k];
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(values.size() * sizeof(float)));
}
BENCHMARK(read_logits)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tern

BENCHMARK_MAIN();
