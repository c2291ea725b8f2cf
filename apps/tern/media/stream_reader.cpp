// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/stream_reader.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "media/capture_devices.h"
#include "media/url.h"

namespace tern {
namespace {

// What a container's beginning is searched for streams in; protocols that describe themselves need none of it.
constexpr const char* kProbeBytes = "1000000";
constexpr const char* kProbeMicroseconds = "2000000";
// How long packets of a camera over UDP are waited for that were overtaken.
constexpr const char* kReorderMicroseconds = "100000";
// A device is asked again after this long. It has frames every 5 ms at most.
constexpr std::chrono::milliseconds kPoll{1};
// So long it may take to tell a camera that it is not needed any more.
constexpr std::chrono::milliseconds kFarewell{200};
// A jump of the time stamps by more than this is a new beginning.
constexpr double kMaxGapSeconds = 10;

bool has_known_video(const AVFormatContext& input) {
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    const AVCodecParameters& parameters = *input.streams[i]->codecpar;
    if (parameters.codec_type == AVMEDIA_TYPE_VIDEO && parameters.codec_id != AV_CODEC_ID_NONE) return true;
  }
  return false;
}

}  // namespace

int StreamReader::Patience::is_over(void* patience) noexcept {
  const auto& self = *static_cast<const Patience*>(patience);
  return self.stop.stop_requested() || Clock::now() >= self.until ? 1 : 0;
}

void StreamReader::Arrivals::add(const AVPacket& packet, Nanoseconds now, AVRational time_base) noexcept {
  if (packet.dts != AV_NOPTS_VALUE && last_dts_ != AV_NOPTS_VALUE) {
    const double step = static_cast<double>(packet.dts - last_dts_) * av_q2d(time_base);
    if (step < 0 || step > kMaxGapSeconds) arrivals_.fill({});
  }
  last_dts_ = packet.dts;
  last_ = now;
  arrivals_[next_] = {packet.pts, now};
  next_ = (next_ + 1) % arrivals_.size();
}

// A frame was taken before those that are shown after it, even where their packets came before its own.
Nanoseconds StreamReader::Arrivals::of(std::int64_t pts) const noexcept {
  Nanoseconds earliest = last_;
  if (pts == AV_NOPTS_VALUE) return earliest;
  for (const Arrival& arrival : arrivals_) {
    if (arrival.pts != AV_NOPTS_VALUE && arrival.pts >= pts) earliest = std::min(earliest, arrival.at);
  }
  return earliest;
}

Status StreamReader::failed(std::string_view what, int error) const {
  if (error == AVERROR_EXIT) {
    if (patience_.stop.stop_requested()) return make_error(StatusCode::kCancelled, "{}: stopped", what);
    return make_error(StatusCode::kTimeout, "{}: nothing came for {:.1f} s", what,
                      std::chrono::duration<double>(origin_.timeout).count())
        .at(shown_url(origin_.url));
  }
  const StatusCode code = error == AVERROR_INVALIDDATA ? StatusCode::kInputError : StatusCode::kIoError;
  return make_error(code, "{}: {}", what, av::error_text(error)).at(shown_url(origin_.url));
}

Result<std::unique_ptr<StreamReader>> StreamReader::open(const StreamOrigin& origin, std::stop_token stop) {
  std::unique_ptr<StreamReader> reader(new StreamReader(origin));
  if (!reader->packet_ || !reader->picture_) return make_error(StatusCode::kOutOfMemoryError, "no memory for a stream");
  TERN_RETURN_IF_ERROR(reader->connect(std::move(stop)));
  TERN_RETURN_IF_ERROR(reader->find_stream());
  return reader;
}

// A camera is told that it may stop sending, also after a stop or a time-out here.
StreamReader::~StreamReader() {
  patience_ = {{}, Clock::now() + kFarewell};
}

Status StreamReader::connect(std::stop_token stop) {
  const AVInputFormat* format = nullptr;
  if (origin_.is_device) {
    TERN_ASSIGN_OR_RETURN(format, av::capture_device(origin_.format));
  } else {
    format = av_find_input_format(origin_.format.c_str());
    if (format == nullptr) {
      return make_error(StatusCode::kBackendError, "this FFmpeg cannot read {}", origin_.format);
    }
  }
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr) return make_error(StatusCode::kOutOfMemoryError, "no memory for a stream");
  patience_ = {std::move(stop), Clock::now() + origin_.timeout};
  context->interrupt_callback = {&Patience::is_over, &patience_};
  context->flags |= AVFMT_FLAG_NOBUFFER;
  if (origin_.is_device) context->flags |= AVFMT_FLAG_NONBLOCK;  // devices do not ask whether to go on waiting
  av::Options options;
  options.set("protocol_whitelist", origin_.protocols.c_str());
  options.set("format_whitelist", origin_.format.c_str());
  options.set("probesize", kProbeBytes);
  options.set("analyzeduration", kProbeMicroseconds);
  options.set("max_delay", kReorderMicroseconds);
  for (const auto& [key, value] : origin_.options)
    options.set(key.c_str(), value.c_str());
  // It frees the context when it fails. Up to FFmpeg 4 the format is not const.
  const int error = avformat_open_input(&context, origin_.url.c_str(), const_cast<AVInputFormat*>(format),  // NOLINT
                                        options.get());
  if (error < 0) return failed("the stream cannot be opened", error);
  input_.reset(context);
  return {};
}

