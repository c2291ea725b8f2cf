// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/video_reader.h"

#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

extern "C" {
#include <libavutil/pixdesc.h>
}

#include "base/error.h"
#include "media/decoding.h"

namespace tern {
namespace {

// Demuxers of files that stand for themselves. Playlists and scripts (hls, dash, concat, image sequences), which name
// other files, are left out.
constexpr const char* kFormats =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,ivf,obu,flv,asf,ogg,nut,mjpeg,gif,"
    "yuv4mpegpipe";

// Frames in the index that are to be shown: an edit list can hide some. 0 when the format keeps no index of frames.
std::int64_t indexed_frames(const AVFormatContext& input, AVStream& stream) {
  if (std::string_view(input.iformat->name).find("mp4") == std::string_view::npos) return 0;
  std::int64_t shown = 0;
  const int entries = avformat_index_get_entries_count(&stream);
  for (int i = 0; i < entries; ++i) {
    const AVIndexEntry* entry = avformat_index_get_entry(&stream, i);
    if (entry != nullptr && (entry->flags & AVINDEX_DISCARD_FRAME) == 0) ++shown;
  }
  return shown;
}

}  // namespace

Result<VideoReader> VideoReader::open(const std::filesystem::path& path) {
  // FFmpeg's numbers do not tell a missing file from a bad one reliably; the system's do.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return make_error(StatusCode::kIoError, "cannot open the file: {}", av::error_text(AVERROR(errno)))
        .at(path.string());
  }
  ::close(fd);
  static_cast<void>(av::take_log());
  VideoReader reader;
  reader.path_ = path;
  for (const auto step : {&VideoReader::find_stream, &VideoReader::open_stream_decoder}) {
    if (const Status status = (reader.*step)(); !status.ok()) {
      return status.at(path.string()).with_cause(av::take_log());
    }
  }
  reader.note_colours();
  return reader;
}

Status VideoReader::find_stream() {
  av::Options options;
  options.set("protocol_whitelist", "file");
  options.set("format_whitelist", kFormats);
  AVFormatContext* opened = nullptr;
  const int error = avformat_open_input(&opened, ("file:" + path_.string()).c_str(), nullptr, options.get());
  if (error < 0) {
    return make_error(StatusCode::kInputError, "neither an image nor a video that can be read: {}",
                      av::error_text(error))
        .with_hint("an MP4 whose recording was cut off has no index; a recovery tool can rebuild it");
  }
  input_.reset(opened);
  if (const int rc = avformat_find_stream_info(opened, nullptr); rc < 0) {
    return make_error(StatusCode::kInputError, "the video's streams cannot be read: {}", av::error_text(rc));
  }
  stream_ = av_find_best_stream(opened, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (stream_ < 0) return make_error(StatusCode::kInputError, "the file has no video stream that can be decoded");
  for (unsigned i = 0; i < opened->nb_streams; ++i) {
    if (static_cast<int>(i) != stream_) opened->streams[i]->discard = AVDISCARD_ALL;
  }
  return {};
}

Status VideoReader::open_stream_decoder() {
  AVStream& stream = *input_->streams[stream_];
  TERN_ASSIGN_OR_RETURN(decoder_, open_decoder(stream, DecoderUse::kFile));
  packet_.reset(av_packet_alloc());
  if (!packet_) return make_error(StatusCode::kOutOfMemoryError, "no memory for a video decoder");
  const AVRational rate = av_guess_frame_rate(input_.get(), &stream, nullptr);
  if (rate.num > 0 && rate.den > 0) frame_rate_ = rate;
  frame_count_ = indexed_frames(*input_, stream);
  quarter_turns_ = quarter_turns_of(stream);
  return {};
}

void VideoReader::note_colours() {
  const AVCodecParameters& parameters = *input_->streams[stream_]->codecpar;
  if (parameters.color_trc == AVCOL_TRC_SMPTE2084 || parameters.color_trc == AVCOL_TRC_ARIB_STD_B67) {
    notes_.emplace_back("the video is HDR; its values are taken as they are, without tone mapping");
  }
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(parameters.format));
  if (format != nullptr && format->comp[0].depth > 8) {
    notes_.push_back(fmt::format("the video has {}-bit channels; they are rounded to 8 bits", format->comp[0].depth));
  }
}

Status VideoReader::ended_early(std::string_view why) const {
  const std::string total = frame_count_ > 0 ? fmt::format(" of {}", frame_count_) : std::string();
  return make_error(StatusCode::kInputError, "the video ends early at frame {}{}: {}", next_index_, total, why)
      .at(path_.string())
      .with_hint("the frames before it are complete");
}

// One packet to the decoder, or the news that there are none left.
Status VideoReader::feed() {
  for (;;) {
    const int error = av_read_frame(input_.get(), packet_.get());
    if (error == AVERROR_EOF || error == AVERROR(EAGAIN)) break;
    if (error < 0) {
      failure_ = make_error(StatusCode::kInputError, "{}", av::error_text(error));
      break;
    }
    if (packet_->stream_index != stream_) {
      av_packet_unref(packet_.get());
      continue;
    }
    if ((packet_->flags & AV_PKT_FLAG_CORRUPT) != 0) {
      av_packet_unref(packet_.get());
      failure_ = make_error(StatusCode::kInputError, "a packet is cut short");
      break;
    }
    const int sent = avcodec_send_packet(decoder_.get(), packet_.get());
    av_packet_unref(packet_.get());
    if (sent >= 0) return {};
    failure_ = make_error(StatusCode::kInputError, "a packet cannot be decoded ({})", av::error_text(sent));
    break;
  }
  draining_ = true;
  avcodec_send_packet(decoder_.get(), nullptr);
  return {};
}

Result<bool> VideoReader::next(Frame& frame) {
  av::Picture picture(av_frame_alloc());
  if (!picture) return make_error(StatusCode::kOutOfMemoryError, "no memory for a video frame");
  for (;;) {
    const int got = avcodec_receive_frame(decoder_.get(), picture.get());
    if (got >= 0) {
      if (is_damaged(*picture)) return ended_early("its picture is damaged").with_cause(av::take_log());
      TERN_ASSIGN_OR_RETURN(frame, to_frame(std::move(picture)));
      return true;
    }
    if (got == AVERROR(EAGAIN) && !draining_) {
      TERN_RETURN_IF_ERROR(feed());
      continue;
    }
    if (got != AVERROR_EOF) {
      return ended_early(fmt::format("it cannot be decoded ({})", av::error_text(got))).with_cause(av::take_log());
    }
    if (!failure_.ok()) return ended_early(failure_.message()).with_cause(av::take_log());
    if (next_index_ < frame_count_) return ended_early("the file has no more data").with_cause(av::take_log());
    if (next_index_ == 0) {
      return make_error(StatusCode::kInputError, "the video has no frames")
          .at(path_.string())
          .with_cause(av::take_log());
    }
    return false;
  }
}

Result<Frame> VideoReader::to_frame(av::Picture picture) {
  const AVStream& stream = *input_->streams[stream_];
  Frame frame;
  frame.source = path_;
  frame.index = next_index_++;
  const std::int64_t start = stream.start_time == AV_NOPTS_VALUE ? 0 : stream.start_time;
  frame.time_s = picture->best_effort_timestamp == AV_NOPTS_VALUE
                     ? static_cast<double>(frame.index) / av_q2d(frame_rate_)
                     : static_cast<double>(picture->best_effort_timestamp - start) * av_q2d(stream.time_base);
  TERN_RETURN_IF_ERROR(converter_.convert(std::move(picture), quarter_turns_, frame.view, frame.pixels));
  return frame;
}

}  // namespace tern
