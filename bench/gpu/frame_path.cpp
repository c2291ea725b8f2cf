// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// From a frame in memory to results, on one plan, in one process, in turns:
//
//   floor_*    what cannot be left out: the frame to the GPU, the inference on an input that is there, a result's bytes back; one
//              CUDA graph, or for pageable memory (which no graph copies) the copy and then the graph
//   path_*     tern's frame path, replayed as a CUDA graph; *_eager without one
//   stages_*   pixels and results on the CPU, the inference alone on the GPU: TaskOptions::frame_path = false
//
// *_pageable: the frame is in memory of malloc(); *_pinned: in pinned memory; *_device: on the GPU.
//
//   tern_tensorrtN_frame_path MODEL.onnx [--precision auto] [--calibration FILE] [--tf32] [--level N] [--batch 1]
//     [--timing-cache FILE] [--plan FILE] [--sizes 1920x1080 3840x2160] [--picture FILE.ppm] [--rounds 20] [--runs 30]
//
// The model takes the picture alone, no region mask. --picture: what the frames show, else noise, in which nothing is found. A
// batch is the same frame many times.
//
// JSON lines: for each size how far the results of the frame path are from those of the stages; for each way its times in
// milliseconds and the bytes that it declares: over the bus in and out, and of the input tensor that it writes; the GPU's own times of
// the path; then ratios of the rounds' medians (the middle, least and most of all rounds).
#include "tern/frame_path.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "frames.h"
#include "loops.h"
#include "modes.h"
#include "plans.h"
#include "tern/postprocess.h"
#include "tern/preprocess.h"

namespace {

using namespace tern;         // NOLINT(google-build-using-namespace): a program of one file
using namespace tern::bench;  // NOLINT(google-build-using-namespace)

struct Options : PlanOptions {
  std::vector<std::string> sizes{"1920x1080", "3840x2160"};
  std::string picture;
  int rounds = 20, runs = 30;
};

void expect(const Status& status) {
  if (!status.ok()) throw Error(status);
}

/// Of one call, whatever the task.
struct Results {
  std::vector<std::vector<Detection>> detections;
  std::vector<Segmentation> segmentations;
  std::vector<Classification> classifications;

