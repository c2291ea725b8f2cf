// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "frame_path.h"

#include <algorithm>
#include <utility>

#include "convert.h"
#include "guard.h"
#include "logger.h"
#include "ports.h"
#include "preprocess/cuda/preprocess_kernel.h"
#include "stream.h"
#include "variants.h"

namespace tern::trt_backend {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kFailed = "the GPU failed while running a frame";

Status limit_status(const WaitOptions& options) {
  if (options.stop.stop_requested()) return {StatusCode::kCancelled, "stopped before the inference"};
  if (options.deadline && *options.deadline <= steady_clock::now())
    return {StatusCode::kTimeout, "the deadline passed before the inference"};
  return {};
}

std::string at_image(std::size_t index) {
  return fmt::format("image {}", index);
}

/// `status` with what TensorRT logged, behind what CUDA said.
Status with_log(const Status& status, const CapturedLog& log) {
  if (status.code() != StatusCode::kInferenceError || log.text().empty()) return status;
  return status.with_cause(status.cause().empty() ? log.text() : status.cause() + "\n" + log.text());
}

cuda::ImageParams* params_of(const Growing<cuda::PinnedBuffer>& memory) noexcept {
  return static_cast<cuda::ImageParams*>(memory.data());
}

}  // namespace

TensorRtFramePath::TensorRtFramePath(std::shared_ptr<const TensorRtEngine> engine, const Contract& contract)
    : engine_(std::move(engine)), contract_(contract) {}

TensorRtFramePath::~TensorRtFramePath() {
  static_cast<void>(guard(StatusCode::kInternalError, "cannot free the frame path", [&] {
    const cuda::DeviceGuard current(engine_->device());
    lanes_.clear();  // no work is in flight: run() waits for it
  }));
}

Result<std::unique_ptr<FramePath>> TensorRtFramePath::create(std::shared_ptr<const TensorRtEngine> engine,
                                                             const Contract& contract,
                                                             const FramePathOptions& options) {
  if (options.max_batch < 1)
    return make_error(StatusCode::kConfigError, "max_batch is {}; it must be at least 1", options.max_batch);
  std::unique_ptr<TensorRtFramePath> path;
  std::string_view obstacle;
  const CapturedLog log(engine->options().logger, CapturedLog::Scope::kThisThread);
  const Status made = guard(StatusCode::kInferenceError, "cannot make a frame path", [&]() -> Status {
    const cuda::DeviceGuard current(engine->device());
    path.reset(new TensorRtFramePath(engine, contract));
    TERN_ASSIGN_OR_RETURN(obstacle, path->prepare(options.max_batch));
    return {};
  });
  if (!made.ok()) return with_log(made, log);
  if (obstacle.empty()) return std::unique_ptr<FramePath>(std::move(path));
  path->say(LogLevel::kInfo, fmt::format("no frame path on the GPU: {}", obstacle));
  return std::unique_ptr<FramePath>();
}

void TensorRtFramePath::say(LogLevel level, std::string_view text) const {
  engine_->options().logger->log(level, "tensorrt", fmt::format("{}: {}", engine_->id(), text));
}

Shape TensorRtFramePath::input_shape(std::size_t images) const {
  const auto [width, height] = contract_.input.default_size();
  const std::int64_t batch = is_batch_fixed_ ? engine_->inputs().front().shape[0] : static_cast<std::int64_t>(images);
  const std::int64_t channels = contract_.input.channels();
  return contract_.input.layout == TensorLayout::kNchw ? Shape{batch, channels, height, width}
                                                       : Shape{batch, height, width, channels};
}

std::optional<int> TensorRtFramePath::profile_of(const Shape& shape) const {
  const auto& profiles = engine_->facts().profiles;
  const auto found = std::ranges::find_if(profiles, [&](const Profile& p) { return p.front().contains(shape); });
  if (found == profiles.end()) return std::nullopt;
  return static_cast<int>(found - profiles.begin());
}

