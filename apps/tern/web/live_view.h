// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "media/convert.h"
#include "tern/pipeline_io.h"
#include "tern/pipeline_snapshot.h"
#include "tern/pipeline_spec.h"
#include "web/live_pictures.h"

namespace tern {

/// A sink that draws what models found, for the live page. It draws sources that somebody watches, and of each at most kPicturesPerSecond;
/// any other result costs it a look at the clock. Results that it misses harm nothing (SinkParts::is_lossless false).
class LiveView final : public ResultSink {
 public:
  static constexpr int kMaxWidth = 960, kPicturesPerSecond = 15, kJpegQuality = 80;

  /// `pictures` has the names of the pipeline's sources, in their order.
  explicit LiveView(std::shared_ptr<LivePictures> pictures);
  [[nodiscard]] Status begin(const PipelineSpec& spec, const std::vector<PipelineModelInfo>& models) override;
  /// InputError for a frame that cannot be drawn.
  [[nodiscard]] Status write(const FrameResult& result) override;
  [[nodiscard]] Status finish() override { return {}; }

 private:
  [[nodiscard]] bool is_due(const FrameResult& result);

  const std::shared_ptr<LivePictures> pictures_;
  const std::vector<PipelineModelInfo>* models_ = nullptr;
  std::vector<Nanoseconds> due_;  // of each source: when its next picture may be drawn
  BgrConverter converter_;
  cv::Mat bgr_;
  std::vector<std::uint8_t> jpeg_;
};

}  // namespace tern
