// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// A whole frame on the GPU against the same engine with pixels and results on the CPU.
#include "tern/frame_path.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cuda/handles.h"
#include "gpu_fixture.h"
#include "tern/postprocess.h"
#include "tern/preprocess.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using test::noise;
using ::testing::HasSubstr;

/// An image that keeps its pixels.
struct Frame {
  std::vector<std::uint8_t> pixels;
  int width = 0, height = 0;
  PixelFormat format = PixelFormat::kBgr;

  [[nodiscard]] ImageView view() const {
    ImageView view = ImageView::packed(pixels.data(), width, height, format);
    const std::size_t luma = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    const std::ptrdiff_t chroma = (width + 1) / 2;
    if (format == PixelFormat::kNv12) view.planes[1] = {pixels.data() + luma, 2 * chroma};
    if (format == PixelFormat::kI420) {
      const auto plane = static_cast<std::size_t>(chroma) * static_cast<std::size_t>((height + 1) / 2);
      view.planes[1] = {pixels.data() + luma, chroma};
      view.planes[2] = {pixels.data() + luma + plane, chroma};
    }
    return view;
  }
};

Frame random_frame(int width, int height, PixelFormat format, unsigned seed) {
  Frame frame{{}, width, height, format};
  std::size_t bytes = 0;
  const ImageView shape = ImageView::packed(nullptr, width, height, format);
  for (int p = 0; p < plane_count(format); ++p)
    bytes += static_cast<std::size_t>(shape.plane_row_bytes(p)) * static_cast<std::size_t>(shape.plane_rows(p));
  std::minstd_rand random(seed);
  frame.pixels.resize(bytes);
  for (std::uint8_t& v : frame.pixels)
    v = static_cast<std::uint8_t>(20 + random() % 200);
  return frame;
}

/// A binary PPM of 8 bits.
Frame read_ppm(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string magic;
  int most = 0;
  Frame frame;
  frame.format = PixelFormat::kRgb;
  in >> magic >> frame.width >> frame.height >> most;
  in.get();
  frame.pixels.resize(static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height) * 3);
  in.read(reinterpret_cast<char*>(frame.pixels.data()), static_cast<std::streamsize>(frame.pixels.size()));
  EXPECT_TRUE(in && magic == "P6" && most == 255) << file;
  return frame;
}

/// The part of a packed image, which keeps its stride.
ImageView part_of(const ImageView& image, int x, int y, int width, int height) {
  ImageView part = image;
  const int bytes = image.format == PixelFormat::kGray ? 1 : image.format == PixelFormat::kBgra ? 4 : 3;
  part.planes[0].data += y * image.planes[0].stride + std::ptrdiff_t{x} * bytes;
  part.width = width;
  part.height = height;
  return part;
}

struct Results {
  std::vector<std::vector<Detection>> detections;
  std::vector<Segmentation> segmentations;
  std::vector<Classification> classifications;

  [[nodiscard]] FrameResults places(Task task, std::size_t images) {
    switch (task) {
      case Task::kDetect:
        detections.resize(images);
        return {.detections = detections};
      case Task::kSegment:
        segmentations.resize(images);
        return {.segmentations = segmentations};
      case Task::kClassify:
        classifications.resize(images);
        return {.classifications = classifications};
    }
    return {};
  }
};

/// Boxes that score less than this above the threshold may be missing on one side: rounding decides.
constexpr float kNearThreshold = 2e-3F;

bool is_in(const Detection& x, const std::vector<Detection>& boxes) {
  // Scores that differ by rounding may change places.
  return std::ranges::any_of(boxes, [&](const Detection& y) {
    return x.class_id == y.class_id && std::abs(x.score - y.score) < 1e-3F && std::abs(x.x1 - y.x1) < 0.05F &&
           std::abs(x.y1 - y.y1) < 0.05F && std::abs(x.x2 - y.x2) < 0.05F && std::abs(x.y2 - y.y2) < 0.05F;
  });
}