Result<std::string_view> TensorRtFramePath::prepare(int max_batch) {
  const auto& inputs = engine_->inputs();
  const auto& outputs = engine_->outputs();
  if (inputs.size() != 1) return std::string_view("the model has more than one input");
  const auto output = std::ranges::find(outputs, contract_.output.tensor, &TensorSpec::name);
  if (inputs.front().name != contract_.input.tensor || output == outputs.end())
    return std::string_view("the model's tensors are not the contract's");
  output_ = static_cast<std::size_t>(output - outputs.begin());
  if (inputs.front().dtype != contract_.input.dtype) return std::string_view("the input's type is not the contract's");
  is_batch_fixed_ = inputs.front().shape[0] != Shape::kDynamic;
  max_images_ =
      is_batch_fixed_ ? static_cast<std::size_t>(inputs.front().shape[0]) : static_cast<std::size_t>(max_batch);
  const Shape shape = input_shape(max_images_);
  if (!profile_of(shape)) return std::string_view("no optimisation profile covers the contract's size and batch");

  activations_.reserve(engine_->facts().activation_bytes);
  TERN_ASSIGN_OR_RETURN(const std::int64_t elements, shape.elements());
  const std::size_t input_bytes = static_cast<std::size_t>(elements) * size_of(contract_.input.dtype);
  input_.reserve(input_bytes);
  // Rows that no image fills hold no garbage. In the path's stream, which does not wait for the default one.
  cuda::check(cudaMemsetAsync(input_.data(), 0, input_bytes, stream_.get()), "cudaMemsetAsync of the input");
  params_.reserve(max_images_ * sizeof(cuda::ImageParams));
  device_params_.reserve(max_images_ * sizeof(cuda::ImageParams));
  const auto [width, height] = contract_.input.default_size();
  TERN_RETURN_IF_ERROR(cuda::make_output_params(contract_.input, width, height, input_.data(), input_params_));

  const auto context = engine_->make_trt_context();
  if (context == nullptr) return Status(StatusCode::kInferenceError, "TensorRT cannot create an execution context");
  TERN_RETURN_IF_ERROR(select_shapes(*context, inputs, *profile_of(shape), {shape}, stream_.get()));
  for (const TensorSpec& spec : outputs) {
    TERN_ASSIGN_OR_RETURN(Shape found, from_trt(context->getTensorShape(spec.name.c_str())));
    if (!found.is_static()) return std::string_view("the shape of an output depends on the data");
    TERN_ASSIGN_OR_RETURN(const std::int64_t count, found.elements());
    outputs_.push_back({found, cuda::DeviceBuffer(static_cast<std::size_t>(count) * size_of(spec.dtype) + 256)});
  }
  const Shape& decoded = outputs_[output_].shape;
  if (decoded.rank() == 0 || decoded[0] != static_cast<std::int64_t>(max_images_))
    return std::string_view("the output has no row for each image");
  TERN_ASSIGN_OR_RETURN(decoder_, FrameDecoder::make(contract_.output, decoded, output->dtype));
  return std::string_view();
}

Result<std::unique_ptr<nvinfer1::IExecutionContext>> TensorRtFramePath::make_context(std::size_t images) {
  auto context = engine_->make_trt_context();
  if (context == nullptr) return Status(StatusCode::kInferenceError, "TensorRT cannot create an execution context");
  context->setDeviceMemoryV2(activations_.data(), static_cast<std::int64_t>(activations_.bytes()));
  const Shape shape = input_shape(images);
  const std::optional<int> profile = profile_of(shape);
  if (!profile) {
    return make_error(StatusCode::kInputError, "{} images are not what this engine was built for", images)
        .with_hint("build it with a shape profile or max_batch that covers them");
  }
  TERN_RETURN_IF_ERROR(select_shapes(*context, engine_->inputs(), *profile, {shape}, stream_.get()));
  bool ok = context->setTensorAddress(engine_->inputs().front().name.c_str(), input_.data());
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    ok = ok && context->setTensorAddress(engine_->outputs()[i].name.c_str(), outputs_[i].memory.data());
  if (!ok) return Status(StatusCode::kInferenceError, "TensorRT refuses the memory of an input or output");
  return context;
}

Status TensorRtFramePath::check_images(std::span<const ImageView> images, std::span<const ImageView> regions) const {
  if (images.empty()) return {StatusCode::kInputError, "no images were given"};
  if (images.size() > max_images_) {
    return make_error(StatusCode::kInputError, "{} images were given; {} run together at most", images.size(),
                      max_images_);
  }
  if (!regions.empty() && regions.size() != images.size())
    return make_error(StatusCode::kInputError, "{} region masks for {} images", regions.size(), images.size());
  return {};
}

Status TensorRtFramePath::describe(std::span<const ImageView> images, std::span<const ImageView> regions) {
  pixels_.clear();
  for (std::size_t i = 0; i < images.size(); ++i) {
    // An image and its mask may lie in different memories; both will be on the device.
    ImageView image = images[i], region = regions.empty() ? ImageView{} : regions[i];
    image.device = region.device = Device{DeviceKind::kCuda, engine_->device()};
    Geometry geometry;
    const Status described = cuda::make_image_params(contract_.input, image, regions.empty() ? nullptr : &region, {},
                                                     input_params_, params_of(params_)[i], geometry);
    if (!described.ok()) return described.at(at_image(i));
    if (const Status there = FramePixels::check_place(images[i], engine_->device()); !there.ok())
      return there.at(at_image(i));
    pixels_.add(images[i]);
    if (!regions.empty()) {
      if (const Status there = FramePixels::check_place(regions[i], engine_->device()); !there.ok())
        return there.at(fmt::format("region {}", i));
      pixels_.add(regions[i]);
    }
    decoder_->set_image(i, geometry);
  }
  return {};
}

