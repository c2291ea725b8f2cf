// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/golden.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../task/demo.h"
#include "disturbed_engine.h"
#include "tern/eval.h"
#include "tern/model.h"

namespace tern {
namespace {

using test::demo_path;
using test::Disturbance;
using test::DisturbedEngine;
using test::Picture;
using ::testing::HasSubstr;

constexpr std::uint64_t kSeed = 1;

std::shared_ptr<Backend> openvino() {
  static const std::shared_ptr<Backend> backend = BackendRegistry::load().find("openvino").value();
  return backend;
}

std::shared_ptr<Engine> build(const Model& model, const BuildConfig& config) {
  const EngineBlob blob = openvino()->compile(model, config, {}, {}).value();
  return openvino()->load(blob, {.threads = 2}).value();
}

/// A demo model with its contract; each is compiled once in a process.
struct Demo {
  Contract contract;
  std::shared_ptr<Engine> engine;
};

const Demo& demo(const std::string& name) {
  static std::map<std::string, Demo> cache;
  const auto found = cache.find(name);
  if (found != cache.end()) return found->second;
  const Model model = Model::from_file(demo_path("models/" + name + ".onnx")).value();
  return cache.emplace(name, Demo{Contract::resolve(model).value(), build(model, {.threads = 2})}).first->second;
}

const Demo& detect() {
  return demo("overhead-detect");
}

GoldenSet set_of(std::vector<GoldenFrame> frames, Engine& reference) {
  const Status status = record_reference(reference, frames);
  EXPECT_TRUE(status.ok()) << status.to_string();
  return {.source = "noise", .reference = std::string(reference.backend()), .frames = std::move(frames)};
}

GoldenSet noise_set(const Demo& demo, int count = 1) {
  return set_of(noise_frames(demo.engine->inputs(), &demo.contract, count, kSeed).value(), *demo.engine);
}

GoldenTolerance f32() {
  return GoldenTolerance::of(Precision::kF32);
}

/// The failure of a check, which must be GoldenCheckError, with a report that shows it.
std::string failure(Engine& engine, const GoldenSet& golden, const Contract* contract,
                    const GoldenTolerance& tolerance = f32()) {
  GoldenReport report;
  const Status status = check_golden(engine, golden, contract, tolerance, &report);
  EXPECT_EQ(status.code(), StatusCode::kGoldenCheckError);
  EXPECT_THAT(status.where(), HasSubstr(std::string(engine.id())));
  EXPECT_FALSE(status.hint().empty());
  return status.to_string();
}

std::shared_ptr<Engine> disturbed(const std::shared_ptr<Engine>& real, Disturbance disturb) {
  return std::make_shared<DisturbedEngine>(real, std::move(disturb));
}

std::vector<std::byte> bytes_of(const std::string& path) {
  std::ifstream file(demo_path(path), std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> bytes(chars.size());
  std::memcpy(bytes.data(), chars.data(), chars.size());
  return bytes;
}

/// The demo model after a training that went another way: some of its weights are zero. (Where that hits more than weights, the
/// model does not load, and the next place is tried.)
Model retrained(const std::string& name) {
  const std::vector<std::byte> original = bytes_of("models/" + name + ".onnx");
  for (std::size_t part = 30; part < 90; part += 5) {
    std::vector<std::byte> bytes = original;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() * part / 100), 8192, std::byte{0});
    auto model = Model::from_bytes(bytes, name);
    if (model.ok() && Contract::resolve(*model).ok()) return *std::move(model);
  }
  throw std::runtime_error("no place to change the model");
}

/// Swaps rows `a` and `b` of the second dimension of a (1, C, ...) tensor of f32.
void swap_channels(Tensor& tensor, std::int64_t a, std::int64_t b) {
  const std::size_t plane = tensor.view().elements() / static_cast<std::size_t>(tensor.shape()[0] * tensor.shape()[1]);
  const std::span<float> values = tensor.as<float>();
  const auto at = [&](std::int64_t c) { return values.begin() + c * static_cast<std::ptrdiff_t>(plane); };
  std::swap_ranges(at(a), at(a) + static_cast<std::ptrdiff_t>(plane), at(b));
}

TEST(GoldenCheck, an_engine_passes_against_itself) {
  for (const char* name : {"overhead-detect", "overhead-detect-e2e", "overhead-segment", "overhead-obstruction"}) {
    const Demo& model = demo(name);
    const GoldenSet golden = noise_set(model, 2);
    GoldenReport report;
    const Status status = check_golden(*model.engine, golden, &model.contract, f32(), &report);
    EXPECT_TRUE(status.ok()) << status.to_string();
    EXPECT_TRUE(report.ok());
    EXPECT_FALSE(report.independent);
    EXPECT_FALSE(report.raw_only) << name << " finds nothing on its noise";
    EXPECT_GE(report.rows.size(), 4U);
  }
}

TEST(GoldenCheck, a_stored_set_proves_what_the_recorded_one_did) {
  GoldenSet golden = noise_set(detect());
  golden.independent = true;
  const GoldenSet stored = GoldenSet::from_bytes(golden.to_bytes().value(), "x.golden").value();
  GoldenReport report;
  EXPECT_TRUE(check_golden(*detect().engine, stored, &detect().contract, f32(), &report).ok());
  EXPECT_TRUE(report.independent);
  EXPECT_TRUE(check_golden(*detect().engine, stored, &detect().contract, f32()).ok()) << "the report is optional";
}

TEST(GoldenCheck, without_a_contract_raw_outputs_are_compared) {
  const GoldenSet golden = noise_set(detect());
  GoldenReport report;
  EXPECT_TRUE(check_golden(*detect().engine, golden, nullptr, f32(), &report).ok());
  EXPECT_TRUE(report.raw_only);
}

TEST(GoldenCheck, a_reference_that_finds_nothing_is_raw_only) {
  Contract picky = detect().contract;
  picky.output.score_threshold = 1;
  GoldenReport report;
  EXPECT_TRUE(check_golden(*detect().engine, noise_set(detect()), &picky, f32(), &report).ok());
  EXPECT_TRUE(report.raw_only);
}

TEST(GoldenCheck, engines_of_open_and_of_fixed_batch_have_their_rows_compared) {
  const Model model = Model::from_file(demo_path("models/overhead-detect.onnx")).value();
  const GoldenSet golden = noise_set(detect());
  const auto open = build(model, {.max_batch = 4, .threads = 2});
  ASSERT_EQ(open->batch_size(), Shape::kDynamic);
  const Shape three{3, 3, 640, 640};
  const auto fixed = build(model, {.profiles = {{"images", three, three, three}}, .threads = 2});
  ASSERT_EQ(fixed->batch_size(), 3);
  for (const auto& engine : {open, fixed}) {
    GoldenReport report;
    const Status status = check_golden(*engine, golden, &detect().contract, f32(), &report);
    EXPECT_TRUE(status.ok()) << status.to_string();
    const auto rows = std::ranges::count_if(
        report.rows, [](const auto& row) { return row.what.find("batch row") != std::string::npos; });
    EXPECT_GT(rows, 0) << engine->batch_size();
  }
  // A reference taken from an engine of fixed batch is one row too.
  const GoldenSet from_fixed = set_of(noise_frames(fixed->inputs(), &detect().contract, 1, kSeed).value(), *fixed);
  EXPECT_EQ(from_fixed.frames[0].outputs[0].tensor.shape()[0], 1);
  EXPECT_TRUE(check_golden(*detect().engine, from_fixed, &detect().contract, f32()).ok());
}

TEST(GoldenCheck, an_engine_whose_batch_rows_disagree_fails) {
  const Demo& segment = demo("overhead-segment");
  const GoldenSet golden = noise_set(segment);
  const Model model = Model::from_file(demo_path("models/overhead-segment.onnx")).value();
  const Shape two{2, 3, 640, 640};
  for (const auto& engine : {build(model, {.max_batch = 2, .threads = 2}),
                             build(model, {.profiles = {{"image", two, two, two}}, .threads = 2})}) {
    const auto leaking = disturbed(engine, [](std::size_t, Tensor& tensor) -> Status {
      if (tensor.shape()[0] < 2) return {};
      const TensorView row = tensor.view().rows(1, 1);
      for (float& value : row.as<float>())
        value += 0.5F;
      return {};
    });
    EXPECT_THAT(failure(*leaking, golden, &segment.contract), HasSubstr("frame 0: logits (batch row 1 against row 0)"));
  }
}

TEST(GoldenCheck, an_engine_that_is_wrong_in_a_batch_alone_fails) {
  const Demo& segment = demo("overhead-segment");
  const Model model = Model::from_file(demo_path("models/overhead-segment.onnx")).value();
  const auto engine =
      disturbed(build(model, {.max_batch = 2, .threads = 2}), [](std::size_t, Tensor& tensor) -> Status {
        if (tensor.shape()[0] == 2) std::memset(tensor.view().data(), 0, tensor.bytes());  // equal rows, both wrong
        return {};
      });
  EXPECT_THAT(failure(*engine, noise_set(segment), &segment.contract), HasSubstr("logits"));
}

TEST(GoldenCheck, another_models_engine_fails_whatever_its_ports) {
  const GoldenSet golden = noise_set(detect());
  EXPECT_THAT(failure(*demo("overhead-segment").engine, golden, &detect().contract), HasSubstr("no input 'image'"));
  EXPECT_THAT(failure(*demo("overhead-detect-e2e").engine, golden, nullptr),
              HasSubstr("the engine gave f32 of 1x300x6"));
  for (const char* name : {"overhead-detect", "overhead-detect-e2e", "overhead-segment"}) {
    const Demo& original = demo(name);
    const auto other = build(retrained(name), {.threads = 2});
    const std::string found = failure(*other, noise_set(original), &original.contract);
    EXPECT_THAT(found, HasSubstr("frame 0")) << name;
    EXPECT_THAT(found, HasSubstr("wanted at ")) << name;
  }
}

TEST(GoldenCheck, an_engine_that_gives_nan_fails) {
  const Model model = Model::from_file(demo_path("tests/data/nan_when_black.onnx")).value();
  const Contract contract = Contract::resolve(model).value();
  const auto engine = build(model, {.threads = 2});
  GoldenSet golden = set_of(noise_frames(engine->inputs(), &contract, 1, kSeed).value(), *engine);
  ASSERT_TRUE(check_golden(*engine, golden, &contract, f32()).ok());
  const TensorView input = golden.frames[0].inputs[0].tensor.view();
  std::memset(input.data(), 0, input.bytes());
  const std::string found = failure(*engine, golden, &contract);
  EXPECT_THAT(found, HasSubstr("frame 0: logits: finite values is 0, wanted at least 1"));
  // Nor can such a frame become a reference.
  const Status recorded = record_reference(*engine, golden.frames);
  EXPECT_EQ(recorded.code(), StatusCode::kGoldenCheckError);
  EXPECT_THAT(recorded.to_string(), HasSubstr("frame 0: logits: the reference holds NaN or infinity"));
}

TEST(GoldenCheck, a_single_value_that_is_not_finite_fails) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    const auto engine = disturbed(detect().engine, [bad](std::size_t, Tensor& tensor) -> Status {
      tensor.as<float>().back() = bad;
      return {};
    });
    EXPECT_THAT(failure(*engine, noise_set(detect()), &detect().contract), HasSubstr("finite values"));
    EXPECT_THAT(failure(*engine, noise_set(detect()), nullptr), HasSubstr("finite values"));
  }
}

