// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/convert.h"

#include <array>

#include <opencv2/imgproc.hpp>

#include "base/error.h"

namespace tern {
namespace {

// A header over pixels that OpenCV will only read.
cv::Mat wrap(const ImageView& view, int type) {
  return {view.height, view.width, type,
          const_cast<std::uint8_t*>(view.planes[0].data),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
          static_cast<std::size_t>(view.planes[0].stride)};
}

}  // namespace

Result<cv::Mat> BgrConverter::convert(const ImageView& view) {
  cv::Mat bgr;
  switch (view.format) {
    case PixelFormat::kBgr:
      return wrap(view, CV_8UC3).clone();
    case PixelFormat::kRgb:
      cv::cvtColor(wrap(view, CV_8UC3), bgr, cv::COLOR_RGB2BGR);
      return bgr;
    case PixelFormat::kBgra:
      cv::cvtColor(wrap(view, CV_8UC4), bgr, cv::COLOR_BGRA2BGR);
      return bgr;
    case PixelFormat::kGray:
      cv::cvtColor(wrap(view, CV_8UC1), bgr, cv::COLOR_GRAY2BGR);
      return bgr;
    case PixelFormat::kNv12:
    case PixelFormat::kI420:
      break;
  }
  std::array<const std::uint8_t*, 4> planes{};
  std::array<int, 4> strides{};
  for (std::size_t i = 0; i < view.planes.size(); ++i) {
    planes[i] = view.planes[i].data;
    strides[i] = static_cast<int>(view.planes[i].stride);
  }
  return scale(planes.data(), strides.data(), view.width, view.height,
               view.format == PixelFormat::kNv12 ? AV_PIX_FMT_NV12 : AV_PIX_FMT_YUV420P,
               view.matrix == YuvMatrix::kBt709 ? SWS_CS_ITU709 : SWS_CS_ITU601, view.range == YuvRange::kFull);
}

Result<cv::Mat> BgrConverter::convert(const AVFrame& frame, int matrix, bool full_range) {
  return scale(frame.data, frame.linesize, frame.width, frame.height, static_cast<AVPixelFormat>(frame.format), matrix,
               full_range);
}

Result<cv::Mat> BgrConverter::scale(const std::uint8_t* const planes[], const int strides[], int width, int height,
                                    AVPixelFormat format, int matrix, bool full_range) {
  constexpr int kFlags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT;
  scaler_.reset(sws_getCachedContext(scaler_.release(), width, height, format, width, height, AV_PIX_FMT_BGR24, kFlags,
                                     nullptr, nullptr, nullptr));
  if (!scaler_) return make_error(StatusCode::kInputError, "pictures of this pixel format cannot be converted");
  constexpr int kOne = 1 << 16;  // brightness 0, contrast 1, saturation 1 in 16.16 fixed point
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(matrix), full_range ? 1 : 0,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, kOne, kOne);
  cv::Mat bgr(height, width, CV_8UC3);
  std::array<std::uint8_t*, 4> target{bgr.data};
  const std::array<int, 4> target_strides{static_cast<int>(bgr.step[0])};
  if (sws_scale(scaler_.get(), planes, strides, 0, height, target.data(), target_strides.data()) != height) {
    return make_error(StatusCode::kInputError, "a picture could not be converted to BGR");
  }
  return bgr;
}

}  // namespace tern
