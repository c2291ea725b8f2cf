// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/sources.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "live/pacer.h"
#include "live/pattern.h"
#include "media/image_file.h"
#include "media/sources.h"
#include "media/video_reader.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using SourceKind = PipelineSpec::SourceKind;

// Frames of a pattern that sinks may hold beyond those that wait or are worked on.
constexpr std::size_t kHeldBySinks = 8;

Nanoseconds from_seconds(double seconds) {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(seconds));
}

// What recorded sources share: they number their frames across repeats, and may keep a pace.
class RecordedSource : public FrameSource {
 protected:
  RecordedSource(std::string name, const LiveHooks& hooks) : name_(std::move(name)), logger_(hooks.logger) {}

  void warn(std::string_view message) const {
    logger_->log(LogLevel::kWarning, "source", fmt::format("{}: {}", name_, message));
  }
  // False after a stop.
  bool wait(Nanoseconds time, SourceFrame& frame, const std::stop_token& stop) {
    const std::optional<Nanoseconds> due = pacer_.wait(time, stop);
    if (pacer_.take_lag()) warn("frames do not come as fast as they should; they come later from here on");
    frame.captured = due.value_or(Nanoseconds{});
    return due.has_value();
  }
  // All but when it was captured.
  void fill(Frame from, SourceFrame& frame) {
    frame.view = from.view;
    frame.pixels = std::move(from.pixels);
    frame.captured = {};
    frame.index = next_index_++;
    frame.time_s = from.time_s;
    frame.file = from.source.native();
  }

 private:
  std::string name_;
  std::shared_ptr<Logger> logger_;
  Pacer pacer_;
  std::int64_t next_index_ = 0;
};

class ImagesSource : public RecordedSource {
 public:
  ImagesSource(const PipelineSpec::Source& spec, std::vector<fs::path> files, const LiveHooks& hooks)
      : RecordedSource(spec.name, hooks),
        files_(std::move(files)),
        is_looping_(spec.is_looping),
        rate_hz_(spec.rate_hz) {}

  Result<bool> next(SourceFrame& frame, std::stop_token stop) override {
    if (stop.stop_requested() || (next_ == files_.size() && !is_looping_)) return false;
    next_ %= files_.size();
    std::vector<std::string> warnings;
    TERN_ASSIGN_OR_RETURN(Frame image, read_image_frame(files_[next_], &warnings));
    for (const std::string& warning : warnings)
      warn(fmt::format("{}: {}", files_[next_].string(), warning));
    ++next_;
    fill(std::move(image), frame);
    return rate_hz_ == 0 || wait(from_seconds(static_cast<double>(frame.index) / rate_hz_), frame, stop);
  }

 private:
  std::vector<fs::path> files_;
  bool is_looping_;
  double rate_hz_;
  std::size_t next_ = 0;
};

class VideoSource : public RecordedSource {
 public:
  VideoSource(const PipelineSpec::Source& spec, fs::path path, VideoReader reader, const LiveHooks& hooks)
      : RecordedSource(spec.name, hooks),
        path_(std::move(path)),
        reader_(std::move(reader)),
        is_looping_(spec.is_looping),
        is_real_time_(spec.is_real_time) {
    for (const std::string& note : reader_.notes())
      warn(fmt::format("{}: {}", path_.string(), note));
  }

  Result<bool> next(SourceFrame& frame, std::stop_token stop) override {
    Frame picture;
    while (!stop.stop_requested()) {
      TERN_ASSIGN_OR_RETURN(const bool more, reader_.next(picture));
      if (!more) {
        if (!is_looping_) return false;
        TERN_RETURN_IF_ERROR(rewind());
        continue;
      }
      last_s_ = picture.time_s.value_or(last_s_);
      fill(std::move(picture), frame);
      return !is_real_time_ || wait(from_seconds(begin_s_ + last_s_), frame, stop);
    }
    return false;
  }

 private:
  Status rewind() {
    begin_s_ += last_s_ + 1 / av_q2d(reader_.frame_rate());
    last_s_ = 0;
    TERN_ASSIGN_OR_RETURN(reader_, VideoReader::open(path_));
    return {};
  }

  fs::path path_;
  VideoReader reader_;
  bool is_looping_, is_real_time_;
  double begin_s_ = 0;  // of this turn, since the beginning of the first
  double last_s_ = 0;   // of the last frame, in its turn
};

Result<std::unique_ptr<FrameSource>> open_images(const PipelineSpec::Source& spec, const fs::path& folder,
                                                 const LiveHooks& hooks) {
  const std::array<std::string, 1> word{folder.string()};
  TERN_ASSIGN_OR_RETURN(const std::vector<Source> found, find_sources(word, true));
  std::vector<fs::path> files;
  for (const Source& source : found) {
    if (source.kind == Source::Kind::kImage) files.push_back(source.path);
  }
  if (files.empty()) {
    return make_error(StatusCode::kInputError, "there are no images")
        .at(folder.string())
        .with_hint("of a video the kind is video");
  }
  return std::unique_ptr<FrameSource>(std::make_unique<ImagesSource>(spec, std::move(files), hooks));
}

Result<std::unique_ptr<FrameSource>> open_video(const PipelineSpec::Source& spec, const fs::path& path,
                                                const LiveHooks& hooks) {
  TERN_ASSIGN_OR_RETURN(VideoReader reader, VideoReader::open(path));
  return std::unique_ptr<FrameSource>(std::make_unique<VideoSource>(spec, path, std::move(reader), hooks));
}

Result<std::unique_ptr<FrameSource>> open_pattern(const PipelineSpec::Source& spec) {
  const auto buffers = static_cast<std::size_t>(spec.queue + spec.in_flight) + kHeldBySinks;
  return std::unique_ptr<FrameSource>(std::make_unique<PatternSource>(spec.width, spec.height, spec.rate_hz, buffers));
}

}  // namespace

Result<SourceParts> make_source(const PipelineSpec::Source& spec, const fs::path& folder, const LiveHooks& hooks) {
  const fs::path path = folder / spec.location;
  SourceParts parts;
  switch (spec.kind) {
    case SourceKind::kImages:
      parts.open = [spec, path, hooks](std::stop_token) { return open_images(spec, path, hooks); };
      return parts;
    case SourceKind::kVideo:
      parts.open = [spec, path, hooks](std::stop_token) { return open_video(spec, path, hooks); };
      return parts;
    case SourceKind::kPattern:
      if (spec.rate_hz <= 0 || spec.width < 2 || spec.height < 2) {
        return make_error(StatusCode::kConfigError, "a pattern needs a rate, a width and a height").at(spec.name);
      }
      parts.open = [spec](std::stop_token) { return open_pattern(spec); };
      return parts;
    case SourceKind::kRtsp:
    case SourceKind::kV4l2:
      return make_stream_source(spec.name, stream_origin(spec), hooks);
  }
  return make_error(StatusCode::kInternalError, "there is no such kind of source");
}

}  // namespace tern