std::string differs(const std::vector<Detection>& a, const std::vector<Detection>& b, float threshold) {
  for (const auto& [boxes, others] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    for (const Detection& x : *boxes) {
      if (x.score < threshold + kNearThreshold || is_in(x, *others)) continue;
      return fmt::format("{} boxes and {}: no box like ({}, {}, {}, {}) {} of class {}", a.size(), b.size(), x.x1, x.y1,
                         x.x2, x.y2, x.score, x.class_id);
    }
  }
  return {};
}

std::string differs(const Segmentation& a, const Segmentation& b, float /*threshold*/) {
  if (a.width != b.width || a.height != b.height || a.classes.size() != b.classes.size()) return "another size";
  std::size_t others = 0;
  for (std::size_t i = 0; i < a.classes.size(); ++i)
    others += a.classes[i] != b.classes[i] ? 1U : 0U;
  // Pixels between two classes, whose logits are equal but for rounding.
  return others > a.classes.size() / 1000 ? fmt::format("{} of {} pixels", others, a.classes.size()) : std::string();
}

std::string differs(const Classification& a, const Classification& b, float /*threshold*/) {
  if (a.class_id != b.class_id || a.logits.size() != b.logits.size()) return "another class";
  for (std::size_t i = 0; i < a.logits.size(); ++i) {
    if (std::abs(a.logits[i] - b.logits[i]) > 1e-3F * (1 + std::abs(a.logits[i])))
      return fmt::format("{} and {}", a.logits[i], b.logits[i]);
  }
  return {};
}

template <typename T>
std::string differs(const std::vector<T>& a, const std::vector<T>& b, float threshold) {
  if (a.size() != b.size()) return "another number of images";
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const std::string found = differs(a[i], b[i], threshold); !found.empty())
      return fmt::format("image {}: {}", i, found);
  }
  return {};
}

/// `threshold` of a detector whose scores may lie near it.
std::string differs(const Results& a, const Results& b, float threshold = -1) {
  return differs(a.detections, b.detections, threshold) + differs(a.segmentations, b.segmentations, threshold) +
         differs(a.classifications, b.classifications, threshold);
}

/// Pixels and results on the CPU, inference by the engine.
class Stages {
 public:
  Stages(std::shared_ptr<Engine> engine, const Contract& contract)
      : engine_(std::move(engine)),
        contract_(contract),
        preprocessor_(Preprocessor::create(contract.input).value()),
        postprocessor_(Postprocessor::create(contract.output).value()),
        context_(engine_->create_context().value()) {}

  Status run(std::span<const ImageView> images, std::span<const ImageView> regions, Results& results) {
    const auto [width, height] = contract_.input.default_size();
    const auto count = static_cast<std::int64_t>(images.size());
    Tensor input = Tensor::create(contract_.input.dtype, {count, contract_.input.channels(), height, width}).value();
    std::vector<Geometry> geometry(images.size());
    TERN_RETURN_IF_ERROR(preprocessor_.run(images, regions, input.view(), geometry));
    TERN_RETURN_IF_ERROR(context_->bind_input(0, input.view()));
    TERN_RETURN_IF_ERROR(context_->infer());
    TERN_ASSIGN_OR_RETURN(const TensorView output, context_->output(output_index()));
    const FrameResults places = results.places(contract_.task, images.size());
    if (contract_.task == Task::kDetect) return postprocessor_.detect(output, geometry, places.detections);
    if (contract_.task == Task::kSegment) return postprocessor_.segment(output, geometry, places.segmentations);
    return postprocessor_.classify(output, places.classifications);
  }

 private:
  [[nodiscard]] std::size_t output_index() const {
    const auto found = std::ranges::find(engine_->outputs(), contract_.output.tensor, &TensorSpec::name);
    return static_cast<std::size_t>(found - engine_->outputs().begin());
  }
  std::shared_ptr<Engine> engine_;
  Contract contract_;
  Preprocessor preprocessor_;
  Postprocessor postprocessor_;
  std::unique_ptr<ExecutionContext> context_;
};