Status StreamReader::find_stream() {
  AVFormatContext& input = *input_;
  // Looking at packets takes time, and holds them back.
  if (!has_known_video(input)) {
    patience_.until = Clock::now() + origin_.timeout;
    if (const int error = avformat_find_stream_info(&input, nullptr); error < 0)
      return failed("the stream cannot be read", error);
  }
  stream_ = av_find_best_stream(&input, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (stream_ < 0) {
    return make_error(StatusCode::kInputError, "the stream has no video that can be decoded")
        .at(shown_url(origin_.url));
  }
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    if (static_cast<int>(i) != stream_) input.streams[i]->discard = AVDISCARD_ALL;
  }
  const AVStream& stream = *input.streams[stream_];
  quarter_turns_ = quarter_turns_of(stream);
  Result<av::Codec> decoder = open_decoder(stream, DecoderUse::kLive);
  if (!decoder.ok()) return decoder.status().at(shown_url(origin_.url));
  decoder_ = std::move(*decoder);
  return {};
}

Status StreamReader::skip_damaged() {
  ++damaged_;
  // Until its first key frame a stream that was joined in its middle cannot be decoded.
  if (next_index_ == 0 || ++damaged_run_ < kMaxDamaged) return {};
  return make_error(StatusCode::kInputError, "{} packets and frames in a row are damaged", damaged_run_)
      .at(shown_url(origin_.url));
}

// The next packet of the stream; false at its end, or after a stop.
Result<bool> StreamReader::read_packet(const std::stop_token& stop) {
  patience_ = {stop, Clock::now() + origin_.timeout};
  for (;;) {
    const int error = av_read_frame(input_.get(), packet_.get());
    if (error >= 0) {
      if (packet_->stream_index == stream_) return true;
      av_packet_unref(packet_.get());
      if (Patience::is_over(&patience_) == 0) continue;
    } else if (error == AVERROR(EAGAIN) && Patience::is_over(&patience_) == 0) {
      sleep_.lasting(kPoll, stop);
      continue;
    } else if (error == AVERROR_EOF && !stop.stop_requested()) {
      return false;
    }
    if (stop.stop_requested()) return false;
    const bool is_late = error >= 0 || error == AVERROR(EAGAIN) || error == AVERROR_EXIT;
    return failed("the stream broke off", is_late ? AVERROR_EXIT : error);
  }
}

// One packet to the decoder, or the news that there are none left; false after a stop.
Result<bool> StreamReader::feed(const std::stop_token& stop) {
  if (Clock::now() - waiting_since_ > origin_.decode_timeout) {
    return make_error(StatusCode::kTimeout, "packets come, but no frame could be decoded for {:.0f} s",
                      std::chrono::duration<double>(origin_.decode_timeout).count())
        .at(shown_url(origin_.url));
  }
  TERN_ASSIGN_OR_RETURN(const bool is_there, read_packet(stop));
  if (!is_there) {
    if (stop.stop_requested()) return false;
    draining_ = true;
    avcodec_send_packet(decoder_.get(), nullptr);
    return true;
  }
  arrivals_.add(*packet_, Clock::now().time_since_epoch(), input_->streams[stream_]->time_base);
  const bool is_corrupt = (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0;
  const int sent = is_corrupt ? 0 : avcodec_send_packet(decoder_.get(), packet_.get());
  av_packet_unref(packet_.get());
  if (is_corrupt || sent < 0) TERN_RETURN_IF_ERROR(skip_damaged());
  return true;
}

Result<bool> StreamReader::next(SourceFrame& frame, const std::stop_token& stop) {
  waiting_since_ = Clock::now();
  while (!stop.stop_requested()) {
    const int got = avcodec_receive_frame(decoder_.get(), picture_.get());
    if (got >= 0 && !is_damaged(*picture_)) {
      damaged_run_ = 0;
      TERN_RETURN_IF_ERROR(fill(frame));
      return true;
    }
    if (got == AVERROR_EOF) return false;
    if (got == AVERROR(EAGAIN) && !draining_) {
      TERN_ASSIGN_OR_RETURN(const bool goes_on, feed(stop));
      if (!goes_on) return false;
      continue;
    }
    TERN_RETURN_IF_ERROR(skip_damaged());
    if (got < 0 && draining_) return false;
  }
  return false;
}

// The time stamps tell it, as long as they go about as fast as frames come: they may jump where a camera sets its clock, or by damage.
std::optional<double> StreamReader::time_of(std::int64_t pts, Nanoseconds captured) {
  if (pts == AV_NOPTS_VALUE) return std::nullopt;
  const double stamp = static_cast<double>(pts) * av_q2d(input_->streams[stream_]->time_base);
  if (last_stamp_) {
    const double step = stamp - *last_stamp_;
    const double waited = std::chrono::duration<double>(captured - last_captured_).count();
    last_time_s_ += step < 0 || std::abs(step - waited) > kMaxGapSeconds ? std::max(waited, 0.0) : step;
  }
  last_stamp_ = stamp;
  last_captured_ = captured;
  return last_time_s_;
}

Status StreamReader::fill(SourceFrame& frame) {
  const std::int64_t pts = picture_->best_effort_timestamp;
  frame.captured = arrivals_.of(pts);
  frame.index = next_index_++;
  frame.time_s = time_of(pts, frame.captured);
  frame.file.clear();
  av::Picture taken(av_frame_alloc());
  if (!taken) return make_error(StatusCode::kOutOfMemoryError, "no memory for a video frame");
  taken.swap(picture_);
  return converter_.convert(std::move(taken), quarter_turns_, frame.view, frame.pixels);
}

}  // namespace tern
