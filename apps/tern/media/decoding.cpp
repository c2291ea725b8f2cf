// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/decoding.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>

extern "C" {
#include <libavutil/display.h>
}

#include <opencv2/core.hpp>

#include "base/error.h"
#include "media/image_file.h"

namespace tern {
namespace {

// Many cameras are decoded at the same time, and few cut their frames into more slices than this.
constexpr unsigned kLiveThreads = 4;

const std::int32_t* display_matrix(const AVStream& stream) {
  constexpr std::size_t kMatrixBytes = 9 * sizeof(std::int32_t);
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 100)  // FFmpeg 6.1
  const AVPacketSideData* data = av_packet_side_data_get(
      stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  if (data == nullptr || data->size < kMatrixBytes) return nullptr;
  return reinterpret_cast<const std::int32_t*>(data->data);
#else
  std::size_t size = 0;
  const std::uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data == nullptr || size < kMatrixBytes ? nullptr : reinterpret_cast<const std::int32_t*>(data);
#endif
}

std::optional<PixelFormat> direct_format(const AVFrame& frame) {
  if (frame.linesize[0] < 0 || frame.linesize[1] < 0 || frame.linesize[2] < 0) return std::nullopt;
  switch (frame.format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
      return PixelFormat::kI420;
    case AV_PIX_FMT_NV12:
      return PixelFormat::kNv12;
    case AV_PIX_FMT_BGR24:
      return PixelFormat::kBgr;
    case AV_PIX_FMT_RGB24:
      return PixelFormat::kRgb;
    case AV_PIX_FMT_GRAY8:
      return frame.color_range == AVCOL_RANGE_MPEG ? std::nullopt : std::optional(PixelFormat::kGray);
    default:
      return std::nullopt;
  }
}

// One of SWS_CS_*.
int matrix_of(const AVFrame& frame) {
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return SWS_CS_ITU601;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    default:
      return frame.height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  }
}

bool is_full_range(const AVFrame& frame) {
  return frame.color_range == AVCOL_RANGE_JPEG || frame.format == AV_PIX_FMT_YUVJ420P ||
         frame.format == AV_PIX_FMT_YUVJ422P || frame.format == AV_PIX_FMT_YUVJ444P;
}

}  // namespace

Result<av::Codec> open_decoder(const AVStream& stream, DecoderUse use) {
  const AVCodecParameters& parameters = *stream.codecpar;
  const bool has_size = parameters.width > 0 && parameters.height > 0;  // a camera may tell it in its first frame alone
  if ((!has_size && use == DecoderUse::kFile) || parameters.width > ImageView::kMaxSide ||
      parameters.height > ImageView::kMaxSide || std::int64_t{parameters.width} * parameters.height > kMaxImagePixels) {
    return make_error(StatusCode::kInputError, "the video's frames have {}x{} pixels; the limit is {} pixels",
                      parameters.width, parameters.height, kMaxImagePixels);
  }
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  if (codec == nullptr) {
    return make_error(StatusCode::kInputError, "this FFmpeg has no decoder for {}",
                      avcodec_get_name(parameters.codec_id));
  }
  av::Codec decoder(avcodec_alloc_context3(codec));
  if (!decoder) return make_error(StatusCode::kOutOfMemoryError, "no memory for a video decoder");
  int error = avcodec_parameters_to_context(decoder.get(), &parameters);
  decoder->pkt_timebase = stream.time_base;
  decoder->max_pixels = kMaxImagePixels;
  if (use == DecoderUse::kLive) {
    // Threads that work on whole frames hold back as many frames as there are threads.
    decoder->flags |= AV_CODEC_FLAG_LOW_DELAY;
    decoder->thread_type = FF_THREAD_SLICE;
    decoder->thread_count = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, kLiveThreads));
  } else {
    decoder->thread_count = 0;  // as many as there are processors
  }
  if (error >= 0) error = avcodec_open2(decoder.get(), codec, nullptr);
  if (error < 0) {
    return make_error(StatusCode::kInputError, "the {} decoder cannot be opened: {}", codec->name,
                      av::error_text(error));
  }
  return decoder;
}

bool is_damaged(const AVFrame& picture) noexcept {
  return picture.decode_error_flags != 0 || (picture.flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

int quarter_turns_of(const AVStream& stream) noexcept {
  const std::int32_t* matrix = display_matrix(stream);
  if (matrix == nullptr) return 0;
  const double angle = av_display_rotation_get(matrix);  // counter-clockwise, of the picture as stored
  return std::isnan(angle) ? 0 : static_cast<int>(std::lround(-angle / 90)) & 3;
}

Status ViewConverter::convert(av::Picture picture, int quarter_turns, ImageView& view,
                              std::shared_ptr<const void>& pixels) {
  const int matrix = matrix_of(*picture);
  const std::optional<PixelFormat> format = direct_format(*picture);
  const bool has_matrix = matrix == SWS_CS_ITU709 || matrix == SWS_CS_ITU601;
  if (quarter_turns == 0 && format && has_matrix) {
    view = {};
    view.width = picture->width;
    view.height = picture->height;
    view.format = *format;
    view.matrix = matrix == SWS_CS_ITU709 ? YuvMatrix::kBt709 : YuvMatrix::kBt601;
    view.range = is_full_range(*picture) ? YuvRange::kFull : YuvRange::kLimited;
    for (std::size_t i = 0; i < static_cast<std::size_t>(plane_count(*format)); ++i) {
      view.planes[i] = {picture->data[i], picture->linesize[i]};
    }
    pixels = std::shared_ptr<const AVFrame>(picture.release(), av::FreeFrame{});
    return {};
  }
  TERN_ASSIGN_OR_RETURN(cv::Mat bgr, bgr_.convert(*picture, matrix, is_full_range(*picture)));
  if (quarter_turns != 0) {
    constexpr cv::RotateFlags kTurns[] = {cv::ROTATE_90_CLOCKWISE, cv::ROTATE_180, cv::ROTATE_90_COUNTERCLOCKWISE};
    cv::Mat turned;
    cv::rotate(bgr, turned, kTurns[quarter_turns - 1]);
    bgr = turned;
  }
  view = view_of(bgr);
  pixels = std::make_shared<const cv::Mat>(std::move(bgr));
  return {};
}

}  // namespace tern