void TensorRtFramePath::point_to_device(std::size_t images, bool with_regions) {
  const std::size_t step = with_regions ? 2 : 1;
  for (std::size_t i = 0; i < images; ++i) {
    cuda::ImageParams& params = params_of(params_)[i];
    const auto planes = pixels_.planes(i * step);
    for (std::size_t p = 0; p < planes.size(); ++p)
      params.planes[p] = {planes[p].data, planes[p].stride};
    if (!with_regions) continue;
    const ImageView::Plane& mask = pixels_.planes(i * step + 1).front();
    params.mask = {mask.data, mask.stride};
  }
}

Status TensorRtFramePath::run(std::span<const ImageView> images, std::span<const ImageView> regions,
                              const WaitOptions& wait) {
  const auto start = steady_clock::now();
  last_images_ = 0;
  TERN_RETURN_IF_ERROR(check_images(images, regions));
  TERN_RETURN_IF_ERROR(limit_status(wait));
  const CapturedLog log(engine_->options().logger, CapturedLog::Scope::kThisThread);
  const Status status = guard(StatusCode::kInferenceError, kFailed, [&] {
    const cuda::DeviceGuard current(engine_->device());
    Status ran = guard(StatusCode::kInferenceError, kFailed, [&]() -> Status {
      TERN_RETURN_IF_ERROR(describe(images, regions));
      pixels_.upload(stream_.get());
      point_to_device(images.size(), !regions.empty());
      TERN_RETURN_IF_ERROR(run_on_device(images.size(), wait));
      read_times(start);
      return {};
    });
    if (!ran.ok()) drain();  // what was enqueued before a failure uses the caller's memory still
    return ran;
  });
  if (!status.ok()) return with_log(status, log);
  last_images_ = images.size();
  return {};
}

void TensorRtFramePath::drain() const noexcept {
  if (cudaStreamSynchronize(stream_.get()) != cudaSuccess) cudaGetLastError();
}

void TensorRtFramePath::read_times(steady_clock::time_point start) {
  const auto between = [](const cuda::Event& from, const cuda::Event& to) {
    return std::chrono::duration_cast<StageTimes::Duration>(
        std::chrono::duration<double, std::milli>(from.milliseconds_until(to)));
  };
  times_ = {};
  const Status read = guard(StatusCode::kInferenceError, "the GPU does not tell the times of a frame", [&] {
    times_.infer = between(before_inference_, after_inference_);
    times_.postprocess = between(after_inference_, done_);
  });
  if (!read.ok()) say(LogLevel::kDebug, read.to_string());  // the frame is good all the same
  const auto rest = steady_clock::now() - start - times_.infer - times_.postprocess;
  times_.preprocess = std::max(std::chrono::duration_cast<StageTimes::Duration>(rest), StageTimes::Duration{});
}

Status TensorRtFramePath::run_on_device(std::size_t images, const WaitOptions& wait) {
  TERN_ASSIGN_OR_RETURN(Lane* const lane, lane_of(images));
  TERN_RETURN_IF_ERROR(launch(*lane));
  decoder_->enqueue_rest(images, stream_.get());
  done_.record(stream_.get());
  return wait_for(done_, wait);
}

Result<TensorRtFramePath::Lane*> TensorRtFramePath::lane_of(std::size_t images) {
  auto found = std::ranges::find(lanes_, images, &Lane::images);
  if (found == lanes_.end()) {
    if (lanes_.size() == kMostLanes) {
      lanes_.erase(std::ranges::min_element(lanes_, {}, &Lane::last_use));
    }
    Lane lane;
    lane.images = images;
    TERN_ASSIGN_OR_RETURN(lane.context, make_context(images));
    Status warm = guard(StatusCode::kInferenceError, kFailed, [&] { return warm_up(lane); });
    if (!warm.ok()) {
      drain();  // nothing may run any more in the context, which is now freed
      return warm;
    }
    lanes_.push_back(std::move(lane));
    found = lanes_.end() - 1;
  }
  found->last_use = ++uses_;
  return &*found;
}

Status TensorRtFramePath::warm_up(Lane& lane) {
  // The first run after a change of shapes does work on the CPU that a graph would not repeat.
  TERN_RETURN_IF_ERROR(enqueue(lane, false));
  stream_.synchronize();
  if (!engine_->options().cuda_graph) return {};
  std::string trouble;
  const Status captured = guard(StatusCode::kInferenceError, "no graph was captured", [&]() -> Status {
    TERN_RETURN_IF_ERROR(capture(lane));
    TERN_ASSIGN_OR_RETURN(trouble, compare_with_replay(lane));
    return {};
  });
  if (captured.ok() && trouble.empty()) {
    ++counters_.graphs;
    return {};
  }
  if (!captured.ok()) {
    cudaGetLastError();  // of the capture
    trouble = captured.message() + (captured.cause().empty() ? "" : ": ") + captured.cause();
    stream_.synchronize();  // nothing may run any more in the context, which is now freed
  }
  lane.graph.reset();
  say(LogLevel::kWarning, fmt::format("frames run without a CUDA graph: {}", trouble));
  TERN_ASSIGN_OR_RETURN(lane.context, make_context(lane.images));  // a capture may have left its mark on the other one
  return {};
}

