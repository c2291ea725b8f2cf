// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "live/pacer.h"
#include "live/sources.h"
#include "media/image_file.h"
#include "media/video_writer.h"
#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

Nanoseconds now() {
  return InterruptibleSleep::now();
}

class Recorded : public testing::Test {
 protected:
  static void SetUpTestSuite() { av::capture_log(); }

  PipelineSpec::Source spec(PipelineSpec::SourceKind kind, const char* location) {
    PipelineSpec::Source spec;
    spec.name = "north";
    spec.kind = kind;
    spec.location = location;
    return spec;
  }
  PipelineSpec::Source images() {
    for (const char* name : {"b.png", "a.png", "c.png"})
      EXPECT_TRUE(write_image(folder_ / name, cv::Mat(8, 8, CV_8UC3, cv::Scalar::all(name[0]))).ok());
    folder_.write("notes.txt", "not an image");
    return spec(PipelineSpec::SourceKind::kImages, ".");
  }
  PipelineSpec::Source video(const std::vector<double>& times) {
    auto writer = VideoWriter::create(folder_ / "x.mp4", 64, 48, {25, 1});
    EXPECT_TRUE(writer.ok());
    for (const double time : times)
      EXPECT_TRUE(writer->write(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(90)), time).ok());
    EXPECT_TRUE(writer->finish().ok());
    return spec(PipelineSpec::SourceKind::kVideo, "x.mp4");
  }
  std::unique_ptr<FrameSource> open(const PipelineSpec::Source& spec, const LiveHooks& hooks = {}) {
    const auto parts = make_source(spec, folder_.path(), hooks);
    EXPECT_TRUE(parts.ok()) << parts.status().to_string();
    EXPECT_FALSE(parts->is_live);
    auto source = parts->open({});
    EXPECT_TRUE(source.ok()) << source.status().to_string();
    return source.ok() ? std::move(*source) : nullptr;
  }

  TemporaryFolder folder_;
};

TEST_F(Recorded, ImagesComeByNameAndEnd) {
  const auto source = open(images());
  ASSERT_TRUE(source);
  SourceFrame frame;
  for (const char* name : {"a.png", "b.png", "c.png"}) {
    ASSERT_TRUE(*source->next(frame, {}));
    EXPECT_EQ(fs::path(frame.file).filename(), name);
    EXPECT_EQ(frame.view.planes[0].data[0], static_cast<std::uint8_t>(name[0]));
    EXPECT_EQ(frame.captured, Nanoseconds{});
    EXPECT_FALSE(frame.time_s);
  }
  EXPECT_EQ(frame.index, 2);
  EXPECT_FALSE(*source->next(frame, {}));
}

TEST_F(Recorded, ImagesRepeatAtTheirRate) {
  PipelineSpec::Source spec = images();
  spec.is_looping = true;
  spec.rate_hz = 100;
  const auto source = open(spec);
  ASSERT_TRUE(source);
  SourceFrame frame;
  Nanoseconds first{};
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(*source->next(frame, {}));
    if (i == 0) first = frame.captured;
    EXPECT_EQ(frame.index, i);
    EXPECT_EQ(frame.view.planes[0].data[0], "abc"[i % 3]);
    EXPECT_EQ(frame.captured - first, milliseconds(10) * i);
    EXPECT_GE(now(), frame.captured);
  }
}

TEST_F(Recorded, ADamagedImageIsAFailure) {
  const PipelineSpec::Source spec = images();
  folder_.write("b.png", "\x89PNG\r\n\x1a\nnothing more");
  const auto source = open(spec);
  ASSERT_TRUE(source);
  SourceFrame frame;
  ASSERT_TRUE(*source->next(frame, {}));
  EXPECT_EQ(source->next(frame, {}).status().code(), StatusCode::kInputError);
}

TEST_F(Recorded, WhatIsNotThereIsSaidWhenItIsOpened) {
  for (const auto& missing :
       {spec(PipelineSpec::SourceKind::kImages, "none"), spec(PipelineSpec::SourceKind::kVideo, "none.mp4")}) {
    const auto parts = make_source(missing, folder_.path());
    ASSERT_TRUE(parts.ok());
    EXPECT_EQ(parts->open({}).status().code(), StatusCode::kIoError);
  }
  EXPECT_EQ(make_source(spec(PipelineSpec::SourceKind::kImages, "."), folder_.path())->open({}).status().code(),
            StatusCode::kInputError);
  EXPECT_EQ(make_source(spec(PipelineSpec::SourceKind::kPattern, ""), folder_.path()).status().code(),
            StatusCode::kConfigError);
}

