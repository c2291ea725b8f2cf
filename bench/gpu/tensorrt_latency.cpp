// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What tern adds to TensorRT: a bare enqueue loop (what trtexec measures) and tern's context on the same plan, in one process, in
// turns. Every mode copies its input to the GPU and its outputs back, but for `tern_device`, which does neither.
//
//   tern_tensorrt_latency MODEL.onnx [--precision auto] [--level N] [--batch 1] [--rounds 20] [--runs 50] [--timing-cache FILE]
//
// One JSON line for the build, then one for each mode, times in milliseconds.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cuda/handles.h"
#include "library.h"
#include "tern/engine.h"

namespace {

using namespace tern;  // NOLINT(google-build-using-namespace): a program of one file
using Clock = std::chrono::steady_clock;

struct Options {
  std::string model, precision = "auto", timing_cache;
  int level = -1, batch = 1, rounds = 20, runs = 50;
};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Shapes of a run, all dimensions known.
struct PortShape {
  TensorSpec spec;
  std::size_t bytes = 0;
};

PortShape with_batch(TensorSpec spec, int batch) {
  for (std::size_t i = 0; i < spec.shape.rank(); ++i) {
    if (spec.shape[i] == Shape::kDynamic) spec.shape[i] = batch;
  }
  const std::size_t bytes = static_cast<std::size_t>(spec.shape.elements().value()) * size_of(spec.dtype);
  return {std::move(spec), bytes};
}

nvinfer1::Dims dims_of(const Shape& shape) {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<std::int32_t>(shape.rank());
  std::ranges::copy(shape.dims(), dims.d);
  return dims;
}

void must(bool ok, const char* what) {
  if (ok) return;
  fmt::print(stderr, "{} failed\n", what);
  std::exit(1);
}

/// TensorRT as its samples use it.
class BareLoop {
 public:
  BareLoop(const EngineBlob& blob, const std::vector<PortShape>& inputs, const std::vector<PortShape>& outputs)
      : library_(trt_backend::Library::get().value()), runtime_(library_->create_runtime().value()) {
    engine_.reset(runtime_->deserializeCudaEngine(blob.bytes.data(), blob.bytes.size()));
    must(engine_ != nullptr, "deserializeCudaEngine");
    context_.reset(engine_->createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy::kSTATIC));
    must(context_ != nullptr, "createExecutionContext");
    for (const PortShape& input : inputs) {
      must(context_->setInputShape(input.spec.name.c_str(), dims_of(input.spec.shape)), "setInputShape");
      add(input, inputs_);
    }
    for (const PortShape& output : outputs)
      add(output, outputs_);
    enqueue();
    stream_.synchronize();
  }

