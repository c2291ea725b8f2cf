// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tern/contract.h"
#include "tern/engine.h"
#include "tern/image.h"
#include "tern/log.h"
#include "tern/results.h"
#include "tern/status.h"

namespace tern {

class InferenceRuntime;

/// How a model is opened.
struct TaskOptions {
  std::string backend = "auto";  ///< "auto" or a backend's name
  Precision precision = Precision::kAuto;
  int max_batch = 1;  ///< images run together, where the model leaves its batch open
  int threads = 0;    ///< 0: all that the process may use
  PerformanceHint hint = PerformanceHint::kLatency;
  std::optional<std::filesystem::path> contract_file{};  ///< else model.tern.json beside the model, else metadata
  Contract::Overrides overrides{};                       ///< single contract fields
  std::shared_ptr<Logger> logger = null_logger();
  Progress progress{};  ///< told about compiling
  /// Where engines are kept, proven and counted; share one among all tasks of a process. Null: one of its own with the
  /// configuration in force (RuntimeConfig::resolve()).
  std::shared_ptr<InferenceRuntime> runtime{};
  bool allow_build = true;  ///< false: EngineGateError where the store has no engine yet
  BuildConfig::Isolation isolation = BuildConfig::Isolation::kInProcess;
  std::chrono::seconds build_timeout{600};  ///< > 0, for builds in a process of their own
  std::stop_token stop{};                   ///< ends a build
  /// All else of the build: the GPU, calibration, optimisation level... What has a field of its own above is taken from there.
  BuildConfig build{};
  /// Pixels and results on the engine's device too, where its backend can (tern/frame_path.h). False: on the CPU.
  bool frame_path = true;
};

namespace detail {
class TaskRunner;
}

/// What the three tasks share: one model on one backend. Move-only; one call at a time (open one object per thread).
///
/// Images of a call may differ in size and format; they must live until the call returns. They lie in host memory, or on the GPU
/// of a backend that has a frame path (TensorRT; InputError elsewhere). Calls with an output
/// parameter reuse its memory: after a warm-up with the same sizes they allocate nothing outside the backend. Model
/// outputs with NaN or infinity are InferenceError, never results.
class TERN_API VisionTask {
 public:
  VisionTask(VisionTask&&) noexcept;
  VisionTask& operator=(VisionTask&&) noexcept;
  ~VisionTask();

  [[nodiscard]] const Contract& contract() const noexcept;
  [[nodiscard]] const Model& model() const noexcept;
  [[nodiscard]] const Engine& engine() const noexcept;
  /// What ran in the last call, with the time of each stage.
  [[nodiscard]] const RunInfo& last_run() const noexcept;
  /// Images that run together: the model's fixed batch, else TaskOptions::max_batch. Calls with more run in several
  /// steps.
  [[nodiscard]] int batch() const noexcept;

 protected:
  explicit VisionTask(std::unique_ptr<detail::TaskRunner> runner) noexcept;
  std::unique_ptr<detail::TaskRunner> runner_;
};

/// Finds objects. For models whose contract says `detect`.
class TERN_API Detector : public VisionTask {
 public:
  [[nodiscard]] static Result<Detector> open(const std::filesystem::path& model, const TaskOptions& options = {});

  /// Objects in source-image pixels, best first, at most the contract's max_detections.
  [[nodiscard]] Result<std::vector<Detection>> detect(const ImageView& image, const WaitOptions& wait = {});
  /// results[i] belongs to images[i].
  [[nodiscard]] Status detect(std::span<const ImageView> images, std::vector<std::vector<Detection>>& results,
                              const WaitOptions& wait = {});

 private:
  using VisionTask::VisionTask;
};

/// Gives every pixel a class. For models whose contract says `segment`.
class TERN_API Segmenter : public VisionTask {
 public:
  [[nodiscard]] static Result<Segmenter> open(const std::filesystem::path& model, const TaskOptions& options = {});

  [[nodiscard]] Result<Segmentation> segment(const ImageView& image, const WaitOptions& wait = {});
  [[nodiscard]] Status segment(std::span<const ImageView> images, std::vector<Segmentation>& results,
                               const WaitOptions& wait = {});

 private:
  using VisionTask::VisionTask;
};

/// Says what an image (or the marked region of it) shows. For models whose contract says `classify`.
class TERN_API Classifier : public VisionTask {
 public:
  [[nodiscard]] static Result<Classifier> open(const std::filesystem::path& model, const TaskOptions& options = {});

  /// `region` is the mask of the contract's extra channel (kGray, not 0 = inside); InputError when it is missing though
  /// the model needs one, or given though it takes none.
  [[nodiscard]] Result<Classification> classify(const ImageView& image, const ImageView* region = nullptr,
                                                const WaitOptions& wait = {});
  /// `regions` is empty or has one mask for each image.
  [[nodiscard]] Status classify(std::span<const ImageView> images, std::span<const ImageView> regions,
                                std::vector<Classification>& results, const WaitOptions& wait = {});

 private:
  using VisionTask::VisionTask;
};

}  // namespace tern
