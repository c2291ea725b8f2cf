// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/task.h"

#include "base/error.h"
#include "task/headline.h"
#include "task/runner.h"

namespace tern {

using detail::TaskRunner;

VisionTask::VisionTask(std::unique_ptr<TaskRunner> runner) noexcept : runner_(std::move(runner)) {}
VisionTask::VisionTask(VisionTask&&) noexcept = default;
VisionTask& VisionTask::operator=(VisionTask&&) noexcept = default;
VisionTask::~VisionTask() = default;

const Contract& VisionTask::contract() const noexcept {
  return runner_->contract();
}
const Model& VisionTask::model() const noexcept {
  return runner_->model();
}
const Engine& VisionTask::engine() const noexcept {
  return runner_->engine();
}
const RunInfo& VisionTask::last_run() const noexcept {
  return runner_->info();
}
int VisionTask::batch() const noexcept {
  return runner_->batch();
}

namespace {

/// The part of `results` that one step fills.
template <typename T>
std::span<T> results_of(const TaskRunner::Step& step, std::vector<T>& results) {
  return std::span(results).subspan(step.first_image, step.images);
}

}  // namespace

Result<Detector> Detector::open(const std::filesystem::path& model, const TaskOptions& options) {
  TERN_ASSIGN_OR_RETURN(auto runner, TaskRunner::open(model, options, Task::kDetect));
  return Detector(std::move(runner));
}

Status Detector::detect(std::span<const ImageView> images, std::vector<std::vector<Detection>>& results,
                        const WaitOptions& wait) {
  results.resize(images.size());
  TERN_RETURN_IF_ERROR(runner_->run(images, {}, wait, [&](const TaskRunner::Step& step) {
    const auto part = results_of(step, results);
    if (step.path != nullptr) return step.path->read({.detections = part});
    return runner_->postprocessor().detect(step.output, step.geometry, part);
  }));
  runner_->say([&] { return detail::headline(results, contract().output); });
  return {};
}

Result<std::vector<Detection>> Detector::detect(const ImageView& image, const WaitOptions& wait) {
  std::vector<std::vector<Detection>> results;
  TERN_RETURN_IF_ERROR(detect({&image, 1}, results, wait));
  return std::move(results.front());
}

Result<Segmenter> Segmenter::open(const std::filesystem::path& model, const TaskOptions& options) {
  TERN_ASSIGN_OR_RETURN(auto runner, TaskRunner::open(model, options, Task::kSegment));
  return Segmenter(std::move(runner));
}

Status Segmenter::segment(std::span<const ImageView> images, std::vector<Segmentation>& results,
                          const WaitOptions& wait) {
  results.resize(images.size());
  TERN_RETURN_IF_ERROR(runner_->run(images, {}, wait, [&](const TaskRunner::Step& step) {
    const auto part = results_of(step, results);
    if (step.path != nullptr) return step.path->read({.segmentations = part});
    return runner_->postprocessor().segment(step.output, step.geometry, part);
  }));
  runner_->say([&] { return detail::headline(results, contract().output); });
  return {};
}

Result<Segmentation> Segmenter::segment(const ImageView& image, const WaitOptions& wait) {
  std::vector<Segmentation> results;
  TERN_RETURN_IF_ERROR(segment({&image, 1}, results, wait));
  return std::move(results.front());
}

Result<Classifier> Classifier::open(const std::filesystem::path& model, const TaskOptions& options) {
  TERN_ASSIGN_OR_RETURN(auto runner, TaskRunner::open(model, options, Task::kClassify));
  return Classifier(std::move(runner));
}

Status Classifier::classify(std::span<const ImageView> images, std::span<const ImageView> regions,
                            std::vector<Classification>& results, const WaitOptions& wait) {
  const bool wants_regions = contract().input.mask_channel;
  if (wants_regions && regions.size() != images.size()) {
    return make_error(StatusCode::kInputError, "the model needs a region mask for each image; {} images came with {}",
                      images.size(), regions.size());
  }
  if (!wants_regions && !regions.empty()) return {StatusCode::kInputError, "the model takes no region mask"};
  results.resize(images.size());
  TERN_RETURN_IF_ERROR(runner_->run(images, regions, wait, [&](const TaskRunner::Step& step) {
    const auto part = results_of(step, results);
    if (step.path != nullptr) return step.path->read({.classifications = part});
    return runner_->postprocessor().classify(step.output, part);
  }));
  runner_->say([&] { return detail::headline(results, contract().output); });
  return {};
}

Result<Classification> Classifier::classify(const ImageView& image, const ImageView* region, const WaitOptions& wait) {
  std::vector<Classification> results;
  const std::span<const ImageView> regions =
      region != nullptr ? std::span<const ImageView>(region, 1) : std::span<const ImageView>();
  TERN_RETURN_IF_ERROR(classify({&image, 1}, regions, results, wait));
  return std::move(results.front());
}

}  // namespace tern
