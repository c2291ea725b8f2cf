// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The steps of one run, and the graphs that replace them.
#include <algorithm>
#include <utility>

#include "context.h"
#include "convert.h"
#include "guard.h"

namespace tern::trt_backend {
namespace {

/// Kernels that add in an order of their own differ by some units in the last place between two runs.
constexpr double kGraphTolerance = 1e-3;
/// Rows that an open output dimension gets before the first run: end-to-end detectors give 300.
constexpr std::int64_t kOpenRows = 300;

std::size_t bytes_of(const Shape& shape, DType dtype, std::int64_t open = 0) {
  std::size_t bytes = size_of(dtype);
  for (const std::int64_t d : shape.dims())
    bytes *= static_cast<std::size_t>(d == Shape::kDynamic ? open : d);
  return bytes;
}

void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (bytes > 0) cuda::check(cudaMemcpyAsync(to, from, bytes, kind, stream), "cudaMemcpyAsync");
}

}  // namespace

void TensorRtContext::make_key() {
  const auto add_place = [&](const Port& port) {
    const bool is_callers = port.place() == Place::kPinned || port.place() == Place::kDevice;
    key_.push_back(static_cast<std::uint64_t>(port.place()));
    key_.push_back(is_callers ? reinterpret_cast<std::uintptr_t>(port.bound().data()) : 0);
  };
  const auto add = [&](const Port& port) {
    const auto dims = port.bound().shape().dims();
    key_.push_back(dims.size());
    for (const std::int64_t d : dims)
      key_.push_back(static_cast<std::uint64_t>(d));
    add_place(port);
  };
  key_.clear();
  std::ranges::for_each(inputs_, add);
  // The shapes of outputs too: a graph must not be replayed into memory of another size.
  std::ranges::for_each(outputs_, add);
}

Result<Variant*> TensorRtContext::prepare() {
  bool moved = false;
  for (Port& port : inputs_)
    moved |= port.reserve(port.bound().bytes());
  if (moved) variants_.drop_graphs();
  make_key();
  Variant& variant = variants_.at(key_);
  if (variants_.lost_graphs() >= Variants::kMostLost && !std::exchange(has_said_churn_, true))
    say_without_graph("the addresses or shapes that it is given do not repeat");
  if (!variant.graph) TERN_RETURN_IF_ERROR(select(variant));
  return &variant;
}

Status TensorRtContext::select_shapes_of_inputs() {
  std::vector<Shape> shapes;
  for (const Port& port : inputs_)
    shapes.push_back(port.bound().shape());
  if (shapes == selected_inputs_) return {};
  const auto& profiles = engine_->facts().profiles;
  const auto profile = std::ranges::find_if(profiles, [&](const Profile& p) {
    return std::ranges::equal(p, shapes, [](const Bounds& b, const Shape& s) { return b.contains(s); });
  });
  if (profile == profiles.end()) {
    return Status(StatusCode::kInputError, "no optimisation profile of the engine covers the shapes of all inputs")
        .with_hint("build the engine with a profile that does");
  }
  selected_inputs_.clear();
  selected_profile_ = static_cast<int>(profile - profiles.begin());
  TERN_RETURN_IF_ERROR(select_shapes(*context_, engine_->inputs(), selected_profile_, shapes, stream_.get()));
  selected_outputs_.clear();
  for (const TensorSpec& spec : engine_->outputs()) {
    const auto shape = from_trt(context_->getTensorShape(spec.name.c_str()));
    if (!shape.ok()) return make_error(StatusCode::kInferenceError, "{}", shape.status().message()).at(spec.name);
    selected_outputs_.push_back(*shape);
  }
  selected_inputs_ = std::move(shapes);
  return {};
}

Status TensorRtContext::set_output(nvinfer1::IExecutionContext& context, std::size_t index, Variant& variant) {
  const TensorSpec& spec = engine_->outputs()[index];
  const Shape& shape = variant.output_shapes[index];
  Port& port = outputs_[index];
  if (!shape.is_static()) {
    variant.eager_only = true;
    data_dependent_[index].reserve(bytes_of(shape, spec.dtype, kOpenRows));
    if (!context.setOutputAllocator(spec.name.c_str(), &data_dependent_[index]))
      return Status(StatusCode::kInferenceError, "TensorRT refuses an output allocator").at(spec.name);
    return {};
  }
  if (port.place() != Place::kNone && port.bound().shape() != shape) {
    return make_error(StatusCode::kInferenceError, "the run produces shape {}; the bound tensor has {}",
                      shape.to_string(), port.bound().shape().to_string())
        .at(spec.name);
  }
  if (port.reserve(bytes_of(shape, spec.dtype))) variants_.drop_graphs();
  if (!context.setTensorAddress(spec.name.c_str(), port.device_address()))
    return Status(StatusCode::kInferenceError, "TensorRT refuses the output's memory").at(spec.name);
  return {};
}