TEST(GoldenCheck, an_engine_that_fails_to_run_fails_with_the_backends_words) {
  const auto engine = disturbed(detect().engine, [](std::size_t, Tensor&) {
    return Status(StatusCode::kInferenceError, "out of luck").with_cause("line of the backend's log");
  });
  const GoldenSet golden = noise_set(detect());
  EXPECT_THAT(failure(*engine, golden, &detect().contract), HasSubstr("frame 0: the engine failed: out of luck"));
  EXPECT_EQ(check_golden(*engine, golden, nullptr, f32()).cause(), "line of the backend's log");
}

TEST(GoldenCheck, swapped_class_rows_fail_though_boxes_weigh_more) {
  const auto engine = disturbed(detect().engine, [](std::size_t, Tensor& tensor) -> Status {
    swap_channels(tensor, 4, 5);
    return {};
  });
  for (const Precision precision : {Precision::kF32, Precision::kF16, Precision::kBF16})
    EXPECT_THAT(failure(*engine, noise_set(detect()), &detect().contract, GoldenTolerance::of(precision)),
                HasSubstr("output0 scores"));
}

TEST(GoldenCheck, an_end_to_end_detector_is_judged_by_its_results_not_by_the_order_of_rows) {
  const Demo& model = demo("overhead-detect-e2e");
  const GoldenSet golden = noise_set(model);  // finds nothing: its best rows are weak
  const auto check = [&](const Disturbance& disturb) {
    return check_golden(*disturbed(model.engine, disturb), golden, &model.contract, f32());
  };
  const auto each_row = [](const std::function<void(std::span<float>)>& change) {
    return [change](std::size_t, Tensor& tensor) -> Status {
      const std::span<float> values = tensor.as<float>();
      for (std::size_t at = 0; at < values.size(); at += 6)
        change(values.subspan(at, 6));
      return {};
    };
  };
  const Status reordered = check([](std::size_t, Tensor& tensor) -> Status {
    const std::span<float> rows = tensor.as<float>();
    std::swap_ranges(rows.begin(), rows.begin() + 6, rows.begin() + 6);
    return {};
  });
  EXPECT_TRUE(reordered.ok()) << reordered.to_string();
  EXPECT_THAT(check(each_row([](std::span<float> row) { row[2] = (row[0] + row[2]) / 2; })).to_string(),
              HasSubstr("boxes"));
  EXPECT_THAT(check(each_row([](std::span<float> row) { row[5] = row[5] == 0 ? 1.0F : 0.0F; })).to_string(),
              HasSubstr("boxes"));
  EXPECT_THAT(check(each_row([](std::span<float> row) { row[4] *= 0.99F; })).to_string(), HasSubstr("output0 scores"));
  EXPECT_THAT(check(each_row([](std::span<float> row) { row[4] *= 2; })).code(), StatusCode::kGoldenCheckError);
}

