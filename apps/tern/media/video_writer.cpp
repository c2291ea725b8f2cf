// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/video_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include <opencv2/core.hpp>

extern "C" {
#include <libavutil/opt.h>
}

#include "base/error.h"

namespace tern {
namespace {

// Ticks a second: whole numbers of them make up a frame at 24, 25, 30, 50 and 60 and at 30000/1001 frames/s, and MPEG-4
// part 2 takes no more than 65535.
constexpr int kTicks = 60000;

}  // namespace

Status VideoWriter::failed(std::string_view what, int error) const {
  const bool io = error == AVERROR(ENOSPC) || error == AVERROR(EIO) || error == AVERROR(EDQUOT) ||
                  error == AVERROR(EFBIG) || error == AVERROR(EACCES) || error == AVERROR(EROFS);
  const Status status =
      make_error(io ? StatusCode::kIoError : StatusCode::kInputError, "{}: {}", what, av::error_text(error))
          .at(path_.string())
          .with_cause(av::take_log());
  return error == AVERROR(ENOSPC) ? status.with_hint("free some space, or write to another disk") : status;
}

Result<VideoWriter> VideoWriter::create(const std::filesystem::path& path, int width, int height,
                                        AVRational frame_rate) {
  TERN_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  VideoWriter writer(std::move(file));
  writer.path_ = path;
  writer.size_ = {width, height};
  TERN_RETURN_IF_ERROR(writer.open_encoder(width + width % 2, height + height % 2, frame_rate));
  TERN_RETURN_IF_ERROR(writer.open_output());
  return writer;
}

Status VideoWriter::open_encoder(int width, int height, AVRational frame_rate) {
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr) codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
  if (codec == nullptr) {
    return make_error(StatusCode::kConfigError, "this FFmpeg has no encoder for MP4 (libx264, mpeg4)")
        .with_hint("install an FFmpeg with one, or save single pictures");
  }
  encoder_.reset(avcodec_alloc_context3(codec));
  picture_.reset(av_frame_alloc());
  packet_.reset(av_packet_alloc());
  if (!encoder_ || !picture_ || !packet_) {
    return make_error(StatusCode::kOutOfMemoryError, "no memory for a video encoder");
  }
  encoder_->width = width;
  encoder_->height = height;
  encoder_->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder_->time_base = {1, kTicks};
  encoder_->framerate = frame_rate;
  encoder_->gop_size = std::max(1, static_cast<int>(std::lround(2 * av_q2d(frame_rate))));
  encoder_->color_range = AVCOL_RANGE_MPEG;
  encoder_->colorspace = AVCOL_SPC_BT709;
  encoder_->color_primaries = AVCOL_PRI_BT709;
  encoder_->color_trc = AVCOL_TRC_BT709;
  encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;  // MP4 keeps the codec's headers apart
  av::Options options;
  if (codec->id == AV_CODEC_ID_H264) {
    options.set("preset", "veryfast");
    options.set("crf", "20");
  } else {
    encoder_->flags |= AV_CODEC_FLAG_QSCALE;
    encoder_->global_quality = 3 * FF_QP2LAMBDA;
  }
  if (const int error = avcodec_open2(encoder_.get(), codec, options.get()); error < 0) {
    return failed(fmt::format("{} cannot encode frames of {}x{} pixels", codec->name, width, height), error);
  }
  picture_->width = width;
  picture_->height = height;
  picture_->format = AV_PIX_FMT_YUV420P;
  if (av_frame_get_buffer(picture_.get(), 0) < 0) {
    return make_error(StatusCode::kOutOfMemoryError, "no memory for a video frame");
  }
  scaler_.reset(sws_getContext(width, height, AV_PIX_FMT_BGR24, width, height, AV_PIX_FMT_YUV420P,
                               SWS_BILINEAR | SWS_ACCURATE_RND, nullptr, nullptr, nullptr));
  if (!scaler_) return make_error(StatusCode::kOutOfMemoryError, "no memory for a colour converter");
  constexpr int kOne = 1 << 16;
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(SWS_CS_DEFAULT), 1, sws_getCoefficients(SWS_CS_ITU709), 0,
                           0, kOne, kOne);
  return {};
}