  Results(Task task, std::size_t images) {
    if (task == Task::kDetect) detections.resize(images);
    if (task == Task::kSegment) segmentations.resize(images);
    if (task == Task::kClassify) classifications.resize(images);
  }
  [[nodiscard]] FrameResults places() { return {detections, segmentations, classifications}; }
  /// What came over the bus for them, about.
  [[nodiscard]] std::size_t bytes(const OutputContract& contract) const {
    std::size_t bytes = detections.size() * static_cast<std::size_t>(contract.max_detections) * sizeof(Detection);
    for (const Segmentation& one : segmentations)
      bytes += one.classes.size();
    return bytes + classifications.size() * static_cast<std::size_t>(contract.classes) * sizeof(float);
  }
};

/// How far two results are apart, as JSON.
std::string differences(const Results& a, const Results& b) {
  std::size_t boxes = 0, unlike = 0;
  double largest = 0;
  for (std::size_t i = 0; i < a.detections.size(); ++i) {
    boxes += a.detections[i].size();
    unlike += a.detections[i].size() > b.detections[i].size() ? a.detections[i].size() - b.detections[i].size()
                                                              : b.detections[i].size() - a.detections[i].size();
    for (const Detection& x : a.detections[i]) {
      double nearest = INFINITY;  // scores that differ by rounding change places
      for (const Detection& y : b.detections[i]) {
        const double away =
            std::max({std::abs(x.x1 - y.x1), std::abs(x.y1 - y.y1), std::abs(x.x2 - y.x2), std::abs(x.y2 - y.y2)});
        if (x.class_id == y.class_id) nearest = std::min(nearest, away);
      }
      // Half a pixel of the source: more is another box.
      nearest > 0.5 ? static_cast<void>(++unlike) : static_cast<void>(largest = std::max(largest, nearest));
    }
  }
  std::size_t pixels = 0, labels = 0;
  for (std::size_t i = 0; i < a.segmentations.size(); ++i) {
    must(a.segmentations[i].classes.size() == b.segmentations[i].classes.size(), "masks of equal size");
    pixels += a.segmentations[i].classes.size();
    for (std::size_t p = 0; p < a.segmentations[i].classes.size(); ++p)
      labels += a.segmentations[i].classes[p] != b.segmentations[i].classes[p] ? 1U : 0U;
  }
  for (std::size_t i = 0; i < a.classifications.size(); ++i) {
    for (std::size_t c = 0; c < a.classifications[i].logits.size(); ++c)
      largest = std::max(
          largest, static_cast<double>(std::abs(a.classifications[i].logits[c] - b.classifications[i].logits[c])));
  }
  return fmt::format(
      "\"boxes\": {}, \"other_boxes\": {}, \"mask_pixels\": {}, \"other_labels\": {}, \"largest_difference\": {:.3g}",
      boxes, unlike, pixels, labels, largest);
}

/// Pixels and results on the CPU.
class Stages {
 public:
  Stages(Engine& engine, const Contract& contract, std::size_t images)
      : contract_(contract),
        preprocessor_(Preprocessor::create(contract.input).value()),
        postprocessor_(Postprocessor::create(contract.output).value()),
        context_(engine.create_context().value()),
        geometry_(images) {
    const auto [width, height] = contract.input.default_size();
    const auto count = static_cast<std::int64_t>(images);
    const std::int64_t channels = contract.input.channels();
    input_ = Tensor::create(contract.input.dtype, contract.input.layout == TensorLayout::kNchw
                                                      ? Shape{count, channels, height, width}
                                                      : Shape{count, height, width, channels})
                 .value();
    while (engine.outputs()[output_].name != contract.output.tensor)
      ++output_;
    expect(context_->bind_input(0, input_.view()));
  }
  void run(std::span<const ImageView> images, const FrameResults& results) {
    expect(preprocessor_.run(images, {}, input_.view(), geometry_));
    expect(context_->infer());
    const TensorView output = context_->output(output_).value();
    if (contract_.task == Task::kDetect) expect(postprocessor_.detect(output, geometry_, results.detections));
    if (contract_.task == Task::kSegment) expect(postprocessor_.segment(output, geometry_, results.segmentations));
    if (contract_.task == Task::kClassify) expect(postprocessor_.classify(output, results.classifications));
  }
  [[nodiscard]] std::size_t input_bytes() const noexcept { return input_.bytes(); }
  [[nodiscard]] std::size_t output_bytes() const { return context_->output(output_).value().bytes(); }

