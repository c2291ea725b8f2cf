// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Two runtimes that share no code give the same results on every demo model, in FP32: probabilities to 1e-4, logits to 1e-3 of the
// tensor's largest, boxes to 0.05 px, and the same objects but for scores within 1e-4 of the threshold.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <gtest/gtest.h>

#include "../task/demo.h"
#include "tern/runtime.h"
#include "tern/task.h"

namespace tern {
namespace {

using test::demo_path;
using test::Picture;

constexpr float kProbability = 1e-4F, kLogit = 1e-3F, kPixels = 0.05F;
const char* const kImages[] = {"data/validation/images/000.jpg", "data/frame-4k.jpg"};

TaskOptions on(const char* backend) {
  TaskOptions options;
  options.backend = backend;
  options.precision = Precision::kF32;
  options.threads = 2;
  RuntimeOptions parts;
  parts.config = RuntimeConfig::resolve().value();
  parts.use_store = false;
  options.runtime = std::make_shared<InferenceRuntime>(InferenceRuntime::create(std::move(parts)).value());
  return options;
}

/// The raw outputs of a model on both backends for the same input.
void compare_raw(const VisionTask& a, const VisionTask& b) {
  ASSERT_EQ(a.engine().backend(), "openvino");
  ASSERT_EQ(b.engine().backend(), "onnxruntime");
  auto& one = const_cast<Engine&>(a.engine());
  auto& other = const_cast<Engine&>(b.engine());
  auto frames = noise_frames(one.inputs(), &a.contract(), 2, 5).value();
  ASSERT_TRUE(record_reference(one, frames).ok());
  auto found = noise_frames(other.inputs(), &b.contract(), 2, 5).value();
  ASSERT_TRUE(record_reference(other, found).ok());
  for (std::size_t f = 0; f < frames.size(); ++f) {
    for (std::size_t o = 0; o < frames[f].outputs.size(); ++o) {
      const auto x = frames[f].outputs[o].tensor.as<float>(), y = found[f].outputs[o].tensor.as<float>();
      ASSERT_EQ(x.size(), y.size());
      float largest = 0, difference = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        largest = std::max(largest, std::fabs(x[i]));
        difference = std::max(difference, std::fabs(x[i] - y[i]));
      }
      EXPECT_LE(difference, kLogit * largest) << frames[f].outputs[o].name << ", frame " << f;
    }
  }
}

/// Each of `a` has a counterpart in `b`, unless it barely passed the threshold.
void expect_found(const std::vector<Detection>& a, const std::vector<Detection>& b, float threshold) {
  for (const Detection& d : a) {
    if (d.score < threshold + kProbability) continue;
    const bool is_there = std::ranges::any_of(b, [&](const Detection& e) {
      return e.class_id == d.class_id && std::fabs(e.score - d.score) <= kProbability &&
             std::fabs(e.x1 - d.x1) <= kPixels && std::fabs(e.y1 - d.y1) <= kPixels &&
             std::fabs(e.x2 - d.x2) <= kPixels && std::fabs(e.y2 - d.y2) <= kPixels;
    });
    EXPECT_TRUE(is_there) << "class " << d.class_id << " at " << d.x1 << ", " << d.y1 << " with " << d.score;
  }
}

TEST(Agreement, detectors_find_the_same_objects) {
  for (const char* name : {"models/overhead-detect.onnx", "models/overhead-detect-e2e.onnx"}) {
    Detector a = Detector::open(demo_path(name), on("openvino")).value();
    Detector b = Detector::open(demo_path(name), on("onnxruntime")).value();
    // Rows of an end-to-end output change places where scores are nearly equal.
    if (a.contract().output.kind != OutputKind::kEnd2End) compare_raw(a, b);
    std::size_t objects = 0;
    for (const char* image : kImages) {
      SCOPED_TRACE(std::string(name) + " on " + image);
      const Picture picture(image);
      const auto x = a.detect(picture.view()).value(), y = b.detect(picture.view()).value();
      const float threshold = a.contract().output.score_threshold;
      expect_found(x, y, threshold);
      expect_found(y, x, threshold);
      objects += x.size();
    }
    EXPECT_GT(objects, 5U) << "nothing was compared";
  }
}

TEST(Agreement, the_segmenter_gives_the_same_classes) {
  Segmenter a = Segmenter::open(demo_path("models/overhead-segment.onnx"), on("openvino")).value();
  Segmenter b = Segmenter::open(demo_path("models/overhead-segment.onnx"), on("onnxruntime")).value();
  compare_raw(a, b);
  for (const char* image : kImages) {
    const Picture picture(image);
    const auto x = a.segment(picture.view()).value().classes, y = b.segment(picture.view()).value().classes;
    ASSERT_EQ(x.size(), y.size());
    const std::ptrdiff_t different = std::inner_product(x.begin(), x.end(), y.begin(), std::ptrdiff_t{0}, std::plus<>(),
                                                        [](std::uint8_t p, std::uint8_t q) { return p == q ? 0 : 1; });
    EXPECT_LE(static_cast<double>(different), 1e-4 * static_cast<double>(x.size())) << image;
  }
}

TEST(Agreement, the_classifier_gives_the_same_probabilities) {
  Classifier a = Classifier::open(demo_path("models/overhead-obstruction.onnx"), on("openvino")).value();
  Classifier b = Classifier::open(demo_path("models/overhead-obstruction.onnx"), on("onnxruntime")).value();
  compare_raw(a, b);
  for (const char* image : kImages) {
    const Picture picture(image);
    cv::Mat whole(picture.pixels.size(), CV_8UC1, cv::Scalar(255));
    const ImageView region = ImageView::packed(whole.data, whole.cols, whole.rows, PixelFormat::kGray,
                                               static_cast<std::ptrdiff_t>(whole.step));
    const Classification x = a.classify(picture.view(), &region).value(),
                         y = b.classify(picture.view(), &region).value();
    EXPECT_EQ(x.class_id, y.class_id) << image;
    ASSERT_EQ(x.probabilities.size(), y.probabilities.size());
    for (std::size_t i = 0; i < x.probabilities.size(); ++i)
      EXPECT_NEAR(x.probabilities[i], y.probabilities[i], kProbability) << image;
  }
}

}  // namespace
}  // namespace tern
