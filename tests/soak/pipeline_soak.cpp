// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// A pipeline in every trouble at once, for as long as one likes: cameras that break off, frames of any size, a sink that is slow and one that
// fails, models that are reloaded. Every frame is accounted for, and memory does not grow.
#include <algorithm>
#include <array>
#include <iostream>
#include <numeric>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "soak.h"
#include "tern/pipeline.h"

namespace tern {
namespace {

using namespace std::chrono;
using test::end_of_soak;
using test::model_file;
using test::used_mib;

/// Parts of one large picture, of random size, 50 a second; ends or throws after some dozens.
class RestlessCamera final : public FrameSource {
 public:
  RestlessCamera(const cv::Mat& picture, unsigned seed) : picture_(picture), random_(seed) {}
  Result<bool> next(SourceFrame& frame, std::stop_token stop) override {
    std::this_thread::sleep_for(milliseconds(20));
    if (stop.stop_requested()) return false;
    const auto fate = random_() % 100;
    if (fate == 0) throw std::runtime_error("unplugged");
    if (fate == 1) return Status(StatusCode::kInputError, "damaged");
    if (fate == 2) return false;
    const int width = sizes_[random_() % sizes_.size()], height = sizes_[random_() % sizes_.size()];
    frame.view =
        ImageView::packed(picture_.data, width, height, PixelFormat::kBgr, static_cast<std::ptrdiff_t>(picture_.step));
    frame.captured = steady_clock::now().time_since_epoch();
    frame.index = next_++;
    return true;
  }

 private:
  static constexpr std::array sizes_{1, 64, 333, 640, 1080};
  const cv::Mat& picture_;
  std::mt19937 random_;
  std::int64_t next_ = 0;
};

class TroubledSink final : public ResultSink {
 public:
  TroubledSink(std::atomic<std::uint64_t>& results, milliseconds delay, std::uint64_t fails_at)
      : results_(results), delay_(delay), fails_at_(fails_at) {}
  Status begin(const PipelineSpec&, const std::vector<PipelineModelInfo>&) override { return {}; }
  Status write(const FrameResult&) override {
    std::this_thread::sleep_for(delay_);
    if (++results_ == fails_at_) throw std::runtime_error("disk full");
    return {};
  }
  Status finish() override { return {}; }

 private:
  std::atomic<std::uint64_t>& results_;
  milliseconds delay_;
  std::uint64_t fails_at_;
};

SourceParts restless(const cv::Mat& picture, std::shared_ptr<std::atomic<unsigned>> seed) {
  return {[&picture, seed](const std::stop_token&) -> Result<std::unique_ptr<FrameSource>> {
            return std::unique_ptr<FrameSource>(std::make_unique<RestlessCamera>(picture, (*seed)++));
          },
          true};
}

TEST(PipelineSoak, lives_through_every_trouble_and_keeps_its_size) {
  const auto end = end_of_soak();
  const cv::Mat picture = cv::imread(std::string(TERN_SOURCE_DIR) + "/data/frame-4k.jpg");
  PipelineSpec spec;
  spec.models = {{.name = "detect", .file = model_file("overhead-detect")},
                 {.name = "segment", .file = model_file("overhead-segment")},
                 {.name = "obstruction",
                  .file = model_file("overhead-obstruction"),
                  .crops_of = "detect",
                  .region_mask = "segment",
                  .max_crops = 2}};
  for (const char* name : {"a", "b"})
    spec.sources.push_back({.name = name, .deadline = seconds(2), .models = {"detect", "segment", "obstruction"}});
  const auto seed = std::make_shared<std::atomic<unsigned>>(1);
  std::atomic<std::uint64_t> good{0}, slow{0}, failing{0};
  std::vector<SinkParts> sinks;
  sinks.push_back({"good", std::make_unique<TroubledSink>(good, milliseconds(0), 0), 4, true});
  sinks.push_back({"slow", std::make_unique<TroubledSink>(slow, milliseconds(700), 0), 2, false});
  sinks.push_back({"failing", std::make_unique<TroubledSink>(failing, milliseconds(0), 7), 2, true});
  PipelineOptions options;
  options.trace_spans = 10'000;
  const auto pipeline =
      Pipeline::create(spec, {restless(picture, seed), restless(picture, seed)}, std::move(sinks), options).value();
  pipeline->start();
  std::vector<double> memory;
  for (int round = 0; steady_clock::now() < end || round < 3; ++round) {
    std::this_thread::sleep_for(seconds(4));
    const Status reloaded = pipeline->reload(round % 2 == 0 ? "detect" : "obstruction");
    EXPECT_TRUE(reloaded.ok()) << reloaded.to_string();
    EXPECT_FALSE(pipeline->metrics_text().empty());
    memory.push_back(used_mib());
  }
  pipeline->drain();
  const Status status = pipeline->wait();
  EXPECT_EQ(status.code(), StatusCode::kInternalError) << "the sink that failed is told: " << status.to_string();
  const PipelineSnapshot snapshot = pipeline->snapshot();
  std::uint64_t results = 0, reconnects = 0;
  for (const PipelineSnapshot::Source& source : snapshot.sources) {
    EXPECT_EQ(std::accumulate(source.ends.begin(), source.ends.end(), std::uint64_t{0}), source.frames) << source.name;
    results += source.ends[static_cast<std::size_t>(FrameEnd::kDelivered)] +
               source.ends[static_cast<std::size_t>(FrameEnd::kLate)];
    reconnects += source.reconnects;
  }
  EXPECT_EQ(snapshot.frames_inside, 0);
  EXPECT_EQ(good, results);
  EXPECT_EQ(failing, 7U);
  EXPECT_EQ(snapshot.models[0].failures, 0U);
  std::cout << results << " results, " << reconnects << " reconnects, " << memory.size() << " reloads; MiB first "
            << memory.front() << ", last " << memory.back() << "\n";
  if (memory.size() < 20) return;  // caches of sizes are still filling
  const auto half = static_cast<std::ptrdiff_t>(memory.size() / 2);
  const double early = *std::max_element(memory.begin() + half / 2, memory.begin() + half);
  const double late = *std::max_element(memory.begin() + half, memory.end());
  EXPECT_LT(late, early * 1.05 + 10) << "MiB";
}

}  // namespace
}  // namespace tern
