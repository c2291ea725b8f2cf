// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/video_reader.h"

#include <cmath>
#include <fcntl.h>
#include <optional>
#include <unistd.h>
#include <utility>

extern "C" {
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

#include <opencv2/core.hpp>

#include "base/error.h"
#include "media/image_file.h"

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

bool is_damaged(const AVFrame& frame) {
  return frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
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
  for (const auto step : {&VideoReader::find_stream, &VideoReader::open_decoder}) {
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

Status VideoReader::open_decoder() {
  AVStream& stream = *input_->streams[stream_];
  const AVCodecParameters& parameters = *stream.codecpar;
  if (parameters.width <= 0 || parameters.height <= 0 || parameters.width > ImageView::kMaxSide ||
      parameters.height > ImageView::kMaxSide || std::int64_t{parameters.width} * parameters.height > kMaxImagePixels) {
    return make_error(StatusCode::kInputError, "the video's frames have {}x{} pixels; the limit is {} pixels",
                      parameters.width, parameters.height, kMaxImagePixels);
  }
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  if (codec == nullptr) {
    return make_error(StatusCode::kInputError, "this FFmpeg has no decoder for {}",
                      avcodec_get_name(parameters.codec_id));
  }
  decoder_.reset(avcodec_alloc_context3(codec));
  packet_.reset(av_packet_alloc());
  if (!decoder_ || !packet_) return make_error(StatusCode::kOutOfMemoryError, "no memory for a video decoder");
  int error = avcodec_parameters_to_context(decoder_.get(), &parameters);
  decoder_->pkt_timebase = stream.time_base;
  decoder_->max_pixels = kMaxImagePixels;
  decoder_->thread_count = 0;  // as many as there are processors
  if (error >= 0) error = avcodec_open2(decoder_.get(), codec, nullptr);
  if (error < 0) {
    return make_error(StatusCode::kInputError, "the {} decoder cannot be opened: {}", codec->name,
                      av::error_text(error));
  }
  const AVRational rate = av_guess_frame_rate(input_.get(), &stream, nullptr);
  if (rate.num > 0 && rate.den > 0) frame_rate_ = rate;
  frame_count_ = indexed_frames(*input_, stream);
  if (const std::int32_t* matrix = display_matrix(stream); matrix != nullptr) {
    const double angle = av_display_rotation_get(matrix);  // counter-clockwise, of the picture as stored
    if (!std::isnan(angle)) quarter_turns_ = static_cast<int>(std::lround(-angle / 90)) & 3;
  }
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
  const int matrix = matrix_of(*picture);
  const std::optional<PixelFormat> format = direct_format(*picture);
  const bool has_matrix = matrix == SWS_CS_ITU709 || matrix == SWS_CS_ITU601;
  if (quarter_turns_ == 0 && format && has_matrix) {
    frame.view.width = picture->width;
    frame.view.height = picture->height;
    frame.view.format = *format;
    frame.view.matrix = matrix == SWS_CS_ITU709 ? YuvMatrix::kBt709 : YuvMatrix::kBt601;
    frame.view.range = is_full_range(*picture) ? YuvRange::kFull : YuvRange::kLimited;
    for (std::size_t i = 0; i < static_cast<std::size_t>(plane_count(*format)); ++i) {
      frame.view.planes[i] = {picture->data[i], picture->linesize[i]};
    }
    frame.pixels = std::shared_ptr<const AVFrame>(picture.release(), av::FreeFrame{});
    return frame;
  }
  TERN_ASSIGN_OR_RETURN(cv::Mat bgr, converter_.convert(*picture, matrix, is_full_range(*picture)));
  if (quarter_turns_ != 0) {
    constexpr cv::RotateFlags kTurns[] = {cv::ROTATE_90_CLOCKWISE, cv::ROTATE_180, cv::ROTATE_90_COUNTERCLOCKWISE};
    cv::Mat turned;
    cv::rotate(bgr, turned, kTurns[quarter_turns_ - 1]);
    bgr = turned;
  }
  frame.view = view_of(bgr);
  frame.pixels = std::make_shared<const cv::Mat>(std::move(bgr));
  return frame;
}

}  // namespace tern
