// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "engine.h"
#include "ports.h"
#include "stream.h"
#include "variants.h"

namespace tern::trt_backend {

/// Contexts of TensorRT that share one activation memory, since one inference runs at a time: one for runs without a graph, and one
/// for each graph, which must not change once it was captured.
///
/// A run is: pageable inputs to pinned memory (CPU), pinned to device, inference, device to pinned, pinned to pageable outputs (CPU). Pinned
/// and device tensors of the caller skip what they can. In infer() the CPU's copies run in the caller's thread; in enqueue() they are host
/// functions in the stream, so that they keep its order. The second run of a variant captures a graph of the copies and
/// the inference between them.
class TensorRtContext final : public ExecutionContext {
 public:
  /// Throws CudaError.
  TensorRtContext(std::shared_ptr<const TensorRtEngine> engine, std::unique_ptr<nvinfer1::IExecutionContext> context);
  ~TensorRtContext() override;  // waits for work that is still in flight

  [[nodiscard]] Status bind_input(std::size_t index, const TensorView& tensor) override;
  [[nodiscard]] Status bind_output(std::size_t index, const TensorView& tensor) override;
  [[nodiscard]] Status enqueue(Stream& stream, Event& event) override;
  [[nodiscard]] Status infer(const WaitOptions& options) override;
  [[nodiscard]] Result<TensorView> output(std::size_t index) const override;
  [[nodiscard]] std::optional<DeviceTimes> device_times() const override;

 private:
  [[nodiscard]] bool is_busy() const noexcept { return in_flight_ && !has_passed(done_); }
  [[nodiscard]] Status check_ready() const;
  [[nodiscard]] Status run(const WaitOptions& options);
  [[nodiscard]] Status start(CudaStream& stream, CudaEvent& event);

  void use_activations(nvinfer1::IExecutionContext& context) const noexcept;

  // The steps of a run. They throw CudaError.
  [[nodiscard]] Result<Variant*> prepare();
  void make_key();
  [[nodiscard]] Status select(Variant& variant);
  [[nodiscard]] Status select_shapes_of_inputs();
  /// Gives `context` the addresses of all inputs and outputs, and makes room for outputs.
  [[nodiscard]] Status set_addresses(nvinfer1::IExecutionContext& context, Variant& variant);
  [[nodiscard]] Status set_output(nvinfer1::IExecutionContext& context, std::size_t index, Variant& variant);
  [[nodiscard]] Status launch(Variant& variant, cudaStream_t stream);
  [[nodiscard]] Status launch_eager(nvinfer1::IExecutionContext& context, Variant& variant, cudaStream_t stream);
  /// Records one of the events around the parts of a run, in a graph too; nothing where times are not asked for.
  enum class Mark : std::uint8_t { kStart, kCopiedIn, kRan, kCopiedOut };
  void mark(Mark mark, cudaStream_t stream) const;
  [[nodiscard]] Status fetch_output(std::size_t index, Variant& variant, cudaStream_t stream);
  void remember_outputs(const Variant& variant);

  // Graphs.
  [[nodiscard]] bool should_record(const Variant& variant) const;
  /// Runs without a graph, captures one, runs it and compares; the outputs are those of the present inputs either way.
  [[nodiscard]] Status record(Variant& variant, cudaStream_t stream);
  /// A context of its own, warmed up, and the graph of its next run.
  [[nodiscard]] Status make_graph(Variant& variant, cudaStream_t stream);
  [[nodiscard]] Status capture(Variant& variant, cudaStream_t stream);
  [[nodiscard]] std::vector<std::vector<std::byte>> outputs_as_bytes() const;
  void give_up_graph(Variant& variant, std::string_view reason);
  void say_without_graph(std::string_view reason) const;

  // The CPU's copies. Called from the stream too, so they touch the ports alone.
  void copy_inputs() noexcept;
  void copy_outputs() noexcept;
  [[nodiscard]] bool has_pageable(const std::vector<Port>& ports) const noexcept;

  std::shared_ptr<const TensorRtEngine> engine_;
  cuda::Stream stream_;  // of infer()
  cuda::Event done_{cudaEventDisableTiming};
  std::optional<std::array<cuda::Event, 4>> marks_;  // by Mark
  Growing<cuda::DeviceBuffer> activations_;
  std::vector<Port> inputs_, outputs_;
  std::vector<OutputMemory> data_dependent_;              // one an output, used where the shape depends on the data
  std::unique_ptr<nvinfer1::IExecutionContext> context_;  // of runs without a graph; behind the memory that it uses
  Variants variants_;
  std::vector<std::uint64_t> key_;
  std::vector<Shape> selected_inputs_, selected_outputs_;  // what context_ is set to; empty: nothing
  int selected_profile_ = 0;
  std::vector<TensorView> results_;
  bool in_flight_ = false, has_results_ = false, has_said_churn_ = false;
};

}  // namespace tern::trt_backend