Status run(FramePath& path, Task task, std::span<const ImageView> images, std::span<const ImageView> regions,
           Results& results) {
  TERN_RETURN_IF_ERROR(path.run(images, regions, {}));
  return path.read(results.places(task, images.size()));
}

class TensorRtFrames : public test::TensorRtGpu {
 protected:
  /// A model, its contract, and its engine and frame path for `batch` images. The log says why there is no graph.
  struct Loaded {
    std::shared_ptr<test::LineLogger> log;
    Model model;
    Contract contract;
    std::shared_ptr<Engine> engine;
    std::unique_ptr<FramePath> path;
  };
  Loaded open(const Model& model, const Contract& contract, int batch, bool cuda_graph = true) {
    BuildConfig config;
    config.max_batch = batch;
    const auto [width, height] = contract.input.default_size();
    const std::int64_t channels = contract.input.channels();
    config.profiles = {{contract.input.tensor,
                        {1, channels, height, width},
                        {1, channels, height, width},
                        {batch, channels, height, width}}};
    if (model.inputs().front().shape.is_static()) config.profiles.clear();
    auto log = std::make_shared<test::LineLogger>(LogLevel::kInfo);
    auto engine = load(blob_of(model, config), cuda_graph, log);
    auto path = engine->create_frame_path(contract, {.max_batch = batch}).value();
    if (path == nullptr) throw std::runtime_error("no frame path:\n" + log->lines());
    return {std::move(log), model, contract, std::move(engine), std::move(path)};
  }
  Loaded open_demo(const std::string& name, int batch, bool cuda_graph = true) {
    const Model model = test::demo(name);
    return open(model, Contract::resolve(model).value(), batch, cuda_graph);
  }

  /// Pictures of the demo data as TERN_TEST_FRAMES holds them (tools/gpu/run-tests puts them there).
  static std::vector<Frame> pictures() {
    const char* folder = std::getenv("TERN_TEST_FRAMES");
    std::vector<Frame> frames;
    if (folder == nullptr) return frames;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder))
      files.push_back(entry.path());
    std::ranges::sort(files);
    for (const fs::path& file : files)
      frames.push_back(read_ppm(file));
    return frames;
  }
};

/// (N, 6, anchors) from the pixels themselves: cx, cy, w, h, two scores. A pixel without red is NaN.
Model pixel_boxes() {
  test::OnnxBuilder b;
  b.input("x", {"batch", 3, 16, 16});
  auto& shape = *b.graph().add_initializer();
  shape.set_name("rows");
  shape.set_data_type(onnx::TensorProto::INT64);
  shape.add_dims(3);
  for (const std::int64_t dim : {0, 6, 256})
    shape.add_int64_data(dim);
  b.node("Sqrt", {"x"}, {"root"}).node("Concat", {"root", "root"}, {"twice"}).node("Reshape", {"twice", "rows"}, {"y"});
  auto& axis = *b.graph().mutable_node(1)->add_attribute();
  axis.set_name("axis");
  axis.set_type(onnx::AttributeProto::INT);
  axis.set_i(1);
  b.output("y", {"batch", 6, 256});
  return Model::from_bytes(b.bytes(), "pixel-boxes").value();
}

Contract pixel_contract() {
  Contract contract;
  contract.input.tensor = "x";
  contract.input.width = contract.input.height = 16;
  contract.input.resize = ResizeRule::kStretch;
  contract.input.interpolation = Interpolation::kNearest;
  contract.input.mean = {0.02, 0, 0, 0};
  contract.input.std = {1.0 / 150, 1, 1, 1};
  contract.output.tensor = "y";
  contract.output.classes = 2;
  contract.output.score_threshold = 0.4F;
  return contract;
}