  void capture() {
    cuda::check(cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    enqueue();
    cudaGraph_t graph = nullptr;
    cuda::check(cudaStreamEndCapture(stream_.get(), &graph), "cudaStreamEndCapture");
    graph_.emplace(cuda::Graph(graph));
  }
  void run_eager() const {
    enqueue();
    stream_.synchronize();
  }
  void run_graph() const {
    graph_->launch(stream_.get());
    stream_.synchronize();
  }
  [[nodiscard]] void* input(std::size_t index) const { return inputs_[index].host.data(); }
  [[nodiscard]] const void* output(std::size_t index) const { return outputs_[index].host.data(); }

 private:
  struct Buffers {
    cuda::DeviceBuffer device;
    cuda::PinnedBuffer host;
  };
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
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
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

struct Mode {
  std::string name;
  std::function<void()> run;
  std::vector<double> times{};
};

double percentile(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

/// The largest difference of output 0, in f32, or bytes that differ.
double difference(const void* a, const TensorView& b) {
  double largest = 0;
  if (b.dtype() == DType::kF32) {
    for (std::size_t i = 0; i < b.elements(); ++i)
      largest = std::max(largest, std::fabs(static_cast<double>(static_cast<const float*>(a)[i]) - b.as<float>()[i]));
  }
  return largest;
}

EngineBlob build(Backend& backend, const Options& options) {
  const auto model = Model::from_file(options.model).value();
  BuildConfig config;
  config.precision = parse_precision(options.precision).value();
  config.optimization_level = options.level;
  config.max_batch = options.batch;
  config.timing_cache = options.timing_cache;
  const auto start = Clock::now();
  EngineBlob blob = backend.compile(model, config, {}, {}).value();
  std::string layers;
  for (const auto& [precision, count] : blob.layers)
    layers += fmt::format("{}\"{}\": {}", layers.empty() ? "" : ", ", precision, count);
  const HostFacts facts = backend.host_facts();
  std::string device;
  for (const auto& [name, value] : facts.info)
    device += fmt::format("\"{}\": \"{}\", ", name, value);
  fmt::print(
      "{{\"build\": \"{}\", \"tensorrt\": \"{}\", {}\"precision\": \"{}\", \"level\": {}, \"batch\": {}, "
      "\"seconds\": {:.1f}, \"megabytes\": {:.2f}, \"layers\": {{{}}}}}\n",
      model.stem(), facts.version, device, to_string(blob.precision), options.level, options.batch,
      milliseconds_since(start) / 1e3, static_cast<double>(blob.bytes.size()) / 1e6, layers);
  return blob;
}

void measure(const Options& options, std::vector<Mode>& modes) {
  for (int round = 0; round <= options.rounds; ++round) {
    for (Mode& mode : modes) {
      for (int run = 0; run < options.runs; ++run) {
        const auto start = Clock::now();
        mode.run();
        if (round > 0) mode.times.push_back(milliseconds_since(start));  // the first round warms up
      }
    }
  }
  for (Mode& mode : modes) {
    std::ranges::sort(mode.times);
    fmt::print(
        "{{\"mode\": \"{}\", \"p50\": {:.4f}, \"p95\": {:.4f}, \"p99\": {:.4f}, \"least\": {:.4f}, \"runs\": {}}}\n",
        mode.name, percentile(mode.times, 0.5), percentile(mode.times, 0.95), percentile(mode.times, 0.99),
        mode.times.front(), mode.times.size());
  }
}

int run(const Options& options) {
  const auto backend = BackendRegistry::load().find("tensorrt").value();
  const EngineBlob blob = build(*backend, options);
  LoadOptions without;
  without.cuda_graph = false;
  const auto engine = backend->load(blob, {}).value(), eager = backend->load(blob, without).value();
  std::vector<PortShape> inputs, outputs;
  for (const TensorSpec& spec : engine->inputs())
    inputs.push_back(with_batch(spec, options.batch));
  for (const TensorSpec& spec : engine->outputs())
    outputs.push_back(with_batch(spec, options.batch));

  BareLoop bare(blob, inputs, outputs);
  const TernLoop pinned(*engine, inputs, outputs, TernLoop::Memory::kPinned);
  const TernLoop pinned_eager(*eager, inputs, outputs, TernLoop::Memory::kPinned);
  const TernLoop pageable(*engine, inputs, outputs, TernLoop::Memory::kPageable);
  const TernLoop device(*engine, inputs, outputs, TernLoop::Memory::kDevice);
  std::minstd_rand random(1);
  if (inputs[0].spec.dtype == DType::kF32) {
    for (std::size_t i = 0; i < inputs[0].bytes / sizeof(float); ++i) {
      const float value = static_cast<float>(random() % 1024U) / 1024.0F;
      for (void* memory : {bare.input(0), pinned.memory(0), pinned_eager.memory(0), pageable.memory(0)})
        static_cast<float*>(memory)[i] = value;
    }
  }
  bare.capture();
  bare.run_graph();
  pinned.run();
  fmt::print("{{\"largest_difference\": {:.3g}}}\n", difference(bare.output(0), pinned.output(0)));

  std::vector<Mode> modes;
  modes.push_back({"bare_eager", [&] { bare.run_eager(); }});
  modes.push_back({"tern_eager", [&] { pinned_eager.run(); }});
  modes.push_back({"bare_graph", [&] { bare.run_graph(); }});
  modes.push_back({"tern_graph", [&] { pinned.run(); }});
  modes.push_back({"tern_graph_pageable", [&] { pageable.run(); }});
  modes.push_back({"tern_graph_device", [&] { device.run(); }});
  measure(options, modes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("tern against a bare TensorRT loop");
  app.add_option("model", options.model)->required()->check(CLI::ExistingFile);
  app.add_option("--precision", options.precision);
  app.add_option("--level", options.level)->check(CLI::Range(-1, 5));
  app.add_option("--batch", options.batch)->check(CLI::Range(1, 4096));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100000));
  app.add_option("--runs", options.runs)->check(CLI::Range(1, 100000));
  app.add_option("--timing-cache", options.timing_cache);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