 private:
  Contract contract_;
  Preprocessor preprocessor_;
  Postprocessor postprocessor_;
  std::unique_ptr<ExecutionContext> context_;
  Tensor input_;
  std::vector<Geometry> geometry_;
  std::size_t output_ = 0;
};

/// The inference and the copies alone, by TensorRT itself.
class Floor {
 public:
  Floor(const EngineBlob& blob, const std::vector<PortShape>& inputs, const std::vector<PortShape>& outputs)
      : runtime_(trt_backend::Library::get().value()->create_runtime().value()) {
    engine_.reset(runtime_->deserializeCudaEngine(blob.bytes.data(), blob.bytes.size()));
    must(engine_ != nullptr, "deserializeCudaEngine");
    context_.reset(engine_->createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy::kSTATIC));
    must(context_ != nullptr, "createExecutionContext");
    for (const PortShape& input : inputs) {
      must(context_->setInputShape(input.spec.name.c_str(), dims_of(input.spec.shape)), "setInputShape");
      add(input);
    }
    for (const PortShape& output : outputs)
      add(output);
  }
  /// `frame` is `bytes` of host memory, for as long as runs go on; `results` bytes come back.
  void prepare(const void* frame, std::size_t bytes, std::size_t results, bool is_pinned) {
    frame_ = frame;
    device_frame_.emplace(bytes);
    host_results_.emplace(results);
    is_pinned_ = is_pinned;
    must(results <= memory_.back().bytes() || results <= bytes, "results of a size that is there");
    enqueue();
    stream_.synchronize();
    cuda::check(cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    enqueue();
    cudaGraph_t graph = nullptr;
    cuda::check(cudaStreamEndCapture(stream_.get(), &graph), "cudaStreamEndCapture");
    const cuda::Graph owned(graph);
    graph_.emplace(owned);
  }
  void run() const {
    if (!is_pinned_) copy_frame();
    graph_->launch(stream_.get());
    stream_.synchronize();
  }

 private:
  void add(const PortShape& port) {
    memory_.emplace_back(port.bytes + 256);
    cuda::check(cudaMemsetAsync(memory_.back().data(), 0, port.bytes, stream_.get()), "cudaMemsetAsync");
    must(context_->setTensorAddress(port.spec.name.c_str(), memory_.back().data()), "setTensorAddress");
  }
  void copy_frame() const {
    cuda::check(
        cudaMemcpyAsync(device_frame_->data(), frame_, device_frame_->bytes(), cudaMemcpyHostToDevice, stream_.get()),
        "cudaMemcpyAsync");
  }
  void enqueue() const {
    if (is_pinned_) copy_frame();
    must(context_->enqueueV3(stream_.get()), "enqueueV3");
    const void* const from =
        host_results_->bytes() <= memory_.back().bytes() ? memory_.back().data() : device_frame_->data();
    cuda::check(
        cudaMemcpyAsync(host_results_->data(), from, host_results_->bytes(), cudaMemcpyDeviceToHost, stream_.get()),
        "cudaMemcpyAsync");
  }

  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
  cuda::Stream stream_;
  std::vector<cuda::DeviceBuffer> memory_;
  const void* frame_ = nullptr;
  bool is_pinned_ = false;
  std::optional<cuda::DeviceBuffer> device_frame_;
  std::optional<cuda::PinnedBuffer> host_results_;
  std::optional<cuda::GraphExec> graph_;
};

/// A frame path, and the GPU's own times of its runs.
class Path {
 public:
  Path(Engine& engine, const Contract& contract, std::size_t images)
      : path_(engine.create_frame_path(contract, {.max_batch = static_cast<int>(images)}).value()) {
    must(path_ != nullptr, "a frame path for this model");
  }
  void run(std::span<const ImageView> images, const FrameResults& results) {
    expect(path_->run(images, {}, {}));
    expect(path_->read(results));
    const auto ms = [](StageTimes::Duration time) { return std::chrono::duration<double, std::milli>(time).count(); };
    infer_.push_back(ms(path_->times().infer));
    decode_.push_back(ms(path_->times().postprocess));
  }
  void forget_times() {
    infer_.clear();
    decode_.clear();
  }
  [[nodiscard]] std::string times_and_counters() const {
    const FramePathCounters counters = path_->counters();
    return fmt::format(
        "\"infer_on_gpu\": {:.4f}, \"decode_on_gpu\": {:.4f}, \"graphs\": {}, \"graph_runs\": {}, \"eager_runs\": {}, "
        "\"growths\": {}",
        median(infer_), median(decode_), counters.graphs, counters.graph_runs, counters.eager_runs, counters.growths);
  }

