// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The CUDA kernels' own code, run on the CPU one thread after another: what they compute is held against Postprocessor here, on
// any machine. tests/cuda/postprocess_test.cpp runs the same cases on a GPU.
#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "postprocess/cuda/detect_blocks.h"
#include "postprocess/cuda/segment_pixels.h"
#include "postprocess/cuda/select_block.h"
#include "support/postprocess_cases.h"
#include "tern/results.h"

namespace tern::cuda {
namespace {

using ::testing::HasSubstr;

/// The order of the threads within a step; none may matter.
enum class ThreadOrder { kForward, kBackward, kShuffled };

template <typename Thread>
class HostBlock {
 public:
  HostBlock(std::uint32_t threads, ThreadOrder order) : threads_(threads), order_(threads) {
    std::iota(order_.begin(), order_.end(), 0U);
    if (order == ThreadOrder::kBackward) std::ranges::reverse(order_);
    if (order == ThreadOrder::kShuffled) std::ranges::shuffle(order_, std::mt19937(threads));
  }
  template <typename Step>
  void each(const Step& step) {
    for (const std::uint32_t t : order_)
      step(t, threads_[t]);
  }
  template <typename Test>
  void ballot(std::uint32_t* words, const Test& test) {
    std::vector<std::uint32_t> bits(threads_.size() / 32);
    for (const std::uint32_t t : order_)
      bits[t / 32] |= (test(t, threads_[t]) ? 1U : 0U) << (t % 32);
    std::ranges::copy(bits, words);  // behind the step, as on a GPU: the test may read what was there
  }

