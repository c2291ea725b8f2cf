// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The frame loop allocates nothing after a warm-up. What the backend allocates on the calling thread is counted apart, and may
// vary by a few (it shares work with threads of its own) but not grow.
#include <algorithm>

#include <gtest/gtest.h>

#include "demo.h"
#include "support/allocation_counter.h"
#include "tern/task.h"

namespace tern {
namespace {

using test::count_allocations;
using test::Picture;

// With more threads the backend shares its work, and so its allocations, out differently in each run.
const TaskOptions kOneThread{.threads = 1};
/// What a backend allocates in a frame differs by a few, or a few in a hundred: it is not tern's to promise, but must not grow.
constexpr double kBackendSlack = 4, kBackendPart = 0.03;

void expect_no_allocation_beside_the_backend(const std::function<void()>& frame) {
  for (int i = 0; i < 5; ++i)
    frame();
  const std::size_t backend = count_allocations(frame).backend;
  EXPECT_GT(backend, 0U) << "OpenVINO allocates in every run; if it is not seen, the counting is broken";
  for (int i = 0; i < 4; ++i) {
    const auto count = count_allocations(frame);
    EXPECT_EQ(count.other, 0U) << "frame " << i;
    EXPECT_NEAR(static_cast<double>(count.backend), static_cast<double>(backend),
                std::max(kBackendSlack, kBackendPart * static_cast<double>(backend)))
        << "frame " << i;
  }
}

TEST(Allocation, the_counter_counts) {
  EXPECT_EQ(count_allocations([] {}).other, 0U);
  void* volatile memory = nullptr;
  EXPECT_EQ(count_allocations([&] { memory = std::malloc(10); }).other, 1U);
  std::free(memory);
  std::vector<int> numbers;
  EXPECT_EQ(count_allocations([&] { numbers.resize(100); }).other, 1U);
}

TEST(Allocation, detector_frames_allocate_nothing) {
  for (const char* model : {"models/overhead-detect.onnx", "models/overhead-detect-e2e.onnx"}) {
    Detector detector = Detector::open(test::demo_path(model), kOneThread).value();
    const Picture small("data/validation/images/000.jpg"), large("data/frame-4k.jpg");
    std::vector<std::vector<Detection>> results;
    bool is_small = false;
    expect_no_allocation_beside_the_backend([&] {
      is_small = !is_small;  // sizes that alternate must not throw the tables of each other away
      const ImageView view = is_small ? small.view() : large.view();
      ASSERT_TRUE(detector.detect({&view, 1}, results).ok());
      ASSERT_FALSE(results[0].empty());
    });
  }
}

TEST(Allocation, segmenter_frames_allocate_nothing) {
  Segmenter segmenter = Segmenter::open(test::demo_path("models/overhead-segment.onnx"), kOneThread).value();
  const Picture picture("data/validation/images/000.jpg");
  std::vector<Segmentation> results;
  expect_no_allocation_beside_the_backend([&] {
    const ImageView view = picture.view();
    ASSERT_TRUE(segmenter.segment({&view, 1}, results).ok());
  });
}

TEST(Allocation, classifier_frames_allocate_nothing) {
  Classifier classifier = Classifier::open(test::demo_path("models/overhead-obstruction.onnx"), kOneThread).value();
  const Picture picture("data/crops/000.jpg"), region("data/crops/000-region.png", cv::IMREAD_GRAYSCALE);
  std::vector<Classification> results;
  expect_no_allocation_beside_the_backend([&] {
    const ImageView view = picture.view(), mask = region.view();
    ASSERT_TRUE(classifier.classify({&view, 1}, {&mask, 1}, results).ok());
  });
}

}  // namespace
}  // namespace tern
