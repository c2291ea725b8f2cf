// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/model_task.h"

#include <utility>

#include "base/error.h"
#include "pipeline/crops.h"

namespace tern {
namespace {

template <typename T>
Result<std::variant<Detector, Segmenter, Classifier>> open_as(const std::filesystem::path& file,
                                                              const TaskOptions& options) {
  TERN_ASSIGN_OR_RETURN(T task, T::open(file, options));
  return std::variant<Detector, Segmenter, Classifier>(std::move(task));
}

}  // namespace

Result<Contract> ModelTask::contract_of(const std::filesystem::path& file, const TaskOptions& options) {
  TERN_ASSIGN_OR_RETURN(const Model model, Model::from_file(file));
  return Contract::resolve(model, options.contract_file, options.overrides);
}

Result<std::unique_ptr<ModelTask>> ModelTask::open(const std::filesystem::path& file, Task kind,
                                                   const TaskOptions& options) {
  const auto open = kind == Task::kDetect    ? open_as<Detector>
                    : kind == Task::kSegment ? open_as<Segmenter>
                                             : open_as<Classifier>;
  TERN_ASSIGN_OR_RETURN(Tasks task, open(file, options));
  return std::unique_ptr<ModelTask>(new ModelTask(std::move(task)));
}

const VisionTask& ModelTask::task() const noexcept {
  return std::visit([](const auto& task) -> const VisionTask& { return task; }, tasks_);
}

ModelTask::Results& ModelTask::results_of(std::size_t images) {
  if (results_.size() <= images) results_.resize(images + 1);
  return results_[images];
}

Status ModelTask::run(std::span<const ImageView> images, std::span<const ImageView> masks) {
  Results& results = results_of(images.size());
  if (auto* detector = std::get_if<Detector>(&tasks_)) return detector->detect(images, results.detections);
  if (auto* segmenter = std::get_if<Segmenter>(&tasks_)) return segmenter->segment(images, results.segmentations);
  return std::get<Classifier>(tasks_).classify(images, masks, results.classifications);
}

void ModelTask::gather(const ModelPlace& place, std::span<const ModelItem> items) {
  views_.clear();
  masks_.clear();
  if (place.mask_model >= 0 && mask_pixels_.size() < items.size()) mask_pixels_.resize(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const FrameRecord& record = *items[i].record;
    const ImageView& frame = place.takes_gpu_frames && record.is_uploaded ? record.gpu_view : record.frame.view;
    if (!place.works_on_crops) {
      views_.push_back(frame);
      continue;
    }
    const CropResult& crop = record.models[place.model].crops[items[i].crop];
    views_.push_back(crop_view(frame, crop));
    if (place.mask_model < 0) continue;
    const Segmentation& classes = record.models[static_cast<std::size_t>(place.mask_model)].segmentation;
    crop_mask(classes, place.is_mask_inside, crop, mask_pixels_[i]);
    masks_.push_back(ImageView::packed(mask_pixels_[i].data(), crop.width, crop.height, PixelFormat::kGray));
  }
}

/// Results change places with those of earlier frames, whose memory is used again.
void ModelTask::collect(const ModelPlace& place, std::span<const ModelItem> items) {
  const StageTimes& times = task().last_run().times;
  const auto count = static_cast<std::int64_t>(items.size());
  Results& results = results_of(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    ModelResult& result = items[i].record->models[place.model];
    result.is_done = true;
    result.batch = static_cast<int>(items.size());
    result.times.preprocess += times.preprocess / count;
    result.times.infer += times.infer / count;
    result.times.postprocess += times.postprocess / count;
    if (!place.works_on_crops) {
      if (kind() == Task::kDetect) std::swap(result.detections, results.detections[i]);
      if (kind() == Task::kSegment) std::swap(result.segmentation, results.segmentations[i]);
      if (kind() == Task::kClassify) std::swap(result.classification, results.classifications[i]);
      continue;
    }
    CropResult& crop = result.crops[items[i].crop];
    if (kind() == Task::kClassify) std::swap(crop.classification, results.classifications[i]);
    if (kind() != Task::kDetect) continue;
    std::swap(crop.detections, results.detections[i]);
    for (Detection& box : crop.detections) {
      box.x1 += static_cast<float>(crop.x);
      box.x2 += static_cast<float>(crop.x);
      box.y1 += static_cast<float>(crop.y);
      box.y2 += static_cast<float>(crop.y);
    }
  }
}

Status ModelTask::run(const ModelPlace& place, std::span<const ModelItem> items) {
  gather(place, items);
  return run(views_, masks_);
}

}  // namespace tern