TEST(GoldenCheck, reduced_precisions_pass_by_their_own_tolerance) {
  const Model model = Model::from_file(demo_path("models/overhead-segment.onnx")).value();
  const Demo& segment = demo("overhead-segment");
  const GoldenSet golden = noise_set(segment, 2);
  int ran = 0;
  for (const Precision precision : {Precision::kF16, Precision::kBF16}) {
    const auto blob = openvino()->compile(model, {.precision = precision, .threads = 2}, {}, {});
    if (!blob.ok()) continue;  // this CPU has none
    ++ran;
    const auto engine = openvino()->load(*blob, {.threads = 2}).value();
    const Status status = check_golden(*engine, golden, &segment.contract, GoldenTolerance::of(precision));
    EXPECT_TRUE(status.ok()) << status.to_string();
    EXPECT_THAT(failure(*engine, golden, &segment.contract), HasSubstr("frame 0: logits"))
        << "f32's tolerance is narrower";
  }
  if (ran == 0) GTEST_SKIP() << "this CPU runs f32 alone";
}

TEST(GoldenCheck, small_drifts_pass_and_larger_ones_name_measure_and_amount) {
  const GoldenSet golden = noise_set(demo("overhead-obstruction"));
  const auto scaled = [&](float factor) {
    return disturbed(demo("overhead-obstruction").engine, [factor](std::size_t, Tensor& tensor) -> Status {
      for (float& value : tensor.as<float>())
        value *= factor;
      return {};
    });
  };
  const Contract& contract = demo("overhead-obstruction").contract;
  EXPECT_TRUE(check_golden(*scaled(1.0005F), golden, &contract, f32()).ok());
  EXPECT_THAT(failure(*scaled(1.01F), golden, &contract),
              HasSubstr("logits: relative error is 0.01, wanted at most 0.001"));
  EXPECT_THAT(failure(*scaled(-1.0F), golden, &contract, GoldenTolerance::of(Precision::kI8)),
              HasSubstr("logits: cosine is -1"));
}

