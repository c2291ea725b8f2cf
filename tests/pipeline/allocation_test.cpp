// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// After a warm-up a frame costs no heap allocation on any thread of the pipeline, but for those of the backend.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "pipeline_fixture.h"
#include "support/allocation_counter.h"

namespace tern {
namespace {

/// Two pictures in turn, each of which is there once.
class AlternatingSource final : public FrameSource {
 public:
  explicit AlternatingSource(std::array<cv::Mat, 2> pictures) : pictures_(std::move(pictures)) {}
  Result<bool> next(SourceFrame& frame, std::stop_token stop) override {
    const cv::Mat& pixels = pictures_[static_cast<std::size_t>(next_ % 2)];
    frame.view = ImageView::packed(pixels.data, pixels.cols, pixels.rows, PixelFormat::kBgr,
                                   static_cast<std::ptrdiff_t>(pixels.step));
    frame.index = next_++;
    frame.file = "a path that is too long for the text's own memory.jpg";
    return !stop.stop_requested();
  }

 private:
  std::array<cv::Mat, 2> pictures_;
  std::int64_t next_ = 0;
};

class CountingSink final : public ResultSink {
 public:
  explicit CountingSink(std::atomic<int>& count) : count_(count) {}
  Status begin(const PipelineSpec&, const std::vector<PipelineModelInfo>&) override { return {}; }
  Status write(const FrameResult& result) override {
    if (result.end == FrameEnd::kDelivered) ++count_;
    return {};
  }
  Status finish() override { return {}; }

 private:
  std::atomic<int>& count_;
};

TEST(PipelineAllocation, frames_allocate_nothing) {
  const PipelineSpec spec = test::spec_of(
      "version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1min}\nmodels:\n"
      "  - {name: detect, file: " +
      test::kModels + "overhead-detect.onnx}\n  - {name: segment, file: " + test::kModels +
      "overhead-segment.onnx}\n  - {name: obstruction, file: " + test::kModels +
      "overhead-obstruction.onnx, crops_of: detect, region_mask: segment, max_crops: 2}\n");
  const std::string folder = std::string(TERN_SOURCE_DIR) + "/data/validation/images/";
  const std::array<cv::Mat, 2> pictures{cv::imread(folder + "000.jpg"), cv::imread(folder + "001.jpg")};
  SourceParts source{[&](const std::stop_token&) -> Result<std::unique_ptr<FrameSource>> {
                       return std::unique_ptr<FrameSource>(std::make_unique<AlternatingSource>(pictures));
                     },
                     false};
  std::atomic<int> delivered = 0;
  std::vector<SinkParts> sinks;
  sinks.push_back({"count", std::make_unique<CountingSink>(delivered)});
  PipelineOptions options = test::test_options();
  options.thermal_interval = std::chrono::hours(1);
  options.trace_spans = 1000;
  auto pipeline = Pipeline::create(spec, {source}, std::move(sinks), options).value();
  pipeline->start();
  const auto wait_for = [&](int frames) {
    const int target = delivered + frames;
    while (delivered < target)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  wait_for(20);
  const test::Allocations count = test::count_allocations_of_all_threads([&] { wait_for(10); });
  pipeline->stop();
  EXPECT_GT(count.backend, 0U) << "OpenVINO allocates in every run; if it is not seen, the counting is broken";
  EXPECT_EQ(count.other, 0U);
}

}  // namespace
}  // namespace tern