Status VideoWriter::open_output() {
  AVFormatContext* created = nullptr;
  const std::string url = "file:" + file_.temporary_path().string();
  if (const int error = avformat_alloc_output_context2(&created, nullptr, "mp4", url.c_str()); error < 0) {
    return failed("an MP4 cannot be written", error);
  }
  output_.reset(created);
  AVStream* stream = avformat_new_stream(created, nullptr);
  if (stream == nullptr || avcodec_parameters_from_context(stream->codecpar, encoder_.get()) < 0) {
    return make_error(StatusCode::kOutOfMemoryError, "no memory for a video stream");
  }
  stream->time_base = encoder_->time_base;
  stream->avg_frame_rate = encoder_->framerate;
  int error = avio_open(&created->pb, url.c_str(), AVIO_FLAG_WRITE);
  av::Options options;
  options.set("movflags", "+faststart");  // the index in front: players start before the whole file is there
  options.set("video_track_timescale", std::to_string(kTicks).c_str());
  if (error >= 0) error = avformat_write_header(created, options.get());
  return error < 0 ? failed("the video cannot be written", error) : Status();
}

Status VideoWriter::write(const cv::Mat& bgr, double time_s) {
  if (bgr.size() != size_) {
    return make_error(StatusCode::kInputError, "frame {} has {}x{} pixels, the first one {}x{}", frames_, bgr.cols,
                      bgr.rows, size_.width, size_.height)
        .at(path_.string())
        .with_hint("a video whose size changes cannot be saved as one; use --json without --save");
  }
  cv::Mat even = bgr;
  if (bgr.cols % 2 != 0 || bgr.rows % 2 != 0) {
    cv::copyMakeBorder(bgr, even, 0, bgr.rows % 2, 0, bgr.cols % 2, cv::BORDER_REPLICATE);
  }
  // The encoder may still hold the last picture's memory.
  if (av_frame_make_writable(picture_.get()) < 0) {
    return make_error(StatusCode::kOutOfMemoryError, "no memory for a video frame");
  }
  const std::array<const std::uint8_t*, 4> planes{even.data};
  const std::array<int, 4> strides{static_cast<int>(even.step[0])};
  sws_scale(scaler_.get(), planes.data(), strides.data(), 0, even.rows, picture_->data, picture_->linesize);
  picture_->pts = std::max(last_pts_ + 1, static_cast<std::int64_t>(std::llround(time_s * kTicks)));
  last_pts_ = picture_->pts;
  TERN_RETURN_IF_ERROR(encode(picture_.get()));
  ++frames_;
  return {};
}

Status VideoWriter::encode(const AVFrame* picture) {
  if (const int error = avcodec_send_frame(encoder_.get(), picture); error < 0) {
    return failed("a frame cannot be encoded", error);
  }
  for (;;) {
    const int got = avcodec_receive_packet(encoder_.get(), packet_.get());
    if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) return {};
    if (got < 0) return failed("a frame cannot be encoded", got);
    const AVStream& stream = *output_->streams[0];
    av_packet_rescale_ts(packet_.get(), encoder_->time_base, stream.time_base);
    packet_->stream_index = 0;
    if (packet_->duration == 0) {
      packet_->duration = av_rescale_q(1, av_inv_q(encoder_->framerate), stream.time_base);
    }
    if (const int error = av_interleaved_write_frame(output_.get(), packet_.get()); error < 0) {
      return failed("the video cannot be written", error);
    }
  }
}

Status VideoWriter::finish() {
  TERN_RETURN_IF_ERROR(encode(nullptr));
  int error = av_write_trailer(output_.get());
  if (error >= 0) error = output_->pb->error;
  const int closed = avio_closep(&output_->pb);
  if (error >= 0) error = closed;
  if (error < 0) return failed("the video cannot be written", error);
  return file_.commit();
}

}  // namespace tern
