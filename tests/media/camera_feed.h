// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <opencv2/core/mat.hpp>

#include "media/av.h"

namespace tern::test {

/// What a camera sends: frames encoded without delay (H.264 where this FFmpeg has libx264, else MPEG-2), a key frame each 10.
class CameraFeed {
 public:
  using Write = std::function<void(std::string_view bytes)>;
  /// `format`: "mpegts", or "rtp", of which each call of `write` gets one packet. `size`: of the first frame.
  CameraFeed(const char* format, cv::Size size, Write write);
  ~CameraFeed();
  CameraFeed(const CameraFeed&) = delete;
  CameraFeed& operator=(const CameraFeed&) = delete;

  /// From a change of the size on with a new key frame. Sizes are even.
  void send(const cv::Mat& bgr, double time_s);
  void send_grey(cv::Size size, int value, double time_s);
  /// What RTSP's DESCRIBE answers; of "rtp".
  [[nodiscard]] std::string sdp();

 private:
  void open_encoder(cv::Size size);
  void mux();

  Write write_;
  AVFormatContext* output_ = nullptr;
  av::Codec encoder_;
  av::Packet packet_{av_packet_alloc()};
  av::Picture picture_;
};

}  // namespace tern::test
