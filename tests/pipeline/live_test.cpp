// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What a pipeline finds, in which order, and what it counts.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "pipeline_fixture.h"

namespace tern {
namespace {

using test::Collector;
using test::IsOk;
using test::kModels;
using test::Seen;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

const std::string kDetect = "  - {name: detect, file: " + kModels + "overhead-detect.onnx}\n";
const std::string kThree = kDetect + "  - {name: segment, file: " + kModels +
                           "overhead-segment.onnx}\n"
                           "  - {name: obstruction, file: " +
                           kModels +
                           "overhead-obstruction.onnx, crops_of: detect, region_mask: segment, region_classes: [road],"
                           " classes: [car, truck], crop_margin: 0.5, max_crops: 3}\n";

PipelineSpec three_models(const std::string& source) {
  return test::spec_of("version: 1\nsources:\n" + source + "models:\n" + kThree);
}

TEST(Pipeline, finds_what_the_tasks_find_alone) {
  const PipelineSpec spec = three_models("  - {name: a, kind: images, path: ., deadline: 1min}\n");
  Collector collector;
  const auto pipeline = Pipeline::create(spec, {test::source_of(test::repeat("data/validation/images/000.jpg", 3))},
                                         test::only(collector.sink()), test::test_options())
                            .value();
  pipeline->start();
  ASSERT_THAT(pipeline->wait(), IsOk());
  const std::vector<Seen> seen = collector.seen();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_TRUE(collector.is_finished());

  TaskOptions options = test::test_options().task;
  const cv::Mat picture = cv::imread(std::string(TERN_SOURCE_DIR) + "/data/validation/images/000.jpg");
  const ImageView view = ImageView::packed(picture.data, picture.cols, picture.rows, PixelFormat::kBgr,
                                           static_cast<std::ptrdiff_t>(picture.step));
  const auto boxes = Detector::open(kModels + "overhead-detect.onnx", options).value().detect(view).value();
  const auto classes = Segmenter::open(kModels + "overhead-segment.onnx", options).value().segment(view).value();
  Classifier classifier = Classifier::open(kModels + "overhead-obstruction.onnx", options).value();
  const auto road = static_cast<std::uint8_t>(1);
  for (const Seen& one : seen) {
    EXPECT_EQ(one.end, FrameEnd::kDelivered);
    ASSERT_EQ(one.models[0].detections.size(), boxes.size());
    EXPECT_EQ(one.models[0].detections.front().x1, boxes.front().x1);
    EXPECT_EQ(one.models[1].segmentation.classes, classes.classes);
    const ModelResult& crops = one.models[2];
    EXPECT_TRUE(crops.is_done);
    ASSERT_GT(crops.crop_count, 0U);
    EXPECT_LE(crops.crop_count, 3U);
    // The first crop, cut out here by other means.
    const CropResult& crop = crops.crops.front();
    const cv::Mat cut = picture(cv::Rect(crop.x, crop.y, crop.width, crop.height)).clone();
    cv::Mat mask(crop.height, crop.width, CV_8UC1);
    for (int y = 0; y < crop.height; ++y) {
      for (int x = 0; x < crop.width; ++x)
        mask.at<std::uint8_t>(y, x) =
            classes.classes[static_cast<std::size_t>((crop.y + y) * classes.width + crop.x + x)] == road ? 1 : 0;
    }
    const ImageView region = ImageView::packed(mask.data, mask.cols, mask.rows, PixelFormat::kGray);
    const auto expected =
        classifier.classify(ImageView::packed(cut.data, cut.cols, cut.rows, PixelFormat::kBgr), &region).value();
    EXPECT_EQ(crop.classification.logits, expected.logits);
    // The box lies within, with half of its size around it.
    const Detection& box = one.models[0].detections[static_cast<std::size_t>(crop.detection)];
    EXPECT_LE(static_cast<float>(crop.x), std::max(0.F, box.x1 - 0.5F * (box.x2 - box.x1)));
    EXPECT_GE(static_cast<float>(crop.x + crop.width),
              std::min(static_cast<float>(picture.cols), box.x2 + 0.5F * (box.x2 - box.x1)));
  }
}

TEST(Pipeline, a_queue_loses_nothing_and_keeps_the_order) {
  const PipelineSpec spec = test::spec_of(
      "version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1min, queue: 2}\n"
      "  - {name: b, kind: images, path: ., deadline: 1min, in_flight: 1}\nmodels:\n" +
      kDetect);
  Collector collector;
  const auto picture = test::repeat("data/validation/images/001.jpg", 12);
  PipelineOptions options = test::test_options();
  options.executors = 2;
  const auto pipeline = Pipeline::create(spec, {test::source_of(picture), test::source_of(picture)},
                                         test::only(collector.sink("slow", 1)), options)
                            .value();
  pipeline->start();
  ASSERT_THAT(pipeline->wait(), IsOk());
  std::vector<std::int64_t> of_b;
  std::vector<int> count(2);
  for (const Seen& one : collector.seen()) {
    ++count[static_cast<std::size_t>(one.source)];
    if (one.source == 1) of_b.push_back(one.index);
  }
  EXPECT_THAT(count, ElementsAre(12, 12));
  EXPECT_TRUE(std::ranges::is_sorted(of_b)) << "one frame at a time cannot overtake another";
  const PipelineSnapshot snapshot = pipeline->snapshot();
  EXPECT_EQ(snapshot.frames_inside, 0);
  EXPECT_EQ(snapshot.sinks[0].written, 24U);
  EXPECT_EQ(snapshot.models[0].items, 24U);
  EXPECT_EQ(deadline_hit_rate(snapshot.sources[0].ends), 1);
  EXPECT_EQ(snapshot.sources[0].age.count, 12U);
  EXPECT_GT(snapshot.sources[0].age.p99_ms, 0);
  EXPECT_EQ(snapshot.sources[0].state, PipelineSnapshot::Source::State::kEnded);
}

TEST(Pipeline, every_frame_of_a_camera_that_is_too_fast_is_accounted_for) {
  const PipelineSpec spec = test::spec_of(
      "version: 1\nsources:\n  - {name: fast, kind: pattern, width: 64, height: 64, rate: 1000, deadline: "
      "1s}\nmodels:\n" +
      kDetect);
  Collector collector;
  const auto pipeline = Pipeline::create(spec, {test::source_of(test::repeat("data/validation/images/001.jpg", 500))},
                                         test::only(collector.sink()), test::test_options())
                            .value();
  pipeline->start();
  ASSERT_THAT(pipeline->wait(), IsOk());
  const PipelineSnapshot snapshot = pipeline->snapshot();
  const auto& ends = snapshot.sources[0].ends;
  std::uint64_t all = 0;
  for (const std::uint64_t count : ends)
    all += count;
  EXPECT_EQ(snapshot.sources[0].frames, 500U);
  EXPECT_EQ(all, 500U);
  EXPECT_GT(ends[static_cast<std::size_t>(FrameEnd::kSuperseded)], 0U);
  EXPECT_EQ(collector.seen().size(),
            ends[static_cast<std::size_t>(FrameEnd::kDelivered)] + ends[static_cast<std::size_t>(FrameEnd::kLate)]);
  const std::string metrics = pipeline->metrics_text();
  EXPECT_THAT(metrics, HasSubstr("tern_source_frames_total{source=\"fast\"} 500\n"));
  EXPECT_THAT(metrics, HasSubstr("tern_thermal_telemetry 0\n"));
}

TEST(Pipeline, frames_that_come_too_late_are_dropped_before_they_cost_anything) {
  const PipelineSpec spec = test::spec_of(
      "version: 1\nsources:\n  - {name: late, kind: pattern, width: 64, height: 64, rate: 30, deadline: "
      "50ms}\nmodels:\n" +
      kDetect);
  const auto pipeline = Pipeline::create(spec,
                                         {test::source_of(test::repeat("data/validation/images/001.jpg", 5), false,
                                                          [](std::int64_t) {
                                                            return std::chrono::steady_clock::now().time_since_epoch() -
                                                                   std::chrono::seconds(1);
                                                          })},
                                         {}, test::test_options())
                            .value();
  pipeline->start();
  ASSERT_THAT(pipeline->wait(), IsOk());
  const PipelineSnapshot snapshot = pipeline->snapshot();
  EXPECT_EQ(snapshot.sources[0].ends[static_cast<std::size_t>(FrameEnd::kHopeless)], 5U);
  EXPECT_EQ(snapshot.models[0].items, 0U);
}

TEST(Pipeline, frames_may_change_their_size) {
  const PipelineSpec spec = three_models("  - {name: a, kind: images, path: ., deadline: 1min}\n");
  const cv::Mat picture = cv::imread(std::string(TERN_SOURCE_DIR) + "/data/frame-4k.jpg");
  const auto pictures = [&](std::int64_t i) {
    if (i >= 6) return cv::Mat();
    return picture(cv::Rect(0, 0, 1 + 301 * static_cast<int>(i), 1 + 157 * static_cast<int>(i))).clone();
  };
  Collector collector;
  const auto pipeline =
      Pipeline::create(spec, {test::source_of(pictures)}, test::only(collector.sink()), test::test_options()).value();
  pipeline->start();
  ASSERT_THAT(pipeline->wait(), IsOk());
  const auto seen = collector.seen();
  ASSERT_EQ(seen.size(), 6U);
  for (const Seen& one : seen) {
    EXPECT_EQ(one.end, FrameEnd::kDelivered);
    EXPECT_EQ(one.models[1].segmentation.width, one.width);
    for (std::size_t i = 0; i < one.models[2].crop_count; ++i)
      EXPECT_THAT(one.models[2].crops[i],
                  AllOf(Field(&CropResult::x, testing::Ge(0)), Field(&CropResult::width, testing::Gt(0))));
  }
}

TEST(Pipeline, a_ladder_switches_models_and_rates) {
  PipelineSpec spec =
      test::spec_of("version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1min}\nmodels:\n" + kDetect +
                    "  - {name: segment, file: " + kModels +
                    "overhead-segment.onnx}\nthermal: {steps: [{at: 80, back: 70, off: [segment]}]}\n");
  PipelineOptions options = test::test_options();
  options.thermal = [] { return ThermalState{.is_telemetry_available = true, .temperature_c = 85, .source = "test"}; };
  options.thermal_interval = std::chrono::milliseconds(5);
  Collector collector;
  const auto pipeline = Pipeline::create(spec, {test::source_of(test::repeat("data/validation/images/001.jpg", 20))},
                                         test::only(collector.sink()), options)
                            .value();
  pipeline->start();
  ASSERT_THAT(pipeline->wait(), IsOk());
  const PipelineSnapshot snapshot = pipeline->snapshot();
  EXPECT_EQ(snapshot.thermal_step, 1);
  EXPECT_FALSE(snapshot.models[1].is_running);
  EXPECT_FALSE(collector.seen().back().models[1].is_done);
  EXPECT_TRUE(collector.seen().back().models[0].is_done);
  EXPECT_THAT(pipeline->metrics_text(), HasSubstr("tern_model_running{model=\"segment\"} 0\n"));
}

TEST(Pipeline, traces_what_it_does) {
  PipelineOptions options = test::test_options();
  options.trace_spans = 1000;
  const PipelineSpec spec =
      test::spec_of("version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1min}\nmodels:\n" + kDetect);
  Collector collector;
  const auto pipeline = Pipeline::create(spec, {test::source_of(test::repeat("data/validation/images/001.jpg", 2))},
                                         test::only(collector.sink()), options)
                            .value();
  pipeline->start();
  ASSERT_THAT(pipeline->wait(), IsOk());
  const auto trace = nlohmann::json::parse(pipeline->trace_json().value());
  std::map<std::string, int> spans;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] == "X") ++spans[event["name"]];
  }
  EXPECT_EQ(spans["detect"], 2);
  EXPECT_EQ(spans["source"], 2);
  EXPECT_EQ(spans["sink"], 2);
}

