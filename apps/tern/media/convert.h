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
  /// The same, scaled to `size`, into `bgr`, whose memory is used again.
  [[nodiscard]] Status convert(const ImageView& view, cv::Size size, cv::Mat& bgr);
  /// A picture of its own from any pixel format of FFmpeg's; `matrix` is one of SWS_CS_*.
  [[nodiscard]] Result<cv::Mat> convert(const AVFrame& frame, int matrix, bool full_range);

 private:
  // What swscale is to read.
  struct Planes {
    const std::uint8_t* const* data;
    const int* strides;
    cv::Size size;
    AVPixelFormat format;
    int matrix;
    bool full_range;
  };
  [[nodiscard]] Status scale(const Planes& planes, cv::Size size, cv::Mat& bgr);
  av::Scaler scaler_;
  cv::Mat smaller_;
};

}  // namespace tern
