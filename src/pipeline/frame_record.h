// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "tern/device.h"
#include "tern/pipeline_io.h"

namespace tern {

/// A frame inside a pipeline with what was found on it. The pool's mutex (the pipeline's own) guards `holders`; the rest belongs to
/// whoever works on the frame, and to the sinks, which only read, once it has ended.
struct FrameRecord : FrameResult {
  int holders = 0;  // the source's thread, the scheduler, and each sink that the result waits for
  std::size_t next_free = 0;

  std::unique_ptr<GpuFrame> gpu{};  // while models work on it, where they run on a GPU
  std::mutex upload_mutex{};        // the first executor that needs it brings the frame there
  bool is_uploaded = false;
  ImageView gpu_view{};
};

/// All the frames that a pipeline can ever hold, made once. Not thread-safe: the caller holds a lock.
class RecordPool {
 public:
  RecordPool(std::size_t size, std::size_t models) {
    for (std::size_t i = 0; i < size; ++i) {
      records_.push_back(std::make_unique<FrameRecord>());
      records_[i]->models.resize(models);
      records_[i]->next_free = i + 1;
    }
  }

  [[nodiscard]] FrameRecord& at(std::size_t index) noexcept { return *records_[index]; }
  /// One held once. REQUIRES: there is a free one; the pipeline makes as many as it can need.
  [[nodiscard]] std::size_t acquire() noexcept {
    const std::size_t index = first_free_;
    first_free_ = records_[index]->next_free;
    records_[index]->holders = 1;
    return index;
  }
  /// One holder less; the last one's lets go of the pixels.
  void release(std::size_t index) noexcept {
    FrameRecord& record = *records_[index];
    if (--record.holders > 0) return;
    record.frame.pixels.reset();
    record.next_free = first_free_;
    first_free_ = index;
  }
  /// For work on a new frame: nothing is known yet. Memory of results stays.
  static void clear(FrameRecord& record) noexcept {
    for (ModelResult& model : record.models) {
      model.is_done = false;
      model.crop_count = 0;
      model.times = {};
      model.batch = 0;
    }
    record.failure = {};
    record.is_uploaded = false;
  }

 private:
  std::vector<std::unique_ptr<FrameRecord>> records_;
  std::size_t first_free_ = 0;
};

}  // namespace tern