TEST_F(TensorRtFrames, pictures_give_what_the_stages_on_the_cpu_give) {
  const std::vector<Frame> frames = pictures();
  if (frames.empty()) GTEST_SKIP() << "TERN_TEST_FRAMES names no folder of pictures";
  for (const char* name : {"overhead-detect", "overhead-detect-e2e", "overhead-segment"}) {
    Loaded loaded = open_demo(name, 1);
    Stages stages(loaded.engine, loaded.contract);
    std::size_t boxes = 0;
    for (const Frame& frame : frames) {
      const ImageView whole = frame.view();
      for (const ImageView& image :
           {whole, part_of(whole, 3, 5, whole.width / 2, whole.height / 3), part_of(whole, 64, 64, 100, 200)}) {
        Results on_gpu, on_cpu;
        ASSERT_TRUE(stages.run({&image, 1}, {}, on_cpu).ok());
        const Status status = run(*loaded.path, loaded.contract.task, {&image, 1}, {}, on_gpu);
        ASSERT_TRUE(status.ok()) << status.to_string();
        EXPECT_EQ(differs(on_cpu, on_gpu, loaded.contract.output.score_threshold), "")
            << name << ", " << image.width << "x" << image.height;
        if (!on_cpu.detections.empty()) boxes += on_cpu.detections[0].size();
      }
    }
    if (loaded.contract.task == Task::kDetect) {
      EXPECT_GT(boxes, 10U) << name;
    }
    EXPECT_EQ(loaded.path->counters().graphs, 1U) << "sizes must not capture anew\n" << loaded.log->lines();
  }
}

TEST_F(TensorRtFrames, regions_are_the_fourth_channel) {
  Loaded loaded = open_demo("overhead-obstruction", 1);  // its batch is fixed
  Stages stages(loaded.engine, loaded.contract);
  for (const int side : {40, 300, 97}) {
    const Frame frame = random_frame(side, side + 11, PixelFormat::kBgr, 1);
    Frame region = random_frame(side, side + 11, PixelFormat::kGray, 2);
    for (std::uint8_t& v : region.pixels)
      v = v > 120 ? 255 : 0;
    const std::vector<ImageView> images{frame.view()}, regions{region.view()};
    Results on_gpu, on_cpu;
    ASSERT_TRUE(stages.run(images, regions, on_cpu).ok());
    const Status status = run(*loaded.path, Task::kClassify, images, regions, on_gpu);
    ASSERT_TRUE(status.ok()) << status.to_string();
    EXPECT_EQ(differs(on_cpu, on_gpu), "") << side;
  }
  const Frame frame = random_frame(50, 50, PixelFormat::kBgr, 1);
  const ImageView image = frame.view();
  EXPECT_EQ(loaded.path->run({&image, 1}, {}, {}).code(), StatusCode::kInputError);
}

TEST_F(TensorRtFrames, sizes_formats_and_crops_change_without_a_new_graph) {
  Loaded loaded = open(pixel_boxes(), pixel_contract(), 1);
  Stages stages(loaded.engine, loaded.contract);
  std::size_t boxes = 0;
  unsigned seed = 0;
  for (int round = 0; round < 3; ++round) {
    for (const PixelFormat format : {PixelFormat::kBgr, PixelFormat::kRgb, PixelFormat::kBgra, PixelFormat::kGray,
                                     PixelFormat::kNv12, PixelFormat::kI420}) {
      for (const auto& [width, height] : {std::pair(16, 16), {1, 1}, {333, 77}, {1921, 1081}, {17, 1000}}) {
        const Frame frame = random_frame(width, height, format, ++seed);
        const ImageView image = frame.view();
        Results on_gpu, on_cpu;
        // YUV may well be without red.
        const Status expected = stages.run({&image, 1}, {}, on_cpu);
        const Status status = run(*loaded.path, Task::kDetect, {&image, 1}, {}, on_gpu);
        ASSERT_EQ(status.code(), expected.code()) << status.to_string() << "\n" << expected.to_string();
        if (!expected.ok()) continue;
        EXPECT_EQ(differs(on_cpu, on_gpu), "") << to_string(format) << " " << width << "x" << height;
        boxes += on_cpu.detections[0].size();
      }
    }
    if (round == 0) continue;
    EXPECT_EQ(loaded.path->counters().graphs, 1U) << loaded.log->lines();
    EXPECT_EQ(loaded.path->counters().eager_runs, 1U);
  }
  EXPECT_GT(boxes, 100U);
  EXPECT_LE(loaded.path->counters().growths, 8U) << "memory grows for larger frames alone";
}