Status TensorRtContext::set_addresses(nvinfer1::IExecutionContext& context, Variant& variant) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const char* name = engine_->inputs()[i].name.c_str();
    if (!context.setTensorAddress(name, inputs_[i].device_address()))
      return Status(StatusCode::kInferenceError, "TensorRT refuses the input's memory").at(name);
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    TERN_RETURN_IF_ERROR(set_output(context, i, variant));
  return {};
}

Status TensorRtContext::select(Variant& variant) {
  TERN_RETURN_IF_ERROR(select_shapes_of_inputs());
  variant.output_shapes = selected_outputs_;
  return set_addresses(*context_, variant);
}

Status TensorRtContext::launch(Variant& variant, cudaStream_t stream) {
  if (variant.graph) {
    variant.graph->launch(stream);
    return {};
  }
  TERN_RETURN_IF_ERROR(launch_eager(*context_, variant, stream));
  variant.is_warm = true;
  return {};
}

void TensorRtContext::mark(Mark mark, cudaStream_t stream) const {
  if (!marks_) return;
  cudaStreamCaptureStatus capturing = cudaStreamCaptureStatusNone;
  cuda::check(cudaStreamIsCapturing(stream, &capturing), "cudaStreamIsCapturing");
  // Without the flag a captured record is an edge of the graph, and the replay leaves the event alone.
  const unsigned flags = capturing == cudaStreamCaptureStatusNone ? cudaEventRecordDefault : cudaEventRecordExternal;
  cuda::check(cudaEventRecordWithFlags((*marks_)[static_cast<std::size_t>(mark)].get(), stream, flags),
              "cudaEventRecordWithFlags");
}

Status TensorRtContext::launch_eager(nvinfer1::IExecutionContext& context, Variant& variant, cudaStream_t stream) {
  mark(Mark::kStart, stream);
  for (const Port& port : inputs_) {
    if (port.place() != Place::kDevice)
      copy(port.device_address(), port.host_address(), port.bound().bytes(), cudaMemcpyHostToDevice, stream);
  }
  mark(Mark::kCopiedIn, stream);
  for (OutputMemory& memory : data_dependent_)
    memory.forget_shape();
  if (!context.enqueueV3(stream)) return {StatusCode::kInferenceError, "TensorRT failed while running the model"};
  mark(Mark::kRan, stream);
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    TERN_RETURN_IF_ERROR(fetch_output(i, variant, stream));
  mark(Mark::kCopiedOut, stream);
  return {};
}

Status TensorRtContext::fetch_output(std::size_t index, Variant& variant, cudaStream_t stream) {
  const TensorSpec& spec = engine_->outputs()[index];
  Port& port = outputs_[index];
  const bool is_open = !selected_outputs_[index].is_static();
  const void* source = port.device_address();
  if (is_open) {  // TensorRT knows the shape once enqueueV3() has returned
    const auto shape = from_trt(data_dependent_[index].dims());
    if (!shape.ok() || !shape->is_static())
      return Status(StatusCode::kInferenceError, "TensorRT gave no shape for the output").at(spec.name);
    if (port.place() != Place::kNone && port.bound().shape() != *shape) {
      return make_error(StatusCode::kInferenceError, "the run produced shape {}; the bound tensor has {}",
                        shape->to_string(), port.bound().shape().to_string())
          .at(spec.name);
    }
    variant.output_shapes[index] = *shape;
    port.reserve_host(bytes_of(*shape, spec.dtype));
    source = data_dependent_[index].data();
  }
  const std::size_t bytes = bytes_of(variant.output_shapes[index], spec.dtype);
  if (port.place() != Place::kDevice) {
    copy(port.host_address(), source, bytes, cudaMemcpyDeviceToHost, stream);
  } else if (is_open) {
    copy(port.device_address(), source, bytes, cudaMemcpyDeviceToDevice, stream);
  }
  return {};
}

