// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/live_view.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include <opencv2/imgcodecs.hpp>

#include "base/error.h"
#include "live/picture.h"

namespace tern {
namespace {

constexpr Nanoseconds kInterval = Nanoseconds(std::chrono::seconds(1)) / LiveView::kPicturesPerSecond;

}  // namespace

LiveView::LiveView(std::shared_ptr<LivePictures> pictures)
    : pictures_(std::move(pictures)), due_(pictures_->names().size()) {}

Status LiveView::begin(const PipelineSpec&, const std::vector<PipelineModelInfo>& models) {
  models_ = &models;
  return {};
}

// By a schedule that forgives a quarter of an interval, rather than by the time since the last picture: of 30 frames a second every
// other one is drawn, not every third because one came a little early.
bool LiveView::is_due(const FrameResult& result) {
  Nanoseconds& due = due_[static_cast<std::size_t>(result.source)];
  if (result.ended < due) return false;
  due = std::max(due, result.ended - kInterval / 4) + kInterval;
  return true;
}

Status LiveView::write(const FrameResult& result) {
  if (!pictures_->is_watched(result.source) || !is_due(result)) return {};
  TERN_RETURN_IF_ERROR(draw_result(result, *models_, kMaxWidth, converter_, bgr_));
  try {
    if (!cv::imencode(".jpg", bgr_, jpeg_, {cv::IMWRITE_JPEG_QUALITY, kJpegQuality}))
      return make_error(StatusCode::kInternalError, "the picture cannot be encoded");
  } catch (const cv::Exception& e) {
    return make_error(StatusCode::kInternalError, "the picture cannot be encoded: {}", e.err);
  }
  pictures_->publish(result.source, std::string(jpeg_.begin(), jpeg_.end()));
  return {};
}

}  // namespace tern
