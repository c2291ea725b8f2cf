// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What must still hold after hours: results of the same image never change, memory does not grow, threads do not disturb each
// other, and a storm of timeouts and cancellations leaves no trace.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "soak.h"
#include "tern/task.h"

namespace tern {
namespace {

using Clock = std::chrono::steady_clock;

using test::end_of_soak;
using test::model_file;
using test::used_mib;

/// Decoded demo images; the pixels live as long as the object.
class Images {
 public:
  Images(const std::string& folder, const std::string& suffix, int count, cv::ImreadModes mode = cv::IMREAD_COLOR) {
    for (int i = 0; i < count; ++i) {
      std::string number = std::to_string(i);
      number.insert(0, 3 - number.size(), '0');
      pixels_.push_back(cv::imread(std::string(TERN_SOURCE_DIR) + "/data/" + folder + "/" + number + suffix, mode));
      const cv::Mat& image = pixels_.back();
      EXPECT_FALSE(image.empty()) << folder << "/" << number << suffix;
      views_.push_back(ImageView::packed(image.data, image.cols, image.rows,
                                         image.channels() == 1 ? PixelFormat::kGray : PixelFormat::kBgr,
                                         static_cast<std::ptrdiff_t>(image.step)));
    }
  }
  [[nodiscard]] std::span<const ImageView> views() const { return views_; }

 private:
  std::vector<cv::Mat> pixels_;
  std::vector<ImageView> views_;
};

Images validation_images() {
  return {"validation/images", ".jpg", 6};
}

Detector open_detector(int threads = 0) {
  TaskOptions options;
  options.threads = threads;
  return Detector::open(model_file("overhead-detect"), options).value();
}

bool same(const Detection& a, const Detection& b) {
  return a.x1 == b.x1 && a.y1 == b.y1 && a.x2 == b.x2 && a.y2 == b.y2 && a.score == b.score && a.class_id == b.class_id;
}
bool same(const std::vector<Detection>& a, const std::vector<Detection>& b) {
  return std::ranges::equal(a, b, [](const Detection& x, const Detection& y) { return same(x, y); });
}
bool same(const Segmentation& a, const Segmentation& b) {
  return a.width == b.width && a.height == b.height && a.classes == b.classes;
}
bool same(const Classification& a, const Classification& b) {
  return a.logits == b.logits && a.probabilities == b.probabilities && a.class_id == b.class_id;
}

/// Calls `run(results)` until the soak ends: every call must give what the first gave, and memory must stay where it was after
/// the warm-up.
template <typename R, typename Run>
void run_until_the_end(Run run) {
  constexpr int kWarmUp = 5;
  constexpr double kAllowedGrowthMib = 16;
  const Clock::time_point end = end_of_soak();
  std::vector<R> first;
  std::vector<R> again;
  ASSERT_TRUE(run(first).ok());
  double warm = 0;
  int rounds = 0;
  for (; Clock::now() < end || rounds <= kWarmUp; ++rounds) {
    const Status status = run(again);
    ASSERT_TRUE(status.ok()) << status.to_string();
    ASSERT_EQ(again.size(), first.size());
    for (std::size_t i = 0; i < first.size(); ++i)
      ASSERT_TRUE(same(again[i], first[i])) << "image " << i << ", round " << rounds;
    if (rounds == kWarmUp) warm = used_mib();
  }
  const double grown = used_mib() - warm;
  EXPECT_LT(grown, kAllowedGrowthMib) << "from " << warm << " MiB, in " << rounds << " rounds";
  std::cout << rounds << " rounds, memory " << warm << " MiB, grown by " << grown << " MiB\n";
}

TEST(TaskSoak, DetectionsNeverChangeAndMemoryStaysFlat) {
  const Images images = validation_images();
  Detector detector = open_detector();
  std::vector<std::vector<Detection>> found;
  ASSERT_TRUE(detector.detect(images.views(), found).ok());
  ASSERT_TRUE(std::ranges::any_of(found, [](const auto& objects) { return !objects.empty(); }));
  run_until_the_end<std::vector<Detection>>([&](auto& results) { return detector.detect(images.views(), results); });
}

TEST(TaskSoak, MasksNeverChangeAndMemoryStaysFlat) {
  const Images images = validation_images();
  Segmenter segmenter = Segmenter::open(model_file("overhead-segment")).value();
  run_until_the_end<Segmentation>([&](auto& results) { return segmenter.segment(images.views(), results); });
}

TEST(TaskSoak, ClassesNeverChangeAndMemoryStaysFlat) {
  const Images images("crops", ".jpg", 20);
  const Images regions("crops", "-region.png", 20, cv::IMREAD_GRAYSCALE);
  Classifier classifier = Classifier::open(model_file("overhead-obstruction")).value();
  run_until_the_end<Classification>(
      [&](auto& results) { return classifier.classify(images.views(), regions.views(), results); });
}

TEST(TaskSoak, ThreadsDoNotDisturbEachOther) {
  constexpr int kThreads = 4;
  const Images images = validation_images();
  std::vector<std::vector<Detection>> alone;
  ASSERT_TRUE(open_detector(1).detect(images.views(), alone).ok());

  const Clock::time_point end = end_of_soak();
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      Detector detector = open_detector(1);
      std::vector<std::vector<Detection>> results;
      do {
        const Status status = detector.detect(images.views(), results);
        ASSERT_TRUE(status.ok()) << status.to_string();
        for (std::size_t i = 0; i < alone.size(); ++i)
          ASSERT_TRUE(same(results[i], alone[i])) << "image " << i;
      } while (Clock::now() < end);
    });
  }
}

