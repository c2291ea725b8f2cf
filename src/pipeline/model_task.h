// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "pipeline/frame_record.h"
#include "tern/task.h"

namespace tern {

/// An item of a batch: a frame, or one of its crops.
struct ModelItem {
  FrameRecord* record = nullptr;
  std::size_t crop = 0;  ///< of the model's crops on that frame, where it works on crops
};

/// Where a model stands in the pipeline's graph: indices in PipelineSpec::models.
struct ModelPlace {
  std::size_t model = 0;
  bool works_on_crops = false;
  int mask_model = -1;                 ///< the segmenter whose mask it takes; -1: none
  bool takes_gpu_frames = false;       ///< it works on FrameRecord::gpu_view where the frame has been brought there
  std::vector<bool> is_mask_inside{};  ///< which of that segmenter's classes are inside; empty: all
};

/// One model on one execution context, as an executor uses it. One call at a time.
class ModelTask {
 public:
  /// What a model's file says now. Builds nothing.
  [[nodiscard]] static Result<Contract> contract_of(const std::filesystem::path& file, const TaskOptions& options);
  /// A Detector, Segmenter or Classifier. ContractError where the file is of another task than `kind`.
  [[nodiscard]] static Result<std::unique_ptr<ModelTask>> open(const std::filesystem::path& file, Task kind,
                                                               const TaskOptions& options);

  [[nodiscard]] const VisionTask& task() const noexcept;
  [[nodiscard]] Task kind() const noexcept { return task().contract().task; }

  /// Runs `items` together. Nothing is allocated for numbers of items and sizes that were there before.
  [[nodiscard]] Status run(const ModelPlace& place, std::span<const ModelItem> items);
  /// Writes what the last run() found into the records of its items. Crops of one frame may be in several batches at once: the caller
  /// holds a lock.
  void collect(const ModelPlace& place, std::span<const ModelItem> items);
  /// The same on pixels that no frame owns, for measuring; results are dropped. `mask` as Classifier takes it.
  [[nodiscard]] Status run(std::span<const ImageView> images, std::span<const ImageView> masks);

 private:
  using Tasks = std::variant<Detector, Segmenter, Classifier>;
  explicit ModelTask(Tasks tasks) noexcept : tasks_(std::move(tasks)) {}
  void gather(const ModelPlace& place, std::span<const ModelItem> items);

  // Results of batches of each size, since a vector that shrinks gives its elements' memory back.
  struct Results {
    std::vector<std::vector<Detection>> detections;
    std::vector<Segmentation> segmentations;
    std::vector<Classification> classifications;
  };
  [[nodiscard]] Results& results_of(std::size_t images);

  Tasks tasks_;
  std::vector<ImageView> views_, masks_;
  std::vector<std::vector<std::uint8_t>> mask_pixels_;
  std::vector<Results> results_;
};

}  // namespace tern
