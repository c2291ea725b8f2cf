// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tern/calibration.h"
#include "tern/preprocess.h"

namespace tern {

/// Runs frames through one engine that gives out a group of tensors, and shows their values.
class FrameObserver {
 public:
  using Sink = std::function<Status(std::string_view tensor, std::span<const float> values)>;

  /// `tensors`: outputs of the engine, or its input.
  [[nodiscard]] static Result<std::unique_ptr<FrameObserver>> create(std::shared_ptr<Engine> engine,
                                                                     const InputContract& input,
                                                                     const std::vector<std::string>& tensors);

  /// Runs the model on a frame and gives each tensor to `sink`, in the order of create(). Failures name the frame.
  [[nodiscard]] Status observe(const CalibrationFrame& frame, const Sink& sink);

 private:
  explicit FrameObserver(std::shared_ptr<Engine> engine, Preprocessor preprocessor)
      : engine_(std::move(engine)), preprocessor_(std::move(preprocessor)) {}
  [[nodiscard]] Status run(const CalibrationFrame& frame);
  [[nodiscard]] Result<const float*> as_floats(const TensorView& view);

  static constexpr std::size_t kInput = static_cast<std::size_t>(-1);
  struct Port {
    std::string tensor;
    std::size_t output;  ///< index, or kInput
  };
  std::shared_ptr<Engine> engine_;
  Preprocessor preprocessor_;
  std::unique_ptr<ExecutionContext> context_;
  Tensor input_;
  std::vector<Port> ports_;
  std::vector<ImageView> images_, regions_;  // one for each row of the batch
  std::vector<Geometry> geometry_;
  std::vector<float> converted_;  // of a tensor that is not f32
};

/// Runs frames [first, first + count) on all observers at once, a thread each, and gives the values to `sink` with the observer's
/// number, from its thread. `progress` is told, under a lock, how many are done. The failure of the first frame that has one;
/// Cancelled after a stop.
[[nodiscard]] Status run_frames(
    std::span<const std::unique_ptr<FrameObserver>> observers, CalibrationSource& source, std::size_t first,
    std::size_t count,
    const std::function<Status(std::size_t worker, std::string_view tensor, std::span<const float> values)>& sink,
    const std::stop_token& stop, const std::function<void(std::size_t done)>& progress);

/// The same, with the values counted in: each thread adds to statistics of its own, which are merged into `total` at the end.
/// `total` is unchanged after a failure or a stop.
[[nodiscard]] Status observe_frames(std::span<const std::unique_ptr<FrameObserver>> observers,
                                    CalibrationSource& source, std::size_t first, std::size_t count,
                                    bool is_second_pass, ActivationStatistics& total, const std::stop_token& stop,
                                    const std::function<void(std::size_t done)>& progress);

}  // namespace tern