 private:
  std::vector<Thread> threads_;
  std::vector<std::uint32_t> order_;
};

/// Memory with something in it, since that of a GPU has.
template <typename T>
T dirty() {
  T value;
  std::memset(static_cast<void*>(&value), 0xA7, sizeof(value));
  return value;
}

template <typename Scan, typename Element>
void scan(const DetectPlan& plan, const Element* output, const DetectImage& image, ThreadOrder order,
          const Candidates& candidates, DetectHeader& header) {
  const auto anchors = static_cast<std::uint32_t>(plan.anchors);
  for (std::uint32_t first = 0; first < anchors; first += Scan::kAnchors) {
    // Blocks run in any order too.
    const std::uint32_t last = (anchors - 1) / Scan::kAnchors * Scan::kAnchors;
    auto shared = std::make_unique<typename Scan::Shared>(dirty<typename Scan::Shared>());
    HostBlock<typename Scan::Thread> block(Scan::kThreads, order);
    Scan::run(block, *shared, plan, output, image.score_threshold,
              order == ThreadOrder::kForward ? first : last - first, candidates, header);
  }
}

std::vector<std::byte> decode(const DetectPlan& plan, const void* output, std::span<const DetectImage> images,
                              ThreadOrder order) {
  std::vector<Corners> scratch(detect_scratch_bytes(plan, images.size()) / sizeof(Corners) + 1, dirty<Corners>());
  std::vector<std::byte> results(detect_result_bytes(plan, images.size()), std::byte{0xC3});
  std::memset(results.data(), 0, images.size() * sizeof(DetectHeader));
  auto* const headers = reinterpret_cast<DetectHeader*>(results.data());
  auto* const rows = reinterpret_cast<DetectRow*>(headers + images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Candidates candidates = Candidates::of(scratch.data(), plan.anchors, i);
    const std::size_t length =
        static_cast<std::size_t>(plan.anchors) * static_cast<std::size_t>(plan.is_yolo != 0 ? plan.classes + 4 : 6) * i;
    const auto* const floats = static_cast<const float*>(output) + length;
    const auto* const halves = static_cast<const std::uint16_t*>(output) + length;
    if (plan.is_yolo != 0) {
      plan.is_half != 0 ? scan<YoloScan>(plan, halves, images[i], order, candidates, headers[i])
                        : scan<YoloScan>(plan, floats, images[i], order, candidates, headers[i]);
    } else {
      plan.is_half != 0 ? scan<End2EndScan>(plan, halves, images[i], order, candidates, headers[i])
                        : scan<End2EndScan>(plan, floats, images[i], order, candidates, headers[i]);
    }
    for (std::uint32_t first = 0; first < headers[i].candidates; first += Ranking::kItems) {
      auto shared = std::make_unique<Ranking::Shared>(dirty<Ranking::Shared>());
      HostBlock<Ranking::Thread> block(Ranking::kThreads, order);
      Ranking::run(block, *shared, headers[i].candidates, first, candidates);
    }
    auto shared = std::make_unique<Selection::Shared>(dirty<Selection::Shared>());
    HostBlock<Selection::Thread> block(Selection::kThreads, order);
    Selection::run(block, *shared, plan, images[i], candidates, headers[i],
                   rows + i * static_cast<std::size_t>(plan.limit));
  }
  return results;
}

class DetectBlocks : public ::testing::TestWithParam<ThreadOrder> {};

TEST_P(DetectBlocks, give_the_bits_and_errors_of_the_cpu) {
  for (const test::OutputCase& c : test::detect_cases()) {
    EXPECT_EQ(test::compare_detections(
                  c, [](const DetectPlan& plan, const void* output,
                        std::span<const DetectImage> images) { return decode(plan, output, images, GetParam()); }),
              "")
        << c.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, DetectBlocks,
                         ::testing::Values(ThreadOrder::kForward, ThreadOrder::kBackward, ThreadOrder::kShuffled));

/// The comparison itself must see a difference.
TEST(DetectComparison, a_changed_bit_is_found) {
  int found = 0;
  for (const test::OutputCase& c : test::detect_cases()) {
    const auto spoil = [](const DetectPlan& plan, const void* output, std::span<const DetectImage> images) {
      auto results = decode(plan, output, images, ThreadOrder::kForward);
      auto* const headers = reinterpret_cast<DetectHeader*>(results.data());
      auto* const rows = reinterpret_cast<DetectRow*>(headers + images.size());
      if (headers[0].rows > 0) rows[0].x2 = std::nextafter(rows[0].x2, 1e9F);
      return results;
    };
    if (!test::compare_detections(c, spoil).empty()) ++found;
  }
  EXPECT_GT(found, 50);
}

template <typename Element>
void label(const SegmentPlan& plan, const Element* output, std::span<const SegmentImage> images,
           std::span<SegmentHeader> headers, std::span<std::vector<std::uint8_t>> masks) {
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Element* const logits = output + i * static_cast<std::size_t>(plan.classes) * plan.pixels();
    std::vector<std::uint8_t> labels(plan.pixels());
    for (std::size_t pixel = labels.size(); pixel-- > 0;)
      labels[pixel] = label_output_pixel(plan, images[i], logits, pixel, headers[i]);
    if (plan.resamples == 0) {
      masks[i] = labels;
      continue;
    }
    const SegmentImage& p = images[i];
    for (std::int32_t y = 0; y < p.y.source; ++y) {
      for (std::int32_t x = 0; x < p.x.source; ++x) {
        masks[i][static_cast<std::size_t>(y) * static_cast<std::size_t>(p.x.source) + static_cast<std::size_t>(x)] =
            label_source_pixel(plan, p, logits, labels.data(), point_of(p.x, x), point_of(p.y, y));
      }
    }
  }
}

TEST(SegmentPixels, give_the_masks_and_errors_of_the_cpu) {
  for (const test::OutputCase& c : test::segment_cases()) {
    EXPECT_EQ(test::compare_masks(c,
                                  [](const SegmentPlan& plan, const void* output, std::span<const SegmentImage> images,
                                     std::span<SegmentHeader> headers, std::span<std::vector<std::uint8_t>> masks) {
                                    plan.is_half != 0
                                        ? label(plan, static_cast<const std::uint16_t*>(output), images, headers, masks)
                                        : label(plan, static_cast<const float*>(output), images, headers, masks);
                                  }),
              "")
        << c.name;
  }
}

TEST(DetectPlans, what_the_kernels_cannot_do_is_refused) {
  OutputContract contract;
  contract.tensor = "output0";
  contract.classes = 2;
  const auto message = [&](const Shape& shape, DType dtype) {
    return make_detect_plan(contract, shape, dtype).status().to_string();
  };
  EXPECT_TRUE(make_detect_plan(contract, {Shape::kDynamic, 6, 8400}, DType::kF16).ok());
  EXPECT_THAT(message({1, 7, 8400}, DType::kF32), HasSubstr("shape 1x7x8400"));
  EXPECT_THAT(message({1, 6, 8400}, DType::kI32), HasSubstr("i32"));
  EXPECT_THAT(message({1, 6, Shape::kDynamic}, DType::kF32), HasSubstr("open"));
  contract.max_detections = DetectPlan::kMostDetections + 1;
  EXPECT_THAT(message({1, 6, 8400}, DType::kF32), HasSubstr("at most 1024"));
  EXPECT_TRUE(make_detect_plan(contract, {1, 6, 500}, DType::kF32).ok());
  contract.kind = OutputKind::kClassification;
  EXPECT_THAT(message({1, 2}, DType::kF32), HasSubstr("cannot be decoded to boxes"));
  EXPECT_THAT(make_segment_plan(contract, {1, 2}, DType::kF32).status().to_string(), HasSubstr("masks"));
}

TEST(DetectResults, more_rows_than_there_is_room_for_are_refused) {
  OutputContract contract;
  contract.tensor = "output0";
  contract.classes = 2;
  const DetectPlan plan = make_detect_plan(contract, {1, 6, 10}, DType::kF32).value();
  std::vector<std::byte> results(detect_result_bytes(plan, 1));
  DetectHeader header{};
  header.rows = 11;
  std::memcpy(results.data(), &header, sizeof(header));
  std::vector<std::vector<Detection>> detections(1);
  EXPECT_EQ(read_detections(contract, {1, 6, 10}, plan, results.data(), 1, detections).code(),
            StatusCode::kInferenceError);
}

}  // namespace
}  // namespace tern::cuda