Status TensorRtFramePath::capture(Lane& lane) {
  // Thread-local: what other threads do meanwhile (allocate, say) is no part of it and does not end it.
  cuda::check(cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  const Status enqueued = guard(StatusCode::kInferenceError, "capture failed", [&] { return enqueue(lane, true); });
  cudaGraph_t captured = nullptr;
  // Always: it takes the stream out of capture mode.
  const cudaError_t ended = cudaStreamEndCapture(stream_.get(), &captured);
  const cuda::Graph graph(captured);
  TERN_RETURN_IF_ERROR(enqueued);
  cuda::check(ended, "cudaStreamEndCapture");
  lane.graph.emplace(graph);
  return {};
}

Result<std::string> TensorRtFramePath::compare_with_replay(Lane& lane) {
  // Kernels that add in an order of their own differ by some units in the last place between two runs.
  constexpr double kTolerance = 1e-3;
  const auto eager = output_bytes(lane.images);
  const auto raw = decoder_->raw_results();
  const std::vector<std::byte> eager_results(raw.begin(), raw.end());
  lane.graph->launch(stream_.get());
  stream_.synchronize();
  const auto replayed = output_bytes(lane.images);
  const TensorSpec& spec = engine_->outputs()[output_];
  if (!runs_agree(eager, replayed, spec.dtype, kTolerance))
    return fmt::format("the output '{}' of a replay differs from that of a run without one", spec.name);
  if (eager == replayed && !std::ranges::equal(eager_results, decoder_->raw_results()))
    return std::string("the results of a replay differ from those of a run without one");
  return std::string();
}

std::vector<std::byte> TensorRtFramePath::output_bytes(std::size_t images) const {
  const Output& output = outputs_[output_];
  const std::size_t all =
      static_cast<std::size_t>(output.shape.elements().value()) * size_of(engine_->outputs()[output_].dtype);
  std::vector<std::byte> bytes(all / max_images_ * images);
  if (!bytes.empty()) {
    cuda::check(
        cudaMemcpyAsync(bytes.data(), output.memory.data(), bytes.size(), cudaMemcpyDeviceToHost, stream_.get()),
        "cudaMemcpyAsync of the output");
    stream_.synchronize();
  }
  return bytes;
}

Status TensorRtFramePath::launch(Lane& lane) {
  if (!lane.graph) return enqueue(lane, false);
  lane.graph->launch(stream_.get());
  ++counters_.graph_runs;
  return {};
}

Status TensorRtFramePath::enqueue(Lane& lane, bool is_captured) {
  // In a graph an event is a node that is recorded at each replay.
  const auto mark = [&](const cuda::Event& event) {
    cuda::check(cudaEventRecordWithFlags(event.get(), stream_.get(),
                                         is_captured ? cudaEventRecordExternal : cudaEventRecordDefault),
                "cudaEventRecordWithFlags");
  };
  cuda::check(cudaMemcpyAsync(device_params_.data(), params_.data(), lane.images * sizeof(cuda::ImageParams),
                              cudaMemcpyHostToDevice, stream_.get()),
              "cudaMemcpyAsync of parameters");
  cuda::check(cuda::enqueue_preprocess(static_cast<const cuda::ImageParams*>(device_params_.data()),
                                       static_cast<int>(lane.images), input_params_, stream_.get()),
              "preprocessing");
  mark(before_inference_);
  if (!lane.context->enqueueV3(stream_.get()))
    return {StatusCode::kInferenceError, "TensorRT failed while running the model"};
  mark(after_inference_);
  decoder_->enqueue(outputs_[output_].memory.data(), lane.images, stream_.get());
  if (!is_captured) ++counters_.eager_runs;
  return {};
}

Status TensorRtFramePath::read(const FrameResults& results) {
  if (last_images_ == 0) return {StatusCode::kInputError, "no run has succeeded on this frame path yet"};
  return guard(StatusCode::kInferenceError, "the results of a frame cannot be read",
               [&] { return decoder_->read(results, last_images_); });
}

FramePathCounters TensorRtFramePath::counters() const noexcept {
  FramePathCounters counters = counters_;
  counters.growths = pixels_.growths() + decoder_->growths();
  counters.staged_frames = pixels_.staged();
  return counters;
}

}  // namespace tern::trt_backend