TEST(GoldenCheck, whole_numbers_and_several_ports_are_compared_without_a_contract) {
  const Model model = Model::from_file(demo_path("tests/data/two_ports.onnx")).value();
  const auto engine = build(model, {});
  const GoldenSet golden = set_of(noise_frames(engine->inputs(), nullptr, 2, kSeed).value(), *engine);
  GoldenReport report;
  EXPECT_TRUE(check_golden(*engine, golden, nullptr, f32(), &report).ok());
  EXPECT_EQ(report.rows.size(), 8U) << "two measures of two outputs of two frames";
  const auto wrong = disturbed(engine, [](std::size_t output, Tensor& tensor) -> Status {
    if (output == 1) tensor.as<float>()[0] += 1;
    return {};
  });
  EXPECT_THAT(failure(*wrong, golden, nullptr), HasSubstr("difference"));

  const auto finder = build(Model::from_file(demo_path("tests/data/nonzero.onnx")).value(), {});
  const GoldenSet indices = set_of(noise_frames(finder->inputs(), nullptr, 1, kSeed).value(), *finder);
  EXPECT_TRUE(check_golden(*finder, indices, nullptr, f32()).ok());
  const auto miscounting = disturbed(finder, [](std::size_t, Tensor& tensor) -> Status {
    tensor.as<std::int64_t>()[0] += 1;
    return {};
  });
  EXPECT_THAT(failure(*miscounting, indices, nullptr), HasSubstr("values equal"));
  const auto losing = disturbed(finder, [](std::size_t, Tensor& tensor) -> Status {
    tensor = Tensor::create(DType::kI64, {1, 1}).value();
    return {};
  });
  EXPECT_THAT(failure(*losing, indices, nullptr), HasSubstr("the engine gave i64 of 1x1"));
}

