// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "pipeline/pipeline_impl.h"

namespace tern {

void Pipeline::Impl::find_gpu_models() {
  for (const auto& model : models_)
    model->place.takes_gpu_frames = model->slots.front()->task->task().last_run().frame_path;
  const bool has_any = std::ranges::any_of(models_, [](const auto& model) { return model->place.takes_gpu_frames; });
  if (!has_any) return;
  auto cuda = Cuda::load();
  if (!cuda.ok()) {
    log(LogLevel::kWarning,
        fmt::format("each model copies its frames to the GPU by itself: {}", cuda.status().to_string()));
    return;
  }
  cuda_.emplace(std::move(*cuda));
  gpu_ = options_.task.build.device ? options_.task.build.device->index : 0;
}

void Pipeline::Impl::lend_gpu_frames(const ModelRunner& model, std::span<const ModelItem> items) {
  if (!cuda_ || !model.place.takes_gpu_frames) return;
  for (const ModelItem& item : items) {
    const std::unique_lock mine(item.record->upload_mutex, std::try_to_lock);
    if (!mine || item.record->gpu != nullptr || gpu_frames_.empty()) continue;  // not mine: another executor is at it
    item.record->gpu = std::move(gpu_frames_.back());
    gpu_frames_.pop_back();
  }
}

void Pipeline::Impl::upload(const ModelRunner& model, std::span<const ModelItem> items) {
  if (!cuda_ || !model.place.takes_gpu_frames) return;
  for (const ModelItem& item : items) {
    FrameRecord& record = *item.record;
    const std::scoped_lock one_of_us(record.upload_mutex);
    if (record.is_uploaded || record.frame.view.device.kind != DeviceKind::kCpu) continue;
    const auto copied = [&]() -> Result<ImageView> {
      if (record.gpu == nullptr) {
        TERN_ASSIGN_OR_RETURN(GpuFrame frame, GpuFrame::create(*cuda_, gpu_));
        record.gpu = std::make_unique<GpuFrame>(std::move(frame));
      }
      return record.gpu->upload(record.frame.view);
    }();
    if (copied.ok()) {
      record.gpu_view = *copied;
      record.is_uploaded = true;
    } else if (!has_upload_failed_.exchange(true)) {
      log(LogLevel::kWarning, fmt::format("a frame could not be brought to the GPU: {}", copied.status().to_string()));
    }
  }
}

void Pipeline::Impl::take_back_gpu_frame(FrameRecord& record) {
  record.is_uploaded = false;
  if (record.gpu != nullptr) gpu_frames_.push_back(std::move(record.gpu));
}

}  // namespace tern
