// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "tern/engine.h"
#include "tern/frame_path.h"
#include "tern/geometry.h"
#include "tern/postprocess.h"
#include "tern/preprocess.h"
#include "tern/runtime.h"
#include "tern/task.h"

namespace tern::detail {

/// One model, one engine, one context and the memory between them: the frame path that all tasks share.
class TaskRunner {
 public:
  TaskRunner(const TaskRunner&) = delete;
  TaskRunner& operator=(const TaskRunner&) = delete;
  ~TaskRunner();

  /// `expected`: ContractError when the model's contract is of another task.
  [[nodiscard]] static Result<std::unique_ptr<TaskRunner>> open(const std::filesystem::path& path,
                                                                const TaskOptions& options, Task expected);

  /// One step's outputs: those of a frame path, or a tensor as the postprocessor takes it.
  struct Step {
    FramePath* path;                     ///< null: there is none
    TensorView output;                   ///< without a path: rows of the images of this step only
    std::span<const Geometry> geometry;  ///< without a path: one for each row
    std::size_t first_image, images;     ///< which of the call's images they are
  };

  /// Runs `images` in steps of at most batch(); `decode` (a callable Status(const Step&)) turns each step's outputs into
  /// results.
  template <typename Decode>
  [[nodiscard]] Status run(std::span<const ImageView> images, std::span<const ImageView> regions,
                           const WaitOptions& wait, Decode&& decode) {
    info_.times = {};
    for (std::size_t first = 0; first < images.size(); first += step_.images) {
      TERN_RETURN_IF_ERROR(infer_step(images, regions, first, wait));
      const auto start = std::chrono::steady_clock::now();
      TERN_RETURN_IF_ERROR(decode(step_));
      info_.times.postprocess += std::chrono::steady_clock::now() - start;
    }
    return {};
  }

  /// At debug, one line a call: the time of each stage, and `headline()`, which is asked for only then.
  template <typename Headline>
  void say(Headline&& headline) const {
    if (logger_->level() >= LogLevel::kDebug) say_line(headline());
  }

  [[nodiscard]] const Model& model() const noexcept { return model_; }
  [[nodiscard]] const Contract& contract() const noexcept { return contract_; }
  [[nodiscard]] const Engine& engine() const noexcept { return *engine_; }
  [[nodiscard]] const RunInfo& info() const noexcept { return info_; }
  [[nodiscard]] int batch() const noexcept { return batch_; }
  [[nodiscard]] Postprocessor& postprocessor() noexcept { return postprocessor_; }

 private:
  TaskRunner(Model model, Contract contract, Preprocessor preprocessor, Postprocessor postprocessor,
             std::shared_ptr<InferenceRuntime> runtime);
  void say_line(const std::string& headline) const;
  /// Finds the contract's tensors in the engine behind handle_, and makes its frame path, or a context where it has none.
  [[nodiscard]] Status connect();
  /// Memory for the largest batch of inputs, which runs without a frame path need.
  [[nodiscard]] Status make_input();
  /// Takes images [first, first + batch) to their outputs, which it leaves in step_; on a backend's fault once more on the backend
  /// that the runtime's policy gives instead.
  [[nodiscard]] Status infer_step(std::span<const ImageView> images, std::span<const ImageView> regions,
                                  std::size_t first, const WaitOptions& wait);
  /// One try, with a path and without.
  [[nodiscard]] Status run_path(std::span<const ImageView> images, std::span<const ImageView> regions,
                                const WaitOptions& wait);
  [[nodiscard]] Status run_stages(std::span<const ImageView> images, std::span<const ImageView> regions,
                                  const WaitOptions& wait);

  Model model_;
  Contract contract_;
  Preprocessor preprocessor_;
  Postprocessor postprocessor_;
  std::shared_ptr<Logger> logger_ = null_logger();
  std::shared_ptr<InferenceRuntime> runtime_;
  InferenceRuntime::Handle handle_;
  std::shared_ptr<Engine> engine_;
  std::unique_ptr<FramePath> path_;
  std::unique_ptr<ExecutionContext> context_;  // null with a path
  std::size_t input_ = 0, output_ = 0;         // indices of the contract's tensors
  int max_batch_ = 1, batch_ = 1;
  bool wants_path_ = true, is_batch_fixed_ = false;
  Tensor input_tensor_;
  std::vector<Geometry> geometry_;
  Step step_{};
  RunInfo info_;
};

}  // namespace tern::detail