TEST(Pipeline, refuses_models_that_do_not_fit_their_place) {
  const auto refused = [](const std::string& models) {
    const PipelineSpec spec =
        test::spec_of("version: 1\nsources:\n  - {name: a, kind: images, path: ., deadline: 1s}\nmodels:\n" + models);
    const auto made = Pipeline::create(spec, {test::source_of(test::repeat("data/validation/images/001.jpg", 1))}, {},
                                       test::test_options());
    return made.status().to_string();
  };
  const std::string segment = "  - {name: segment, file: " + kModels + "overhead-segment.onnx}\n";
  const std::string obstruction = "  - {name: o, file: " + kModels + "overhead-obstruction.onnx";
  EXPECT_THAT(refused(obstruction + "}\n"),
              AllOf(HasSubstr("ConfigError"), HasSubstr("'o'"), HasSubstr("region mask")));
  EXPECT_THAT(refused(segment + obstruction + ", crops_of: segment}\n"), HasSubstr("only a detector has boxes"));
  EXPECT_THAT(
      refused(kDetect + segment + obstruction + ", crops_of: detect, region_mask: segment, region_classes: [rode]}\n"),
      AllOf(HasSubstr("no class 'rode'"), HasSubstr("road")));
  EXPECT_THAT(refused(kDetect + "  - {name: s, file: " + kModels + "overhead-segment.onnx, crops_of: detect}\n"),
              HasSubstr("a segmenter does not work on crops"));
  EXPECT_THAT(refused("  - {name: x, file: no-such.onnx}\n"), AllOf(HasSubstr("IoError"), HasSubstr("'x'")));
}

}  // namespace
}  // namespace tern
