// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/task.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demo.h"

namespace tern {
namespace {

using test::demo_path;
using test::Picture;
using ::testing::HasSubstr;

TEST(Task, results_say_what_ran) {
  Detector detector =
      Detector::open(demo_path("models/overhead-detect.onnx"), {.backend = "openvino", .threads = 1}).value();
  const Picture picture("data/validation/images/000.jpg");
  ASSERT_TRUE(detector.detect(picture.view()).ok());
  const RunInfo& run = detector.last_run();
  EXPECT_EQ(run.backend, "openvino");
  EXPECT_EQ(run.precision, "f32");
  EXPECT_THAT(std::string(run.engine_id), HasSubstr("overhead-detect-"));
  EXPECT_GT(run.times.preprocess.count(), 0);
  EXPECT_GT(run.times.infer, run.times.postprocess);
  EXPECT_EQ(detector.engine().threads(), 1);
}

class LineLogger final : public Logger {
 public:
  explicit LineLogger(LogLevel level) : level_(level) {}
  void log(LogLevel /*level*/, std::string_view /*component*/, std::string_view message) noexcept override {
    lines += std::string(message) + "\n";
  }
  LogLevel level() const noexcept override { return level_; }
  std::string lines;

 private:
  LogLevel level_;
};

TEST(Task, the_log_tells_of_each_call_at_debug_alone) {
  const Picture picture("data/validation/images/000.jpg");
  const auto detect = std::make_shared<LineLogger>(LogLevel::kDebug),
             quiet = std::make_shared<LineLogger>(LogLevel::kInfo);
  ASSERT_TRUE(
      Detector::open(demo_path("models/overhead-detect.onnx"), {.logger = detect})->detect(picture.view()).ok());
  EXPECT_THAT(detect->lines,
              ::testing::ContainsRegex("overhead-detect on [a-z]+ f32: [0-9.]+ ms .* objects, best [a-z]+ 0[.]"));
  ASSERT_TRUE(Detector::open(demo_path("models/overhead-detect.onnx"), {.logger = quiet})->detect(picture.view()).ok());
  EXPECT_THAT(quiet->lines, ::testing::Not(HasSubstr("objects, best")));
  const auto segment = std::make_shared<LineLogger>(LogLevel::kDebug);
  ASSERT_TRUE(
      Segmenter::open(demo_path("models/overhead-segment.onnx"), {.logger = segment})->segment(picture.view()).ok());
  EXPECT_THAT(segment->lines, ::testing::ContainsRegex("most of it [a-z ]+, [0-9.]+%"));
}

TEST(Task, both_detectors_find_the_same_objects) {
  Detector nms = Detector::open(demo_path("models/overhead-detect.onnx")).value();
  Detector end2end = Detector::open(demo_path("models/overhead-detect-e2e.onnx")).value();
  const Picture picture("data/validation/images/000.jpg");
  const auto a = nms.detect(picture.view()).value(), b = end2end.detect(picture.view()).value();
  ASSERT_EQ(a.size(), b.size());
  for (const Detection& one : a) {
    const bool is_found = std::ranges::any_of(b, [&](const Detection& other) {
      return one.class_id == other.class_id && std::fabs(one.x1 - other.x1) < 20 && std::fabs(one.y1 - other.y1) < 20;
    });
    EXPECT_TRUE(is_found) << one.x1 << "," << one.y1;
  }
}

TEST(Task, a_batch_gives_what_single_images_give) {
  const Picture first("data/validation/images/000.jpg"), second("data/frame-4k.jpg"),
      third("data/validation/images/001.jpg");
  const std::vector<ImageView> images{first.view(), second.view(), third.view()};
  const auto open = [](int batch) {
    return Detector::open(demo_path("models/overhead-detect.onnx"), {.backend = "openvino", .max_batch = batch})
        .value();
  };
  Detector single = open(1);
  for (const int batch : {1, 2, 3, 4}) {  // 2: a full step and a rest; 4: never full
    Detector batched = open(batch);
    EXPECT_EQ(batched.batch(), batch);
    std::vector<std::vector<Detection>> results;
    ASSERT_TRUE(batched.detect(images, results).ok());
    ASSERT_EQ(results.size(), 3U);
    for (std::size_t i = 0; i < images.size(); ++i) {
      const auto expected = single.detect(images[i]).value();
      ASSERT_EQ(results[i].size(), expected.size()) << "batch " << batch << ", image " << i;
      for (std::size_t k = 0; k < expected.size(); ++k) {
        EXPECT_EQ(results[i][k].class_id, expected[k].class_id);
        EXPECT_NEAR(results[i][k].x1, expected[k].x1, 0.05);
        EXPECT_NEAR(results[i][k].score, expected[k].score, 1e-4);
      }
    }
  }
}

TEST(Task, boxes_lie_within_the_source_image_whatever_its_shape) {
  Detector detector =
      Detector::open(demo_path("models/overhead-detect.onnx"), {.overrides = {{"output.score_threshold", "0.001"}}})
          .value();
  const Picture picture("data/frame-4k.jpg");
  for (const cv::Rect area :
       {cv::Rect(0, 0, 3840, 200), cv::Rect(0, 0, 200, 2160), cv::Rect(100, 100, 1, 1), cv::Rect(0, 0, 1, 2160)}) {
    const cv::Mat part = picture.pixels(area);  // rows keep the stride of the whole picture
    const auto view =
        ImageView::packed(part.data, part.cols, part.rows, PixelFormat::kBgr, static_cast<std::ptrdiff_t>(part.step));
    const auto found = detector.detect(view);
    ASSERT_TRUE(found.ok()) << found.status().to_string();
    for (const Detection& d : *found) {
      EXPECT_GE(d.x1, 0);
      EXPECT_GE(d.y1, 0);
      EXPECT_LE(d.x2, area.width);
      EXPECT_LE(d.y2, area.height);
      EXPECT_LT(d.x1, d.x2);
      EXPECT_LT(d.y1, d.y2);
    }
  }
}

TEST(Task, masks_have_the_size_of_the_source_or_of_the_output_as_told) {
  const Picture square("data/validation/images/000.jpg");
  const cv::Mat wide = square.pixels.rowRange(0, 300);
  const auto view =
      ImageView::packed(wide.data, wide.cols, wide.rows, PixelFormat::kBgr, static_cast<std::ptrdiff_t>(wide.step));
  Segmenter back = Segmenter::open(demo_path("models/overhead-segment.onnx")).value();
  const Segmentation at_source = back.segment(view).value();
  EXPECT_EQ(at_source.width, 640);
  EXPECT_EQ(at_source.height, 300);
  EXPECT_EQ(at_source.classes.size(), 640U * 300U);
  Segmenter raw = Segmenter::open(demo_path("models/overhead-segment.onnx"),
                                  {.overrides = {{"output.return_to_input_size", "false"}}})
                      .value();
  EXPECT_EQ(raw.segment(view).value().height, 640);
}

TEST(Task, the_classifier_needs_its_region_and_reads_it) {
  Classifier classifier = Classifier::open(demo_path("models/overhead-obstruction.onnx")).value();
  const Picture picture("data/crops/000.jpg"), region("data/crops/000-region.png", cv::IMREAD_GRAYSCALE);
  const ImageView view = picture.view(), mask = region.view();
  const Classification result = classifier.classify(view, &mask).value();
  ASSERT_EQ(result.logits.size(), 2U);
  EXPECT_NEAR(result.probabilities[0] + result.probabilities[1], 1, 1e-6);
  EXPECT_EQ(classifier.contract().output.names[static_cast<std::size_t>(result.class_id)], "obstructed");
  const cv::Mat nothing = cv::Mat::zeros(region.pixels.size(), CV_8U);
  const auto empty = ImageView::packed(nothing.data, nothing.cols, nothing.rows, PixelFormat::kGray);
  EXPECT_NE(classifier.classify(view, &empty).value().logits, result.logits) << "the mask channel has no effect";
  EXPECT_EQ(classifier.classify(view).status().code(), StatusCode::kInputError);
}

TEST(Task, a_model_of_another_task_is_refused_with_the_right_one) {
  const auto detector = Detector::open(demo_path("models/overhead-segment.onnx"));
  ASSERT_FALSE(detector.ok());
  EXPECT_EQ(detector.status().code(), StatusCode::kContractError);
  EXPECT_THAT(detector.status().hint(), HasSubstr("tern segment"));
}

TEST(Task, a_model_with_a_second_input_is_refused_with_what_takes_it) {
  const auto classifier = Classifier::open(demo_path("tests/data/extra_input.onnx"));
  ASSERT_FALSE(classifier.ok());
  EXPECT_EQ(classifier.status().code(), StatusCode::kContractError);
  EXPECT_THAT(classifier.status().to_string(), HasSubstr("2 inputs"));
  EXPECT_THAT(classifier.status().to_string(), HasSubstr("extra_input.onnx"));
  EXPECT_THAT(classifier.status().hint(), HasSubstr("tern run"));
}

TEST(Task, options_out_of_range_are_named) {
  const auto model = demo_path("models/overhead-detect.onnx");
  EXPECT_EQ(Detector::open(model, {.max_batch = 0}).status().code(), StatusCode::kConfigError);
  EXPECT_EQ(Detector::open(model, {.threads = -1}).status().code(), StatusCode::kConfigError);
  EXPECT_EQ(Detector::open(model, {.backend = "abacus"}).status().code(), StatusCode::kBackendError);
  EXPECT_EQ(Detector::open("nobody.onnx").status().code(), StatusCode::kIoError);
}

TEST(Task, a_bad_image_is_refused_and_the_next_one_works) {
  Detector detector = Detector::open(demo_path("models/overhead-detect.onnx")).value();
  const Picture picture("data/validation/images/000.jpg");
  ImageView bad = picture.view();
  bad.planes[0].stride = 3;
  EXPECT_EQ(detector.detect(bad).status().code(), StatusCode::kInputError);
  EXPECT_EQ(detector.detect(ImageView()).status().code(), StatusCode::kInputError);
  EXPECT_TRUE(detector.detect(picture.view()).ok());
  std::vector<std::vector<Detection>> none{{Detection{}}};
  EXPECT_TRUE(detector.detect(std::span<const ImageView>(), none).ok());
  EXPECT_TRUE(none.empty());
}

TEST(Task, nan_is_an_error_never_a_result) {
  Classifier classifier = Classifier::open(demo_path("tests/data/nan_when_black.onnx")).value();
  const cv::Mat black = cv::Mat::zeros(8, 8, CV_8UC3), white(8, 8, CV_8UC3, cv::Scalar::all(200));
  const auto result = classifier.classify(ImageView::packed(black.data, 8, 8, PixelFormat::kBgr));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kInferenceError);
  EXPECT_THAT(result.status().to_string(), HasSubstr("logits"));
  EXPECT_TRUE(classifier.classify(ImageView::packed(white.data, 8, 8, PixelFormat::kBgr)).ok());
}

TEST(Task, deadlines_and_stops_reach_the_caller) {
  Detector detector = Detector::open(demo_path("models/overhead-detect.onnx")).value();
  const Picture picture("data/validation/images/000.jpg");
  const auto past = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(detector.detect(picture.view(), {.deadline = past}).status().code(), StatusCode::kTimeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(detector.detect(picture.view(), {.stop = stop.get_token()}).status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(detector.detect(picture.view()).ok());
}

TEST(Task, one_object_for_each_thread_runs_in_parallel) {
  const Picture picture("data/validation/images/000.jpg");
  std::vector<std::size_t> found(3);
  {
    std::vector<std::jthread> threads;
    for (std::size_t& count : found) {
      threads.emplace_back([&picture, &count] {
        Detector detector = Detector::open(demo_path("models/overhead-detect.onnx"), {.threads = 1}).value();
        count = detector.detect(picture.view()).value().size();
      });
    }
  }
  EXPECT_GT(found[0], 0U);
  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(found[0], found[2]);
}

}  // namespace
}  // namespace tern