TEST_F(TensorRtFrames, batches_of_several_sizes_are_those_frames_one_by_one) {
  Loaded loaded = open(pixel_boxes(), pixel_contract(), 4);
  std::vector<Frame> frames;
  for (int i = 0; i < 4; ++i)
    frames.push_back(random_frame(30 + 77 * i, 40 + 13 * i, i % 2 == 0 ? PixelFormat::kBgr : PixelFormat::kBgra,
                                  static_cast<unsigned>(i)));
  std::vector<ImageView> images;
  for (const Frame& frame : frames)
    images.push_back(frame.view());
  Results single;
  for (std::size_t i = 0; i < images.size(); ++i) {
    Results one;
    ASSERT_TRUE(run(*loaded.path, Task::kDetect, std::span(images).subspan(i, 1), {}, one).ok());
    single.detections.push_back(one.detections[0]);
  }
  for (const std::size_t count : {4U, 1U, 3U, 2U, 4U, 3U}) {
    Results all;
    ASSERT_TRUE(run(*loaded.path, Task::kDetect, std::span(images).first(count), {}, all).ok());
    Results expected;
    expected.detections.assign(single.detections.begin(),
                               single.detections.begin() + static_cast<std::ptrdiff_t>(count));
    EXPECT_EQ(differs(expected, all), "") << count;
  }
  EXPECT_EQ(loaded.path->counters().graphs, 4U) << loaded.log->lines();
  EXPECT_EQ(loaded.path->run(std::vector<ImageView>(5, images[0]), {}, {}).code(), StatusCode::kInputError);
}

TEST_F(TensorRtFrames, graphs_and_runs_without_them_agree) {
  Loaded with = open(pixel_boxes(), pixel_contract(), 1), without = open(pixel_boxes(), pixel_contract(), 1, false);
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Frame frame = random_frame(50, 60, PixelFormat::kBgr, seed);
    const ImageView image = frame.view();
    Results a, b;
    ASSERT_TRUE(run(*with.path, Task::kDetect, {&image, 1}, {}, a).ok());
    ASSERT_TRUE(run(*without.path, Task::kDetect, {&image, 1}, {}, b).ok());
    EXPECT_EQ(differs(a, b), "");
  }
  EXPECT_EQ(with.path->counters().graph_runs, 10U) << with.log->lines();
  EXPECT_EQ(without.path->counters().graphs, 0U);
  EXPECT_EQ(without.path->counters().graph_runs, 0U);
}