TEST_F(Recorded, AVideoComesAsFastAsItIsTaken) {
  const auto source = open(video({0, 20, 40, 60}));
  ASSERT_TRUE(source);
  SourceFrame frame;
  const Nanoseconds start = now();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(*source->next(frame, {}));
    EXPECT_EQ(frame.captured, Nanoseconds{});
    EXPECT_NEAR(*frame.time_s, 20 * i, 1e-3);
    EXPECT_EQ(fs::path(frame.file).filename(), "x.mp4");
  }
  EXPECT_FALSE(*source->next(frame, {}));
  EXPECT_LT(now() - start, std::chrono::seconds(20));
}

// Counts what is logged: that frames could not keep their pace, here.
class CountingLogger : public Logger {
 public:
  void log(LogLevel, std::string_view, std::string_view) noexcept override { ++count; }
  [[nodiscard]] LogLevel level() const noexcept override { return LogLevel::kInfo; }
  int count = 0;
};

TEST_F(Recorded, ARealTimeVideoKeepsItsTimeStamps) {
  const std::vector<double> times{0, 0.02, 0.15, 0.16, 0.3};
  PipelineSpec::Source spec = video(times);
  spec.is_real_time = true;
  spec.is_looping = true;
  const auto logger = std::make_shared<CountingLogger>();
  LiveHooks hooks;
  hooks.logger = logger;
  for (int attempt = 0;; ++attempt) {
    ASSERT_LT(attempt, 10) << "this machine never kept the pace for half a second";
    const auto source = open(spec, hooks);
    ASSERT_TRUE(source);
    const Nanoseconds start = now();  // it begins with the first frame, not before
    std::vector<SourceFrame> frames(10);
    std::vector<Nanoseconds> came;
    logger->count = 0;
    for (SourceFrame& frame : frames) {
      ASSERT_TRUE(*source->next(frame, {}));
      came.push_back(now());
    }
    if (logger->count > 0) continue;
    EXPECT_GE(frames[0].captured, start);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_EQ(frames[i].index, static_cast<std::int64_t>(i));
      EXPECT_NEAR(*frames[i].time_s, times[i % 5], 1e-3);
      EXPECT_GE(came[i], frames[i].captured);
      // Between the turns lies one frame by the file's mean rate, 1/14 s or so.
      const double turn = i < 5 ? 0 : 0.36;
      const double since = std::chrono::duration<double>(frames[i].captured - frames[0].captured).count();
      EXPECT_NEAR(since, turn + times[i % 5], i < 5 ? 1e-3 : 0.05) << i;
    }
    return;
  }
}

TEST_F(Recorded, StopEndsTheWaitForATimeStamp) {
  PipelineSpec::Source spec = video({0, 60});
  spec.is_real_time = true;
  const auto source = open(spec);
  ASSERT_TRUE(source);
  SourceFrame frame;
  ASSERT_TRUE(*source->next(frame, {}));
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(50));
    stop.request_stop();
  });
  const Nanoseconds start = now();
  EXPECT_FALSE(*source->next(frame, stop.get_token()));
  EXPECT_LT(now() - start, milliseconds(3000));
}

TEST(Pacer, CatchesUpAndThenGivesUp) {
  Pacer pacer;
  const auto first = pacer.wait(Nanoseconds{}, {});
  ASSERT_TRUE(first);
  std::this_thread::sleep_for(milliseconds(60));
  const auto late = pacer.wait(milliseconds(20), {});
  EXPECT_EQ(*late - *first, milliseconds(20)) << "it was taken when it was due";
  EXPECT_FALSE(pacer.take_lag());
  const auto back = pacer.wait(milliseconds(10), {});
  EXPECT_EQ(*back, *late) << "time does not go back";
  std::this_thread::sleep_for(Pacer::kMaxLag + milliseconds(50));
  const auto after = pacer.wait(milliseconds(30), {});
  EXPECT_GE(*after - *first, Pacer::kMaxLag);
  EXPECT_TRUE(pacer.take_lag());
  EXPECT_FALSE(pacer.take_lag());
  const auto next = pacer.wait(milliseconds(50), {});
  EXPECT_EQ(*next - *after, milliseconds(20)) << "the rest is later by as much";
}

}  // namespace
}  // namespace tern