 private:
  std::unique_ptr<FramePath> path_;
  std::vector<double> infer_, decode_;
};

/// All ways for one size.
class Comparison {
 public:
  Comparison(const EngineBlob& blob, Engine& engine, Engine& eager, const Contract& contract, const BgrFrame& frame,
             int batch)
      : contract_(contract),
        frame_(frame),
        images_(static_cast<std::size_t>(batch)),
        stages_(engine, contract, images_),
        with_graph_(engine, contract, images_),
        without_graph_(eager, contract, images_),
        results_(contract.task, images_),
        pageable_(frame.pixels.size() * images_),
        pinned_(pageable_.size()),
        device_(pageable_.size()) {
    for (std::size_t i = 0; i < images_; ++i)
      std::memcpy(pageable_.data() + i * frame.pixels.size(), frame.pixels.data(), frame.pixels.size());
    std::memcpy(pinned_.data(), pageable_.data(), pageable_.size());
    cuda::check(cudaMemcpy(device_.data(), pinned_.data(), pinned_.bytes(), cudaMemcpyHostToDevice), "cudaMemcpy");
    cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    std::vector<PortShape> inputs, outputs;
    for (const TensorSpec& spec : engine.inputs())
      inputs.push_back(with_batch(spec, batch));
    for (const TensorSpec& spec : engine.outputs()) {
      if (spec.name != contract.output.tensor) outputs.push_back(with_batch(spec, batch));
    }
    for (const TensorSpec& spec : engine.outputs()) {  // the decoded one last
      if (spec.name == contract.output.tensor) outputs.push_back(with_batch(spec, batch));
    }
    compare();
    floors_.push_back(std::make_unique<Floor>(blob, inputs, outputs));
    floors_.back()->prepare(pageable_.data(), pageable_.size(), results_.bytes(contract.output), false);
    floors_.push_back(std::make_unique<Floor>(blob, inputs, outputs));
    floors_.back()->prepare(pinned_.data(), pinned_.bytes(), results_.bytes(contract.output), true);
    add_modes();
  }

  void measure(int rounds, int runs) {
    run_in_turns(modes_, rounds, runs);
    for (const Mode& mode : modes_) {
      const Bytes bytes = bytes_of(mode.name);
      fmt::print(
          "{{\"frame\": \"{}\", \"batch\": {}, \"mode\": \"{}\", \"p50\": {:.4f}, \"p95\": {:.4f}, \"p99\": {:.4f}, "
          "\"least\": {:.4f}, "
          "\"runs\": {}, \"bytes_in\": {}, \"bytes_out\": {}, \"input_bytes\": {}}}\n",
          name(), images_, mode.name, percentile(mode.times, 0.5), percentile(mode.times, 0.95),
          percentile(mode.times, 0.99), mode.times.front(), mode.times.size(), bytes.in, bytes.out,
          stages_.input_bytes());
    }
    fmt::print("{{\"frame\": \"{}\", \"batch\": {}, \"path\": \"graph\", {}}}\n", name(), images_,
               with_graph_.times_and_counters());
    fmt::print("{{\"frame\": \"{}\", \"batch\": {}, \"path\": \"eager\", {}}}\n", name(), images_,
               without_graph_.times_and_counters());
    ratio("path_pinned", "floor_pinned");
    ratio("path_pageable", "floor_pageable");
    ratio("path_pageable", "floor_pinned");
    ratio("path_pinned_eager", "path_pinned");
    ratio("stages_pageable", "path_pageable");
    ratio("stages_pinned", "path_pinned");
  }

 private:
  struct Bytes {
    std::size_t in, out;
  };
  [[nodiscard]] std::string name() const { return fmt::format("{}x{}", frame_.width, frame_.height); }