TEST_F(TensorRtFrames, pixels_are_taken_where_they_are) {
  Loaded loaded = open(pixel_boxes(), pixel_contract(), 1);
  const Frame frame = random_frame(200, 100, PixelFormat::kNv12, 5);
  const cuda::DeviceBuffer device(frame.pixels.size());
  const cuda::PinnedBuffer pinned(frame.pixels.size());
  cuda::check(cudaMemcpy(device.data(), frame.pixels.data(), frame.pixels.size(), cudaMemcpyDefault), "cudaMemcpy");
  cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  std::memcpy(pinned.data(), frame.pixels.data(), frame.pixels.size());
  const auto moved = [&](const void* base, Device where) {
    ImageView view = frame.view();
    for (auto& plane : view.planes) {
      if (plane.data != nullptr)
        plane.data = static_cast<const std::uint8_t*>(base) + (plane.data - frame.pixels.data());
    }
    view.device = where;
    return view;
  };
  const ImageView in_host = frame.view(), in_pinned = moved(pinned.data(), {}),
                  on_device = moved(device.data(), {DeviceKind::kCuda, 0});
  Results host, other;
  const Status status = run(*loaded.path, Task::kDetect, {&in_host, 1}, {}, host);
  EXPECT_EQ(loaded.path->counters().staged_frames, 1U);
  for (const ImageView* image : {&in_pinned, &on_device}) {
    EXPECT_EQ(run(*loaded.path, Task::kDetect, {image, 1}, {}, other).to_string(), status.to_string());
    if (status.ok()) {
      EXPECT_EQ(differs(host, other), "");
    }
  }
  EXPECT_EQ(loaded.path->counters().staged_frames, 1U);
}

TEST_F(TensorRtFrames, bad_frames_are_refused_and_good_ones_go_on) {
  Loaded loaded = open(pixel_boxes(), pixel_contract(), 2);
  const Frame frame = random_frame(64, 64, PixelFormat::kBgr, 1);
  const ImageView good = frame.view();
  Results before, after;
  ASSERT_TRUE(run(*loaded.path, Task::kDetect, {&good, 1}, {}, before).ok());
  const auto refused = [&](ImageView bad, const char* why) {
    const std::vector<ImageView> images{good, bad};
    const Status status = loaded.path->run(images, {}, {});
    EXPECT_EQ(status.code(), StatusCode::kInputError) << status.to_string();
    EXPECT_THAT(status.to_string(), HasSubstr("image 1"));
    EXPECT_THAT(status.to_string(), HasSubstr(why));
    EXPECT_EQ(loaded.path->read(after.places(Task::kDetect, 2)).code(), StatusCode::kInputError);
  };
  ImageView bad = good;
  bad.planes[0].data = nullptr;
  refused(bad, "no pixels");
  bad = good;
  bad.width = 0;
  refused(bad, "empty");
  bad = good;
  bad.planes[0].stride = 10;
  refused(bad, "stride");
  bad = good;
  bad.device = {DeviceKind::kCuda, 0};
  refused(bad, "its memory is not");
  bad.device = {DeviceKind::kCuda, 7};
  refused(bad, "runs on cuda:0");
  EXPECT_EQ(loaded.path->run({&good, 1}, {&good, 1}, {}).code(), StatusCode::kInputError);
  EXPECT_EQ(loaded.path->run({}, {}, {}).code(), StatusCode::kInputError);
  ASSERT_TRUE(run(*loaded.path, Task::kDetect, {&good, 1}, {}, after).ok());
  EXPECT_EQ(differs(before, after), "");
}

TEST_F(TensorRtFrames, nan_is_an_error_of_its_frame_alone) {
  Loaded loaded = open(pixel_boxes(), pixel_contract(), 2);
  Stages stages(loaded.engine, loaded.contract);
  const Frame good = random_frame(16, 16, PixelFormat::kRgb, 1);
  Frame bad = good;
  bad.pixels[std::size_t{3} * 37] = 0;  // no red
  const ImageView good_view = good.view(), bad_view = bad.view();
  Results before, after, on_cpu;
  ASSERT_TRUE(run(*loaded.path, Task::kDetect, {&good_view, 1}, {}, before).ok());
  const std::vector<ImageView> images{good_view, bad_view};
  const Status expected = stages.run(images, {}, on_cpu);
  const Status status = run(*loaded.path, Task::kDetect, images, {}, after);
  EXPECT_EQ(status.code(), StatusCode::kInferenceError) << status.to_string();
  EXPECT_EQ(status.to_string(), expected.to_string());
  ASSERT_TRUE(run(*loaded.path, Task::kDetect, {&good_view, 1}, {}, after).ok());
  EXPECT_EQ(differs(before, after), "");
}

