// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include <opencv2/core/mat.hpp>

#include "base/file.h"
#include "media/av.h"
#include "tern/status.h"

namespace tern {

/// Writes BGR frames as an MP4: H.264 (libx264) where this FFmpeg has it, else MPEG-4 part 2; 4:2:0, BT.709 limited range.
///
/// The file appears under its name with finish(), whole; without it nothing is left. Not thread-safe.
class VideoWriter {
 public:
  /// IoError when the file cannot be created; InputError when no encoder takes this size.
  [[nodiscard]] static Result<VideoWriter> create(const std::filesystem::path& path, int width, int height,
                                                  AVRational frame_rate);

  /// `time_s` since the start; later than the frame before. InputError when the size is not the first frame's.
  [[nodiscard]] Status write(const cv::Mat& bgr, double time_s);
  /// Ends the file and gives it its name. IoError when the disk is full.
  [[nodiscard]] Status finish();

  [[nodiscard]] std::int64_t frames() const noexcept { return frames_; }

 private:
  explicit VideoWriter(AtomicFile file) : file_(std::move(file)) {}
  [[nodiscard]] Status open_encoder(int width, int height, AVRational frame_rate);
  [[nodiscard]] Status open_output();
  [[nodiscard]] Status encode(const AVFrame* picture);
  [[nodiscard]] Status failed(std::string_view what, int error) const;

  std::filesystem::path path_;
  AtomicFile file_;
  av::Codec encoder_;
  av::Output output_;
  av::Picture picture_;
  av::Packet packet_;
  av::Scaler scaler_;
  cv::Size size_;  // of the frames given; the encoded ones are rounded up to even sides
  std::int64_t last_pts_ = -1;
  std::int64_t frames_ = 0;
};

}  // namespace tern