TEST(GoldenCheck, a_set_that_does_not_fit_is_refused) {
  Engine& engine = *detect().engine;
  EXPECT_THAT(failure(engine, {.source = "noise", .reference = "openvino"}, nullptr), HasSubstr("no golden frames"));
  GoldenSet golden = noise_set(detect());
  Contract other = detect().contract;
  other.output.tensor = "missing";
  EXPECT_THAT(failure(engine, golden, &other), HasSubstr("no output 'missing'"));
  golden.frames[0].outputs[0].name = "unknown";
  EXPECT_THAT(failure(engine, golden, nullptr), HasSubstr("unknown: the engine has no such output"));
  golden.frames[0].inputs.clear();
  EXPECT_THAT(failure(engine, golden, nullptr), HasSubstr("the frame has 0 inputs, the engine 1"));
}

// With labels ----------------------------------------------------------------------------------------------------------------

/// Validation images with their labels, as golden frames of `demo`.
class Labelled {
 public:
  explicit Labelled(const Demo& demo, std::size_t count) : demo_(demo) {
    switch (demo.contract.output.kind) {
      case OutputKind::kYolo:
      case OutputKind::kEnd2End:
        for (const DetectionSample& sample :
             first(read_detection_set(demo_path("data/validation"), names()).value(), count)) {
          std::vector<Detection> boxes;
          for (const LabelledBox& b : sample.boxes)
            boxes.push_back({static_cast<float>(b.x), static_cast<float>(b.y), static_cast<float>(b.x + b.width),
                             static_cast<float>(b.y + b.height), 0, b.class_id});
          add(sample.image).boxes = std::move(boxes);
        }
        return;
      case OutputKind::kSegmentation:
        for (const SegmentationSample& sample :
             first(read_segmentation_set(demo_path("data/validation")).value(), count)) {
          const cv::Mat mask = cv::imread(sample.mask.string(), cv::IMREAD_GRAYSCALE);
          add(sample.image).mask = std::vector<std::uint8_t>(mask.begin<std::uint8_t>(), mask.end<std::uint8_t>());
        }
        return;
      case OutputKind::kClassification:
        for (const ClassificationSample& sample :
             first(read_classification_set(demo_path("data/crops"), names()).value(), count)) {
          GoldenImage& image = add(sample.image);
          image.class_id = sample.class_id;
          regions_.emplace_back(std::filesystem::relative(*sample.region, TERN_SOURCE_DIR).string(),
                                cv::IMREAD_GRAYSCALE);
          image.region = regions_.back().view();
        }
        return;
    }
  }

  [[nodiscard]] GoldenSet set(Engine& reference) const {
    return set_of(image_frames(demo_.engine->inputs(), demo_.contract, images_).value(), reference);
  }

 private:
  [[nodiscard]] const std::vector<std::string>& names() const { return demo_.contract.output.names; }
  template <typename T>
  static std::vector<T> first(std::vector<T> samples, std::size_t count) {
    samples.resize(std::min(samples.size(), count));
    return samples;
  }
  GoldenImage& add(const std::filesystem::path& file) {
    pictures_.emplace_back(std::filesystem::relative(file, TERN_SOURCE_DIR).string());
    images_.push_back({.image = pictures_.back().view()});
    return images_.back();
  }