TEST_F(TensorRtFrames, limits_are_kept) {
  Loaded loaded = open(pixel_boxes(), pixel_contract(), 2);
  const Frame frame = random_frame(64, 64, PixelFormat::kBgr, 1);
  const ImageView image = frame.view();
  WaitOptions late;
  late.deadline = std::chrono::steady_clock::now() - std::chrono::milliseconds(1);
  EXPECT_EQ(loaded.path->run({&image, 1}, {}, late).code(), StatusCode::kTimeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(loaded.path->run({&image, 1}, {}, {.stop = stop.get_token()}).code(), StatusCode::kCancelled);
  Results results;
  EXPECT_TRUE(run(*loaded.path, Task::kDetect, {&image, 1}, {}, results).ok());
  const StageTimes times = loaded.path->times();
  EXPECT_TRUE(times.preprocess.count() > 0 && times.infer.count() > 0 && times.postprocess.count() > 0);

  // A wait with limits polls; what that leaves behind is no failure of the next capture, of another number of images.
  const WaitOptions patient{.deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1)};
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(loaded.path->run({&image, 1}, {}, patient).ok());
  const std::vector<ImageView> images{image, image};
  const Status next = run(*loaded.path, Task::kDetect, images, {}, results);
  EXPECT_TRUE(next.ok()) << next.to_string();
  EXPECT_EQ(loaded.path->counters().graphs, 2U) << loaded.log->lines();
}

TEST_F(TensorRtFrames, paths_of_one_engine_run_beside_each_other) {
  constexpr int kThreads = 4, kFrames = 50;
  Loaded loaded = open(pixel_boxes(), pixel_contract(), 1);
  std::vector<std::string> troubles(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      // Made while others run: a capture must not mind.
      auto path = loaded.engine->create_frame_path(loaded.contract, {.max_batch = 1}).value();
      Stages stages(loaded.engine, loaded.contract);
      for (int i = 0; i < kFrames && troubles[static_cast<std::size_t>(t)].empty(); ++i) {
        const Frame frame = random_frame(20 + 7 * t, 30 + i, PixelFormat::kBgr, static_cast<unsigned>(t * 1000 + i));
        const ImageView image = frame.view();
        Results on_gpu, on_cpu;
        const Status a = stages.run({&image, 1}, {}, on_cpu), b = run(*path, Task::kDetect, {&image, 1}, {}, on_gpu);
        troubles[static_cast<std::size_t>(t)] =
            a.ok() && b.ok() ? differs(on_cpu, on_gpu) : a.to_string() + b.to_string();
      }
      if (path->counters().graphs != 1) troubles[static_cast<std::size_t>(t)] += " no graph\n" + loaded.log->lines();
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  for (const std::string& trouble : troubles)
    EXPECT_EQ(trouble, "");
}

TEST_F(TensorRtFrames, memory_stays_as_it_is_Alone) {
  Loaded loaded = open(pixel_boxes(), pixel_contract(), 2);
  const Frame large = random_frame(640, 480, PixelFormat::kBgr, 1), small = random_frame(64, 48, PixelFormat::kBgr, 2);
  const auto frames = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const std::vector<ImageView> images{i % 3 == 0 ? large.view() : small.view(), small.view()};
      Results results;
      ASSERT_TRUE(run(*loaded.path, Task::kDetect, std::span(images).first(i % 2 == 0 ? 2 : 1), {}, results).ok());
    }
  };
  frames(20);
  std::size_t before = 0, after = 0, total = 0;
  cuda::check(cudaMemGetInfo(&before, &total), "cudaMemGetInfo");
  const std::uint64_t growths = loaded.path->counters().growths;
  frames(300);
  cuda::check(cudaMemGetInfo(&after, &total), "cudaMemGetInfo");
  EXPECT_EQ(before, after);
  EXPECT_EQ(loaded.path->counters().growths, growths);
}

}  // namespace
}  // namespace tern
