// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cuda/handles.h"
#include "library.h"
#include "tern/engine.h"

namespace tern::bench {

/// Shapes of a run, all dimensions known.
struct PortShape {
  TensorSpec spec;
  std::size_t bytes = 0;
};

inline PortShape with_batch(TensorSpec spec, int batch) {
  for (std::size_t i = 0; i < spec.shape.rank(); ++i) {
    if (spec.shape[i] == Shape::kDynamic) spec.shape[i] = batch;
  }
  const std::size_t bytes = static_cast<std::size_t>(spec.shape.elements().value()) * size_of(spec.dtype);
  return {std::move(spec), bytes};
}

inline nvinfer1::Dims dims_of(const Shape& shape) {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<std::int32_t>(shape.rank());
  std::ranges::copy(shape.dims(), dims.d);
  return dims;
}

inline void must(bool ok, const char* what) {
  if (ok) return;
  fmt::print(stderr, "{} failed\n", what);
  std::exit(1);
}

/// What a BareLoop does as tern does it, to find what a difference comes from.
struct BareSetup {
  bool own_memory = false;       ///< activations in memory of its own, not in TensorRT's
  bool second_context = false;   ///< a context that is not the engine's first, in the same memory as that one
  bool waits_for_event = false;  ///< an event behind the run, not the stream
};

/// TensorRT as its samples use it: copies in, enqueueV3, copies out, a wait.
class BareLoop {
 public:
  BareLoop(const EngineBlob& blob, const std::vector<PortShape>& inputs, const std::vector<PortShape>& outputs,
           const BareSetup& setup = {})
      : library_(trt_backend::Library::get().value()), setup_(setup), runtime_(library_->create_runtime().value()) {
    engine_.reset(runtime_->deserializeCudaEngine(blob.bytes.data(), blob.bytes.size()));
    must(engine_ != nullptr, "deserializeCudaEngine");
    if (setup_.own_memory || setup_.second_context)
      activations_.emplace(static_cast<std::size_t>(std::max<std::int64_t>(256, engine_->getDeviceMemorySizeV2())));
    if (setup_.second_context) first_ = make_context();
    context_ = make_context();
    for (const PortShape& input : inputs) {
      must(context_->setInputShape(input.spec.name.c_str(), dims_of(input.spec.shape)), "setInputShape");
      add(input, inputs_);
    }
    for (const PortShape& output : outputs)
      add(output, outputs_);
    enqueue();
    stream_.synchronize();
  }

  /// The number of nodes.
  std::size_t capture() {
    cuda::check(cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    enqueue();
    cudaGraph_t graph = nullptr;
    cuda::check(cudaStreamEndCapture(stream_.get(), &graph), "cudaStreamEndCapture");
    const cuda::Graph owned(graph);
    graph_.emplace(owned);
    std::size_t nodes = 0;
    cuda::check(cudaGraphGetNodes(owned.get(), nullptr, &nodes), "cudaGraphGetNodes");
    return nodes;
  }
  void run_eager() const {
    enqueue();
    wait();
  }
  void run_graph() const {
    graph_->launch(stream_.get());
    wait();
  }
  [[nodiscard]] void* input(std::size_t index) const { return inputs_[index].host.data(); }
  [[nodiscard]] const void* output(std::size_t index) const { return outputs_[index].host.data(); }

 private:
  struct Buffers {
    cuda::DeviceBuffer device;
    cuda::PinnedBuffer host;
  };
  std::unique_ptr<nvinfer1::IExecutionContext> make_context() const {
    using Strategy = nvinfer1::ExecutionContextAllocationStrategy;
    std::unique_ptr<nvinfer1::IExecutionContext> context(
        engine_->createExecutionContext(activations_ ? Strategy::kUSER_MANAGED : Strategy::kSTATIC));
    must(context != nullptr, "createExecutionContext");
    if (activations_)
      context->setDeviceMemoryV2(activations_->data(), static_cast<std::int64_t>(activations_->bytes()));
    return context;
  }
  void wait() const {
    if (!setup_.waits_for_event) return stream_.synchronize();
    done_.record(stream_);
    cuda::check(cudaEventSynchronize(done_.get()), "cudaEventSynchronize");
  }
  void add(const PortShape& port, std::vector<Buffers>& list) {
    list.push_back({cuda::DeviceBuffer(port.bytes), cuda::PinnedBuffer(port.bytes)});
    must(context_->setTensorAddress(port.spec.name.c_str(), list.back().device.data()), "setTensorAddress");
  }
  void enqueue() const {
    for (const Buffers& b : inputs_)
      cuda::check(
          cudaMemcpyAsync(b.device.data(), b.host.data(), b.host.bytes(), cudaMemcpyHostToDevice, stream_.get()),
          "cudaMemcpyAsync");
    must(context_->enqueueV3(stream_.get()), "enqueueV3");
    for (const Buffers& b : outputs_)
      cuda::check(
          cudaMemcpyAsync(b.host.data(), b.device.data(), b.host.bytes(), cudaMemcpyDeviceToHost, stream_.get()),
          "cudaMemcpyAsync");
  }

  const trt_backend::Library* library_;
  BareSetup setup_;
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::optional<cuda::DeviceBuffer> activations_;
  std::unique_ptr<nvinfer1::IExecutionContext> first_, context_;
  cuda::Event done_{cudaEventDisableTiming};
  std::vector<Buffers> inputs_, outputs_;
  cuda::Stream stream_;
  std::optional<cuda::GraphExec> graph_;
};

/// A context of tern with memory of one kind bound to its input 0.
class TernLoop {
 public:
  enum class Memory { kPageable, kPinned, kDevice };

  TernLoop(Engine& engine, const std::vector<PortShape>& inputs, const std::vector<PortShape>& outputs, Memory memory)
      : context_(engine.create_context().value()) {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      must(context_->bind_input(i, view(inputs[i], memory)).ok(), "bind_input");
    // Outputs that are not bound end in pinned memory, as the bare loop's do.
    for (std::size_t i = 0; i < outputs.size() && memory != Memory::kPinned; ++i)
      must(context_->bind_output(i, view(outputs[i], memory)).ok(), "bind_output");
  }
  void run() const {
    const Status status = context_->infer();
    if (!status.ok()) fmt::print(stderr, "{}\n", status.to_string());
    must(status.ok(), "infer");
  }
  [[nodiscard]] void* memory(std::size_t index) const { return views_[index].data(); }
  [[nodiscard]] TensorView output(std::size_t index) const { return context_->output(index).value(); }

 private:
  TensorView view(const PortShape& port, Memory memory) {
    void* data = nullptr;
    Device device;
    if (memory == Memory::kPageable) {
      data = pageable_.emplace_back(Tensor::create(port.spec.dtype, port.spec.shape).value()).view().data();
    } else if (memory == Memory::kPinned) {
      data = pinned_.emplace_back(port.bytes).data();
    } else {
      data = device_.emplace_back(port.bytes).data();
      device.kind = DeviceKind::kCuda;
    }
    return views_.emplace_back(data, port.spec.dtype, port.spec.shape, device);
  }

  std::vector<Tensor> pageable_;
  std::vector<cuda::PinnedBuffer> pinned_;
  std::vector<cuda::DeviceBuffer> device_;
  std::vector<TensorView> views_;
  std::unique_ptr<ExecutionContext> context_;
};

}  // namespace tern::bench