  [[nodiscard]] std::vector<ImageView> views(const void* memory, Device device) const {
    std::vector<ImageView> all;
    for (std::size_t i = 0; i < images_; ++i)
      all.push_back(frame_.view(static_cast<const std::uint8_t*>(memory) + i * frame_.pixels.size(), device));
    return all;
  }
  void compare() {
    const auto images = views(pageable_.data(), {});
    Results staged(contract_.task, images_);
    stages_.run(images, staged.places());
    for (Path* const path : {&with_graph_, &without_graph_}) {
      path->run(images, results_.places());
      fmt::print("{{\"frame\": \"{}\", \"batch\": {}, \"check\": \"{}\", {}}}\n", name(), images_,
                 path == &with_graph_ ? "graph" : "eager", differences(staged, results_));
      path->forget_times();
    }
  }
  void add(std::string mode, std::function<void()> run) { modes_.push_back({std::move(mode), std::move(run)}); }
  void add_modes() {
    const struct {
      std::string ending;
      const void* memory;
      Device device;
    } places[]{{"_pageable", pageable_.data(), {}},
               {"_pinned", pinned_.data(), {}},
               {"_device", device_.data(), {DeviceKind::kCuda, 0}}};
    for (std::size_t i = 0; i < floors_.size(); ++i)
      add("floor" + places[i].ending, [floor = floors_[i].get()] { floor->run(); });
    for (const auto& place : places)
      add("path" + place.ending,
          [this, images = views(place.memory, place.device)] { with_graph_.run(images, results_.places()); });
    add("path_pinned_eager",
        [this, images = views(pinned_.data(), {})] { without_graph_.run(images, results_.places()); });
    for (std::size_t i = 0; i < 2; ++i)
      add("stages" + places[i].ending,
          [this, images = views(places[i].memory, {})] { stages_.run(images, results_.places()); });
  }
  [[nodiscard]] Bytes bytes_of(const std::string& mode) const {
    if (mode.starts_with("stages")) return {stages_.input_bytes(), stages_.output_bytes()};
    return {mode.ends_with("_device") ? 0 : pageable_.size(), results_.bytes(contract_.output)};
  }
  void ratio(std::string_view above, std::string_view below) const {
    const auto mode = [&](std::string_view wanted) -> const Mode& {
      return *std::ranges::find(modes_, wanted, [](const Mode& m) { return std::string_view(m.name); });
    };
    std::vector<double> ratios;
    for (std::size_t round = 0; round < mode(above).medians.size(); ++round)
      ratios.push_back(mode(above).medians[round] / mode(below).medians[round]);
    std::ranges::sort(ratios);
    fmt::print(
        "{{\"frame\": \"{}\", \"batch\": {}, \"ratio\": \"{} / {}\", \"median\": {:.3f}, \"least\": {:.3f}, \"most\": "
        "{:.3f}}}\n",
        name(), images_, above, below, percentile(ratios, 0.5), ratios.front(), ratios.back());
  }

  Contract contract_;
  const BgrFrame& frame_;
  std::size_t images_;
  Stages stages_;
  Path with_graph_, without_graph_;
  Results results_;
  std::vector<std::uint8_t> pageable_;
  cuda::PinnedBuffer pinned_;
  cuda::DeviceBuffer device_;
  std::vector<std::unique_ptr<Floor>> floors_;
  std::vector<Mode> modes_;
};

int run(const Options& options) {
  const auto backend = BackendRegistry::load().find("tensorrt").value();
  const EngineBlob blob = plan_of(*backend, options);
  const Contract contract = Contract::resolve(Model::from_file(options.model).value()).value();
  LoadOptions without;
  without.cuda_graph = false;
  const auto engine = backend->load(blob, {}).value(), eager = backend->load(blob, without).value();
  const BgrFrame picture = options.picture.empty() ? BgrFrame{} : read_ppm(options.picture);
  must(options.picture.empty() || picture.width > 0, "reading the picture");
  for (const std::string& size : options.sizes) {
    int width = 0, height = 0;
    must(std::sscanf(size.c_str(), "%dx%d", &width, &height) == 2 && width > 0 && height > 0, "--sizes: WIDTHxHEIGHT");
    const BgrFrame frame = picture.width > 0 ? at_size(picture, width, height) : noise_frame(width, height);
    Comparison(blob, *engine, *eager, contract, frame, options.batch).measure(options.rounds, options.runs);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("tern's frame path beside the inference alone, and beside pixels and results on the CPU");
  add_build_options(app, options);
  app.add_option("--batch", options.batch)->check(CLI::Range(1, 64));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100000));
  app.add_option("--runs", options.runs)->check(CLI::Range(1, 100000));
  app.add_flag("--tf32", options.tf32);
  app.add_option("--plan", options.plan);
  app.add_option("--sizes", options.sizes);
  app.add_option("--picture", options.picture)->check(CLI::ExistingFile);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
