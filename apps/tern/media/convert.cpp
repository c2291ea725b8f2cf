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
  TERN_RETURN_IF_ERROR(convert(view, {view.width, view.height}, bgr));
  return bgr;
}

Status BgrConverter::convert(const ImageView& view, cv::Size size, cv::Mat& bgr) {
  // Packed pixels are scaled in their own format, since the fewer are converted then.
  const auto packed = [&](int type) {
    cv::Mat pixels = wrap(view, type);
    if (pixels.size() == size) return pixels;
    cv::resize(pixels, smaller_, size, 0, 0, cv::INTER_AREA);
    return smaller_;
  };
  switch (view.format) {
    case PixelFormat::kBgr:
      packed(CV_8UC3).copyTo(bgr);
      return {};
    case PixelFormat::kRgb:
      cv::cvtColor(packed(CV_8UC3), bgr, cv::COLOR_RGB2BGR);
      return {};
    case PixelFormat::kBgra:
      cv::cvtColor(packed(CV_8UC4), bgr, cv::COLOR_BGRA2BGR);
      return {};
    case PixelFormat::kGray:
      cv::cvtColor(packed(CV_8UC1), bgr, cv::COLOR_GRAY2BGR);
      return {};
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
  return scale({planes.data(),
                strides.data(),
                {view.width, view.height},
                view.format == PixelFormat::kNv12 ? AV_PIX_FMT_NV12 : AV_PIX_FMT_YUV420P,
                view.matrix == YuvMatrix::kBt709 ? SWS_CS_ITU709 : SWS_CS_ITU601,
                view.range == YuvRange::kFull},
               size, bgr);
}

Result<cv::Mat> BgrConverter::convert(const AVFrame& frame, int matrix, bool full_range) {
  const cv::Size size(frame.width, frame.height);
  cv::Mat bgr;
  TERN_RETURN_IF_ERROR(scale(
      {frame.data, frame.linesize, size, static_cast<AVPixelFormat>(frame.format), matrix, full_range}, size, bgr));
  return bgr;
}

Status BgrConverter::scale(const Planes& planes, cv::Size size, cv::Mat& bgr) {
  constexpr int kFlags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT;
  scaler_.reset(sws_getCachedContext(scaler_.release(), planes.size.width, planes.size.height, planes.format,
                                     size.width, size.height, AV_PIX_FMT_BGR24, kFlags, nullptr, nullptr, nullptr));
  if (!scaler_) return make_error(StatusCode::kInputError, "pictures of this pixel format cannot be converted");
  constexpr int kOne = 1 << 16;  // brightness 0, contrast 1, saturation 1 in 16.16 fixed point
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(planes.matrix), planes.full_range ? 1 : 0,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, kOne, kOne);
  bgr.create(size, CV_8UC3);
  const std::array<std::uint8_t*, 4> target{bgr.data};
  const std::array<int, 4> target_strides{static_cast<int>(bgr.step[0])};
  if (sws_scale(scaler_.get(), planes.data, planes.strides, 0, planes.size.height, target.data(),
                target_strides.data()) != size.height) {
    return make_error(StatusCode::kInputError, "a picture could not be converted to BGR");
  }
  return {};
}

}  // namespace tern
