// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "camera_feed.h"

#include <array>
#include <cmath>
#include <stdexcept>

namespace tern::test {
namespace {

constexpr int kTicks = 90000;
constexpr int kPacketBytes = 1400;
constexpr int kTransportPacketBytes = 188 * 7;

void check(int error, const char* what) {
  if (error < 0) throw std::runtime_error(std::string(what) + ": " + av::error_text(error));
}

#if LIBAVFORMAT_VERSION_MAJOR >= 61  // FFmpeg 7
using Written = const std::uint8_t*;
#else
using Written = std::uint8_t*;
#endif

int write_bytes(void* write, Written bytes, int size) {
  (*static_cast<CameraFeed::Write*>(write))({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  return size;
}

}  // namespace

CameraFeed::CameraFeed(const char* format, cv::Size size, Write write) : write_(std::move(write)) {
  check(avformat_alloc_output_context2(&output_, nullptr, format, nullptr), format);
  const bool is_rtp = std::string_view(format) == "rtp";
  const int bytes = is_rtp ? kPacketBytes : kTransportPacketBytes;
  auto* const buffer = static_cast<std::uint8_t*>(av_malloc(static_cast<std::size_t>(bytes)));
  output_->pb = avio_alloc_context(buffer, bytes, 1, &write_, nullptr, write_bytes, nullptr);
  output_->pb->max_packet_size = bytes;
  output_->packet_size = is_rtp ? static_cast<unsigned>(bytes) : 0;
  output_->flags |= AVFMT_FLAG_FLUSH_PACKETS | AVFMT_FLAG_CUSTOM_IO;
  open_encoder(size);
  AVStream* const stream = avformat_new_stream(output_, nullptr);
  check(avcodec_parameters_from_context(stream->codecpar, encoder_.get()), "parameters");
  stream->time_base = {1, kTicks};
  check(avformat_write_header(output_, nullptr), "header");
}

CameraFeed::~CameraFeed() {
  av_write_trailer(output_);
  av_freep(&output_->pb->buffer);
  avio_context_free(&output_->pb);
  avformat_free_context(output_);
}

void CameraFeed::open_encoder(cv::Size size) {
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr) codec = avcodec_find_encoder(AV_CODEC_ID_MPEG2VIDEO);
  encoder_.reset(avcodec_alloc_context3(codec));
  encoder_->width = size.width;
  encoder_->height = size.height;
  encoder_->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder_->time_base = codec->id == AV_CODEC_ID_H264 ? AVRational{1, kTicks} : AVRational{1, 25};
  encoder_->framerate = {25, 1};
  encoder_->gop_size = 10;
  encoder_->max_b_frames = 0;
  encoder_->thread_count = 1;
  encoder_->bit_rate = 2000000;
  av::Options options;
  options.set("preset", "ultrafast");
  options.set("tune", "zerolatency");
  check(avcodec_open2(encoder_.get(), codec, options.get()), "encoder");
  picture_.reset(av_frame_alloc());
  picture_->width = size.width;
  picture_->height = size.height;
  picture_->format = AV_PIX_FMT_YUV420P;
  check(av_frame_get_buffer(picture_.get(), 0), "frame");
}

void CameraFeed::mux() {
  while (avcodec_receive_packet(encoder_.get(), packet_.get()) >= 0) {
    av_packet_rescale_ts(packet_.get(), encoder_->time_base, output_->streams[0]->time_base);
    packet_->stream_index = 0;
    check(av_write_frame(output_, packet_.get()), "packet");
    av_packet_unref(packet_.get());
  }
  av_write_frame(output_, nullptr);
  avio_flush(output_->pb);
}

void CameraFeed::send(const cv::Mat& bgr, double time_s) {
  if (bgr.cols != encoder_->width || bgr.rows != encoder_->height) open_encoder(bgr.size());
  check(av_frame_make_writable(picture_.get()), "frame");
  const av::Scaler scaler(sws_getContext(bgr.cols, bgr.rows, AV_PIX_FMT_BGR24, bgr.cols, bgr.rows, AV_PIX_FMT_YUV420P,
                                         SWS_BILINEAR, nullptr, nullptr, nullptr));
  const std::array<const std::uint8_t*, 4> planes{bgr.data};
  const std::array<int, 4> strides{static_cast<int>(bgr.step[0])};
  sws_scale(scaler.get(), planes.data(), strides.data(), 0, bgr.rows, picture_->data, picture_->linesize);
  picture_->pts = std::llround(time_s / av_q2d(encoder_->time_base));
  check(avcodec_send_frame(encoder_.get(), picture_.get()), "frame");
  mux();
}

void CameraFeed::send_grey(cv::Size size, int value, double time_s) {
  send(cv::Mat(size, CV_8UC3, cv::Scalar::all(value)), time_s);
}

std::string CameraFeed::sdp() {
  std::array<char, 4096> text{};
  check(av_sdp_create(&output_, 1, text.data(), static_cast<int>(text.size())), "SDP");
  return text.data();
}

}  // namespace tern::test