  const Demo& demo_;
  std::vector<Picture> pictures_, regions_;
  std::vector<GoldenImage> images_;
};

/// `engine` with classes `a` and `b` of its dense output swapped.
std::shared_ptr<Engine> class_swapped(const std::shared_ptr<Engine>& engine, std::int64_t a, std::int64_t b) {
  return disturbed(engine, [a, b](std::size_t, Tensor& tensor) -> Status {
    swap_channels(tensor, a, b);
    return {};
  });
}

TEST(GoldenLabels, a_right_model_passes_with_its_labels) {
  for (const auto& [name, count] : std::vector<std::pair<std::string, std::size_t>>{
           {"overhead-detect", 3}, {"overhead-detect-e2e", 3}, {"overhead-segment", 2}, {"overhead-obstruction", 8}}) {
    const Demo& model = demo(name);
    const GoldenSet golden = Labelled(model, count).set(*model.engine);
    GoldenReport report;
    const Status status = check_golden(*model.engine, golden, &model.contract, f32(), &report);
    EXPECT_TRUE(status.ok()) << status.to_string();
    EXPECT_FALSE(report.raw_only);
    ASSERT_EQ(report.rows.back().what, "labels") << name;
    EXPECT_EQ(report.rows.back().frame, GoldenReport::kAllFrames);
    EXPECT_GT(report.rows.back().found, 0.75) << name;
  }
}

TEST(GoldenLabels, a_class_swapped_model_fails_though_it_agrees_with_its_reference) {
  struct Case {
    std::string name;
    std::size_t images;
    std::int64_t a, b;  // rows of the output
    std::string message;
  };
  for (const Case& c :
       {Case{"overhead-detect", 8, 4, 5,
             "what is labelled 'car' is taken for 'truck', what is labelled 'truck' is taken for 'car'"},
        Case{"overhead-segment", 2, 1, 3,
             "what is labelled 'road' is taken for 'building', what is labelled 'building' is taken for 'road'"},
        Case{"overhead-obstruction", 8, 0, 1, "what is labelled 'clear' is taken for 'obstructed'"}}) {
    const Demo& model = demo(c.name);
    const auto swapped = class_swapped(model.engine, c.a, c.b);
    const GoldenSet golden = Labelled(model, c.images).set(*swapped);
    GoldenReport report;
    const Status status = check_golden(*swapped, golden, &model.contract, f32(), &report);
    EXPECT_EQ(status.code(), StatusCode::kGoldenCheckError);
    EXPECT_THAT(status.to_string(), HasSubstr(c.message)) << c.name;
    for (const GoldenReport::Row& row : report.rows)
      EXPECT_TRUE(row.ok || row.what == "labels") << row.what << " " << row.measure;
    GoldenSet unlabelled = GoldenSet::from_bytes(golden.to_bytes().value(), "x").value();
    for (GoldenFrame& frame : unlabelled.frames) {
      frame.boxes.reset();
      frame.mask.reset();
      frame.class_id.reset();
    }
    EXPECT_TRUE(check_golden(*swapped, unlabelled, &model.contract, f32()).ok()) << "only the labels can tell";
  }
}

TEST(GoldenLabels, a_model_that_finds_too_little_fails) {
  const Demo& model = detect();
  const auto blind = disturbed(model.engine, [](std::size_t, Tensor& tensor) -> Status {
    const std::span<float> values = tensor.as<float>();
    for (float& score : values.subspan(values.size() / 9 * 4))
      score *= 0.1F;
    return {};
  });
  const GoldenSet golden = Labelled(model, 2).set(*blind);
  EXPECT_THAT(failure(*blind, golden, &model.contract),
              HasSubstr("all frames: labels: boxes found is 0, wanted at least 0.5"));
}

TEST(GoldenLabels, an_image_labelled_as_empty_says_nothing_about_the_model) {
  const Demo& model = detect();
  GoldenSet golden = noise_set(model);
  golden.frames[0].width = golden.frames[0].height = 640;
  golden.frames[0].boxes.emplace();
  GoldenReport report;
  EXPECT_TRUE(check_golden(*model.engine, golden, &model.contract, f32(), &report).ok());
  EXPECT_NE(report.rows.back().what, "labels");
}

}  // namespace
}  // namespace tern
