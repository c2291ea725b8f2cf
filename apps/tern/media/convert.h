// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/mat.hpp>

#include "media/av.h"
#include "tern/image.h"
#include "tern/status.h"

namespace tern {

/// Turns pictures into BGR, to draw on or where a pixel format is not one of ImageView's. Keeps swscale's tables from call
/// to call. Not thread-safe.
class BgrConverter {
 public:
  /// A picture of its own, with the view's matrix and range applied. REQUIRES: a valid view on the CPU.
  [[nodiscard]] Result<cv::Mat> convert(const ImageView& view);
  /// The same from any pixel format of FFmpeg's; `matrix` is one of SWS_CS_*.
  [[nodiscard]] Result<cv::Mat> convert(const AVFrame& frame, int matrix, bool full_range);

 private:
  [[nodiscard]] Result<cv::Mat> scale(const std::uint8_t* const planes[], const int strides[], int width, int height,
                                      AVPixelFormat format, int matrix, bool full_range);
  av::Scaler scaler_;
};

}  // namespace tern