TEST(TaskSoak, OpeningAgainAndAgainKeepsMemoryFlat) {
  constexpr int kWarmUp = 5;
  constexpr double kAllowedGrowthMib = 16;
  const Images images = validation_images();
  const Clock::time_point end = end_of_soak();
  double warm = 0;
  int rounds = 0;
  for (; Clock::now() < end || rounds <= kWarmUp; ++rounds) {
    {
      Detector detector = open_detector();
      ASSERT_TRUE(detector.detect(images.views().front()).ok());
    }
    if (rounds == kWarmUp) warm = used_mib();
  }
  const double grown = used_mib() - warm;
  EXPECT_LT(grown, kAllowedGrowthMib) << "from " << warm << " MiB, in " << rounds << " openings";
  std::cout << rounds << " openings, memory " << warm << " MiB, grown by " << grown << " MiB\n";
}

TEST(TaskSoak, TimeoutsAndStopsLeaveNoTrace) {
  const Images images = validation_images();
  Detector detector = open_detector();
  std::vector<std::vector<Detection>> undisturbed;
  std::vector<std::vector<Detection>> results;
  ASSERT_TRUE(detector.detect(images.views(), undisturbed).ok());
  const Clock::time_point start = Clock::now();
  ASSERT_TRUE(detector.detect(images.views(), results).ok());
  const auto full = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);

  // Before the start, anywhere inside, and after the end.
  std::mt19937 random(7);
  std::uniform_int_distribution<std::int64_t> microseconds(0, 2 * full.count());
  const Clock::time_point end = end_of_soak();
  int interrupted = 0;
  int rounds = 0;
  for (; Clock::now() < end || rounds < 10; ++rounds) {
    const auto delay = std::chrono::microseconds(microseconds(random));
    std::stop_source stop;
    WaitOptions wait;
    std::jthread stopper;
    if (rounds % 2 == 0) {
      wait.deadline = Clock::now() + delay;
    } else {
      wait.stop = stop.get_token();
      stopper = std::jthread([&stop, delay] {
        std::this_thread::sleep_for(delay);
        stop.request_stop();
      });
    }
    const Status status = detector.detect(images.views(), results, wait);
    if (!status.ok()) {
      ++interrupted;
      ASSERT_EQ(status.code(), rounds % 2 == 0 ? StatusCode::kTimeout : StatusCode::kCancelled) << status.to_string();
    }
    const Status after = detector.detect(images.views(), results);
    ASSERT_TRUE(after.ok()) << after.to_string();
    for (std::size_t i = 0; i < results.size(); ++i)
      ASSERT_TRUE(same(results[i], undisturbed[i])) << "image " << i << ", round " << rounds;
  }
  EXPECT_GT(interrupted, 0);
  std::cout << interrupted << " of " << rounds << " calls were interrupted\n";
}

}  // namespace
}  // namespace tern
