// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine.h"
#include "frame_decoder.h"
#include "frame_pixels.h"
#include "preprocess/cuda/image_params.h"
#include "tern/frame_path.h"

namespace tern::trt_backend {

/// A frame's way over the GPU:
///
///   pixels to the device | parameters to the device, preprocessing, inference, decoding, results back | masks back
///    copies in the stream |                 one graph for each number of images                         | copies
///
/// What depends on the frame's size stays outside of the graph, in the same stream: the copies of pixels and masks, which begin
/// while the CPU still launches the graph, so that they cost no time of their own. All else that depends on a frame (addresses,
/// strides, formats, geometry, thresholds) is read from parameters in device memory, so the graph serves every frame.
///
/// run() waits for the end, so one set of buffers is enough; threads that want frames to overlap have a path each.
class TensorRtFramePath final : public FramePath {
 public:
  /// Null, with the reason in the log, for an engine that cannot be driven so.
  [[nodiscard]] static Result<std::unique_ptr<FramePath>> create(std::shared_ptr<const TensorRtEngine> engine,
                                                                 const Contract& contract,
                                                                 const FramePathOptions& options);
  ~TensorRtFramePath() override;

  [[nodiscard]] Status run(std::span<const ImageView> images, std::span<const ImageView> regions,
                           const WaitOptions& wait) override;
  [[nodiscard]] Status read(const FrameResults& results) override;
  [[nodiscard]] StageTimes times() const noexcept override { return times_; }
  [[nodiscard]] FramePathCounters counters() const noexcept override;

 private:
  /// What runs a number of images: a context of TensorRT, which a graph was captured from.
  struct Lane {
    std::size_t images = 0;
    std::unique_ptr<nvinfer1::IExecutionContext> context;
    std::optional<cuda::GraphExec> graph;
    std::uint64_t last_use = 0;
  };
  /// An output of the engine in memory of the path.
  struct Output {
    Shape shape;  ///< for as many images as there may be
    cuda::DeviceBuffer memory;
  };
  static constexpr std::size_t kMostLanes = 8;

  /// Throws CudaError.
  TensorRtFramePath(std::shared_ptr<const TensorRtEngine> engine, const Contract& contract);
  /// Why the engine has no frame path; empty when it has. Throws CudaError.
  [[nodiscard]] Result<std::string_view> prepare(int max_batch);
  [[nodiscard]] Shape input_shape(std::size_t images) const;
  /// A context whose shapes and addresses are those of a run of `images`.
  [[nodiscard]] Result<std::unique_ptr<nvinfer1::IExecutionContext>> make_context(std::size_t images);
  [[nodiscard]] std::optional<int> profile_of(const Shape& shape) const;

  [[nodiscard]] Status check_images(std::span<const ImageView> images, std::span<const ImageView> regions) const;
  /// Parameters of all images, and the plan of their way to the device.
  [[nodiscard]] Status describe(std::span<const ImageView> images, std::span<const ImageView> regions);
  /// Waits for all that was enqueued, whatever came of it.
  void drain() const noexcept;
  /// Of a run that began at `start` and has passed. What the GPU does not tell counts as preprocessing.
  void read_times(std::chrono::steady_clock::time_point start);
  [[nodiscard]] Status run_on_device(std::size_t images, const WaitOptions& wait);
  /// Puts the addresses on the device into the parameters.
  void point_to_device(std::size_t images, bool with_regions);

  [[nodiscard]] Result<Lane*> lane_of(std::size_t images);
  /// Warms a new lane up on the present frame, and captures its graph.
  [[nodiscard]] Status warm_up(Lane& lane);
  [[nodiscard]] Status capture(Lane& lane);
  /// Empty, or how a replay differed from a run without a graph.
  [[nodiscard]] Result<std::string> compare_with_replay(Lane& lane);
  [[nodiscard]] Status launch(Lane& lane);
  /// Everything that a graph holds.
  [[nodiscard]] Status enqueue(Lane& lane, bool is_captured);
  [[nodiscard]] std::vector<std::byte> output_bytes(std::size_t images) const;
  void say(LogLevel level, std::string_view text) const;

  std::shared_ptr<const TensorRtEngine> engine_;
  Contract contract_;
  std::size_t output_ = 0;  // the contract's, among the engine's
  bool is_batch_fixed_ = false;
  std::size_t max_images_ = 1;
  cuda::Stream stream_;
  cuda::Event before_inference_, after_inference_, done_;
  Growing<cuda::DeviceBuffer> activations_, input_, device_params_;
  Growing<cuda::PinnedBuffer> params_;
  std::vector<Output> outputs_;
  cuda::OutputParams input_params_{};
  FramePixels pixels_;
  std::unique_ptr<FrameDecoder> decoder_;
  std::vector<Lane> lanes_;      // behind all memory that their contexts and graphs use
  std::size_t last_images_ = 0;  // of the last run; 0: it failed
  StageTimes times_;
  FramePathCounters counters_;
  std::uint64_t uses_ = 0;
};

}  // namespace tern::trt_backend
