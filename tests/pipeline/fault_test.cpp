// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Whatever goes wrong with one part, the others run on, and what went wrong is said.
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>

#include "pipeline_fixture.h"

namespace tern {
namespace {

using test::Collector;
using test::IsOk;
using test::kModels;
using test::Seen;
using ::testing::HasSubstr;
using State = PipelineSnapshot::Source::State;

const std::string kPicture = "data/validation/images/001.jpg";
const std::string kOneModel = "models:\n  - {name: detect, file: " + kModels + "overhead-detect.onnx}\n";
const std::string kQueue = "version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1min}\n" + kOneModel;

std::unique_ptr<Pipeline> make(const std::string& yaml, std::vector<SourceParts> sources, std::vector<SinkParts> sinks,
                               PipelineOptions options = test::test_options()) {
  auto pipeline = Pipeline::create(test::spec_of(yaml), std::move(sources), std::move(sinks), options).value();
  pipeline->start();
  return pipeline;
}

TEST(PipelineFaults, a_camera_that_is_unplugged_comes_back) {
  // Two frames, then a failure, then an exception, then frames again.
  auto opened = std::make_shared<std::atomic<int>>(0);
  SourceParts camera;
  camera.is_live = true;
  camera.open = [opened](const std::stop_token& stop) -> Result<std::unique_ptr<FrameSource>> {
    const int time = (*opened)++;
    if (time == 1) throw std::runtime_error("no such device");
    return test::source_of([time, picture = test::repeat(kPicture, 100)](std::int64_t i) -> cv::Mat {
             if (time == 0 && i == 2) throw std::runtime_error("unplugged");
             std::this_thread::sleep_for(std::chrono::milliseconds(20));
             return picture(i);
           })
        .open(stop);
  };
  Collector collector;
  auto pipeline =
      make("version: 1\nsources:\n  - {name: cam, kind: pattern, width: 64, height: 64, rate: 30, deadline: 10s}\n" +
               kOneModel,
           {camera}, test::only(collector.sink()));
  ASSERT_TRUE(collector.wait_for(4));
  const PipelineSnapshot snapshot = pipeline->snapshot();
  EXPECT_EQ(snapshot.sources[0].state, State::kRunning);
  EXPECT_EQ(snapshot.sources[0].reconnects, 2U);
  pipeline->drain();
  EXPECT_THAT(pipeline->wait(), IsOk()) << "a camera that came back is no failure";
}

TEST(PipelineFaults, a_file_that_breaks_ends_its_source_and_not_the_other) {
  const auto broken = [picture = test::repeat(kPicture, 9)](std::int64_t i) -> cv::Mat {
    if (i == 3) throw std::runtime_error("damaged");
    return picture(i);
  };
  Collector collector;
  auto pipeline = make(
      "version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1min}\n"
      "  - {name: b, kind: images, path: ., deadline: 1min}\n" +
          kOneModel,
      {test::source_of(broken), test::source_of(test::repeat(kPicture, 8))}, test::only(collector.sink()));
  const Status status = pipeline->wait();
  EXPECT_THAT(status.to_string(), testing::AllOf(HasSubstr("a"), HasSubstr("damaged")));
  EXPECT_EQ(collector.seen().size(), 11U);
  EXPECT_EQ(pipeline->snapshot().sources[0].state, State::kFailed);
  EXPECT_EQ(pipeline->snapshot().sources[1].state, State::kEnded);
}

TEST(PipelineFaults, a_slow_lossy_sink_misses_frames_and_holds_nothing_up) {
  Collector slow, quick;
  slow.on_write = [](const FrameResult&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return Status();
  };
  std::vector<SinkParts> sinks = test::only(slow.sink("slow", 1, false));
  sinks.push_back(quick.sink("quick"));
  auto pipeline = make(kQueue, {test::source_of(test::repeat(kPicture, 20))}, std::move(sinks));
  EXPECT_THAT(pipeline->wait(), IsOk());
  const PipelineSnapshot snapshot = pipeline->snapshot();
  EXPECT_EQ(quick.seen().size(), 20U);
  EXPECT_EQ(snapshot.sinks[0].written + snapshot.sinks[0].missed, 20U);
  EXPECT_GT(snapshot.sinks[0].missed, 0U);
}

TEST(PipelineFaults, a_slow_lossless_sink_slows_a_queue_down) {
  Collector slow;
  slow.on_write = [](const FrameResult&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    return Status();
  };
  auto pipeline = make(kQueue, {test::source_of(test::repeat(kPicture, 15))}, test::only(slow.sink("slow", 1)));
  EXPECT_THAT(pipeline->wait(), IsOk());
  EXPECT_EQ(slow.seen().size(), 15U);
}

TEST(PipelineFaults, a_sink_that_fails_is_told_and_the_others_run_on) {
  Collector full, other;
  full.on_write = [](const FrameResult& result) -> Status {
    if (result.sequence == 2) throw std::runtime_error("disk full");
    return {};
  };
  std::vector<SinkParts> sinks = test::only(full.sink("full", 1));
  sinks.push_back(other.sink("other"));
  auto pipeline = make(kQueue, {test::source_of(test::repeat(kPicture, 12))}, std::move(sinks));
  EXPECT_THAT(pipeline->wait().to_string(), testing::AllOf(HasSubstr("sink full"), HasSubstr("disk full")));
  EXPECT_EQ(full.seen().size(), 2U);
  EXPECT_TRUE(full.is_finished());
  EXPECT_EQ(other.seen().size(), 12U);
}

TEST(PipelineFaults, a_drain_under_load_loses_nothing_that_was_taken_in) {
  Collector collector;
  collector.on_write = [](const FrameResult&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return Status();
  };
  std::stop_source stop;
  auto pipeline = make(kQueue, {test::source_of(test::repeat(kPicture, 1'000'000))}, test::only(collector.sink()));
  ASSERT_TRUE(collector.wait_for(5));
  stop.request_stop();
  ASSERT_THAT(pipeline->wait(stop.get_token()), IsOk());
  const PipelineSnapshot snapshot = pipeline->snapshot();
  const auto& ends = snapshot.sources[0].ends;
  EXPECT_EQ(snapshot.frames_inside, 0);
  EXPECT_EQ(collector.seen().size(), snapshot.sources[0].frames);
  EXPECT_EQ(ends[static_cast<std::size_t>(FrameEnd::kDelivered)], snapshot.sources[0].frames);
  EXPECT_TRUE(collector.is_finished());
}

TEST(PipelineFaults, a_stop_drops_what_waits_and_returns_soon) {
  Collector collector;
  auto pipeline = make(kQueue, {test::source_of(test::repeat(kPicture, 1'000'000))}, test::only(collector.sink()));
  ASSERT_TRUE(collector.wait_for(2));
  const auto began = std::chrono::steady_clock::now();
  pipeline->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  EXPECT_EQ(pipeline->snapshot().frames_inside, 0);
}

/// Gives NaN, which is InferenceError, for frames that are black.
TEST(PipelineFaults, a_model_that_fails_fails_its_frames_and_is_opened_anew) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("tern-live-nan-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / "nan.onnx";
  std::filesystem::copy_file(std::string(TERN_SOURCE_DIR) + "/tests/data/nan_when_black.onnx", file,
                             std::filesystem::copy_options::overwrite_existing);
  PipelineOptions options = test::test_options();
  options.thermal_interval = std::chrono::milliseconds(10);
  Collector collector;
  const auto pictures = [](std::int64_t i) -> cv::Mat {
    if (i == 40) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return cv::Mat(8, 8, CV_8UC3, cv::Scalar::all(i < 5 || i >= 35 ? 100 : 0));
  };
  auto pipeline =
      make("version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1min}\nmodels:\n  - {name: n, file: " +
               file.string() + "}\n",
           {test::source_of(pictures)}, test::only(collector.sink()), options);
  EXPECT_THAT(pipeline->wait(), IsOk()) << "a model that ran on some frames is no failure of the pipeline";
  const auto seen = collector.seen();
  ASSERT_EQ(seen.size(), 40U);
  for (const Seen& frame : seen) {
    const bool fails = frame.index >= 5 && frame.index < 35;
    EXPECT_EQ(frame.end, fails ? FrameEnd::kFailed : FrameEnd::kDelivered) << frame.index;
    EXPECT_EQ(frame.failure.ok(), !fails);
    if (fails) EXPECT_THAT(frame.failure.to_string(), HasSubstr("InferenceError"));
  }
  const PipelineSnapshot snapshot = pipeline->snapshot();
  EXPECT_EQ(snapshot.models[0].failures, 30U);
  EXPECT_GT(snapshot.models[0].reloads, 0U);
  std::filesystem::remove_all(folder);
}

TEST(PipelineFaults, a_pipeline_gives_up_a_model_that_fails_for_long_where_it_is_told_to) {
  PipelineOptions options = test::test_options();
  options.thermal_interval = std::chrono::milliseconds(10);
  options.give_up_after = std::chrono::milliseconds(300);
  Collector collector;
  const auto black = [](std::int64_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return cv::Mat(8, 8, CV_8UC3, cv::Scalar::all(0));
  };
  auto pipeline =
      make("version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1min}\nmodels:\n  - {name: n, file: " +
               std::string(TERN_SOURCE_DIR) + "/tests/data/nan_when_black.onnx}\n",
           {test::source_of(black)}, test::only(collector.sink()), options);
  const Status status = pipeline->wait();  // the source has no end
  EXPECT_EQ(status.code(), StatusCode::kInferenceError);
  EXPECT_THAT(status.to_string(), HasSubstr("'n'"));
  EXPECT_EQ(collector.seen().size(), pipeline->snapshot().sources[0].frames);
}

TEST(PipelineFaults, a_model_is_reloaded_while_frames_go_on) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("tern-live-reload-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / "detect.onnx";
  std::filesystem::copy_file(kModels + "overhead-detect.onnx", file, std::filesystem::copy_options::overwrite_existing);
  Collector collector;
  auto pipeline =
      make("version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1min}\nmodels:\n  - {name: d, file: " +
               file.string() + "}\n",
           {test::source_of(test::repeat(kPicture, 1'000'000))}, test::only(collector.sink()));
  ASSERT_TRUE(collector.wait_for(2));
  ASSERT_THAT(pipeline->reload("d"), IsOk());
  const std::size_t before = collector.seen().size();
  ASSERT_TRUE(collector.wait_for(before + 5));
  EXPECT_EQ(pipeline->snapshot().models[0].reloads, 1U);
  // A file of another task, and rubbish: the old model stays.
  std::filesystem::copy_file(kModels + "overhead-segment.onnx", file,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(pipeline->reload("d").to_string(), HasSubstr("another task"));
  std::ofstream(file) << "rubbish";
  EXPECT_FALSE(pipeline->reload("d").ok());
  EXPECT_THAT(pipeline->reload("e").to_string(), HasSubstr("no model 'e'"));
  const std::size_t later = collector.seen().size();
  ASSERT_TRUE(collector.wait_for(later + 3));
  pipeline->drain();
  EXPECT_THAT(pipeline->wait(), IsOk());
  for (const Seen& frame : collector.seen())
    EXPECT_EQ(frame.end, FrameEnd::kDelivered);
  std::filesystem::remove_all(folder);
}

TEST(PipelineFaults, a_source_without_a_file_is_told_at_once) {
  SourceParts missing;
  missing.open = [](const std::stop_token&) -> Result<std::unique_ptr<FrameSource>> {
    return Status(StatusCode::kIoError, "no such file");
  };
  const auto made = Pipeline::create(test::spec_of(kQueue), {missing}, {}, test::test_options());
  EXPECT_THAT(made.status().to_string(), testing::AllOf(HasSubstr("IoError"), HasSubstr("no such file")));
}

}  // namespace
}  // namespace tern
