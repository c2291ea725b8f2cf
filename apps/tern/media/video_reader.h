// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "media/av.h"
#include "media/decoding.h"
#include "media/frame.h"
#include "tern/status.h"

namespace tern {

/// The frames of a video file's first picture stream, in display order; sound is ignored. Not thread-safe.
///
/// Frames come out as ViewConverter gives them, upright. Only file formats are opened, never a playlist or another file that this one names.
class VideoReader {
 public:
  /// IoError when the file cannot be read; InputError when it is no video that can be decoded, or its frames are too large.
  [[nodiscard]] static Result<VideoReader> open(const std::filesystem::path& path);

  /// Fills `frame`; false at the end. InputError, after the frames before it, where the video is damaged or ends before
  /// the length that its header states.
  [[nodiscard]] Result<bool> next(Frame& frame);

  /// Frames that the header promises; 0 when it does not say.
  [[nodiscard]] std::int64_t frame_count() const noexcept { return frame_count_; }
  /// Mean frame rate; 25/1 when unknown.
  [[nodiscard]] AVRational frame_rate() const noexcept { return frame_rate_; }
  /// What the user should know about this file (wide-gamut or HDR colours taken as they are, ...).
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

 private:
  VideoReader() = default;
  [[nodiscard]] Status find_stream();
  [[nodiscard]] Status open_stream_decoder();
  void note_colours();
  [[nodiscard]] Result<bool> receive(Frame& frame);
  [[nodiscard]] Status feed();
  [[nodiscard]] Result<Frame> to_frame(av::Picture picture);
  [[nodiscard]] Status ended_early(std::string_view why) const;

  std::filesystem::path path_;
  av::Input input_;
  av::Codec decoder_;
  av::Packet packet_;
  ViewConverter converter_;
  int stream_ = -1;
  int quarter_turns_ = 0;
  std::int64_t frame_count_ = 0;
  std::int64_t next_index_ = 0;
  AVRational frame_rate_{25, 1};
  bool draining_ = false;
  Status failure_;  // found while reading ahead; told when the frames before it are out
  std::vector<std::string> notes_;
};

}  // namespace tern