bool TensorRtContext::should_record(const Variant& variant) const {
  return engine_->options().cuda_graph && variant.is_warm && !variant.graph && !variant.eager_only &&
         variants_.lost_graphs() < Variants::kMostLost;
}

std::vector<std::vector<std::byte>> TensorRtContext::outputs_as_bytes() const {
  std::vector<std::vector<std::byte>> all;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const std::size_t bytes = bytes_of(selected_outputs_[i], engine_->outputs()[i].dtype);
    auto& one = all.emplace_back(bytes);
    copy(one.data(), outputs_[i].device_address(), bytes, cudaMemcpyDeviceToHost, stream_.get());
  }
  stream_.synchronize();
  return all;
}

void TensorRtContext::say_without_graph(std::string_view reason) const {
  engine_->options().logger->log(LogLevel::kWarning, "tensorrt",
                                 fmt::format("{}: runs without a CUDA graph: {}", engine_->id(), reason));
}

void TensorRtContext::give_up_graph(Variant& variant, std::string_view reason) {
  variant.graph.reset();
  variant.context.reset();
  variant.eager_only = true;
  say_without_graph(reason);
}

Status TensorRtContext::capture(Variant& variant, cudaStream_t stream) {
  // Thread-local: what other threads do meanwhile (allocate, say) is no part of it and does not end it.
  cuda::check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  const Status enqueued = guard(StatusCode::kInferenceError, "capture failed",
                                [&] { return launch_eager(*variant.context, variant, stream); });
  cudaGraph_t captured = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(stream, &captured);  // always: it takes the stream out of capture mode
  const cuda::Graph graph(captured);
  TERN_RETURN_IF_ERROR(enqueued);
  cuda::check(ended, "cudaStreamEndCapture");
  variant.graph.emplace(graph);
  std::size_t nodes = 0;
  cuda::check(cudaGraphGetNodes(graph.get(), nullptr, &nodes), "cudaGraphGetNodes");
  engine_->options().logger->log(LogLevel::kDebug, "tensorrt",
                                 fmt::format("{}: captured a CUDA graph of {} nodes", engine_->id(), nodes));
  return {};
}

Status TensorRtContext::make_graph(Variant& variant, cudaStream_t stream) {
  variant.context = engine_->make_trt_context();
  if (variant.context == nullptr) return {StatusCode::kInferenceError, "TensorRT makes no further context"};
  use_activations(*variant.context);
  TERN_RETURN_IF_ERROR(select_shapes(*variant.context, engine_->inputs(), selected_profile_, selected_inputs_, stream));
  TERN_RETURN_IF_ERROR(set_addresses(*variant.context, variant));
  // The first run after a change of shapes does work on the CPU that a graph would not repeat.
  TERN_RETURN_IF_ERROR(launch_eager(*variant.context, variant, stream));
  cuda::check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  return capture(variant, stream);
}

Status TensorRtContext::record(Variant& variant, cudaStream_t stream) {
  const auto synchronize = [&] { cuda::check(cudaStreamSynchronize(stream), "cudaStreamSynchronize"); };
  TERN_RETURN_IF_ERROR(launch_eager(*context_, variant, stream));
  synchronize();
  const auto eager = outputs_as_bytes();
  std::string trouble;
  const Status made =
      guard(StatusCode::kInferenceError, "no graph was captured", [&] { return make_graph(variant, stream); });
  if (made.ok()) {
    variant.graph->launch(stream);
    synchronize();
    const auto replayed = outputs_as_bytes();
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const TensorSpec& spec = engine_->outputs()[i];
      if (!runs_agree(eager[i], replayed[i], spec.dtype, kGraphTolerance))
        trouble = fmt::format("its output '{}' differs from a run without one", spec.name);
    }
    if (trouble.empty()) return {};
  } else {
    cudaGetLastError();  // of the capture
    trouble = made.message() + (made.cause().empty() ? "" : ": ") + made.cause();
    static_cast<void>(cudaStreamSynchronize(stream));  // nothing may run any more in what is now freed
  }
  give_up_graph(variant, trouble);
  TERN_RETURN_IF_ERROR(launch_eager(*context_, variant, stream));
  synchronize();
  return {};
}

}  // namespace tern::trt_backend
