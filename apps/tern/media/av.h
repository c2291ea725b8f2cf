// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/error.h>
#include <libswscale/swscale.h>
}

#include "tern/status.h"

namespace tern::av {

// One owner for each FFmpeg object.
struct CloseInput {
  void operator()(AVFormatContext* context) const noexcept { avformat_close_input(&context); }
};
struct FreeOutput {
  void operator()(AVFormatContext* context) const noexcept {
    if (context->pb != nullptr) avio_closep(&context->pb);
    avformat_free_context(context);
  }
};
struct FreeCodec {
  void operator()(AVCodecContext* context) const noexcept { avcodec_free_context(&context); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const noexcept { av_packet_free(&packet); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const noexcept { av_frame_free(&frame); }
};
struct FreeScaler {
  void operator()(SwsContext* context) const noexcept { sws_freeContext(context); }
};
using Input = std::unique_ptr<AVFormatContext, CloseInput>;
using Output = std::unique_ptr<AVFormatContext, FreeOutput>;
using Codec = std::unique_ptr<AVCodecContext, FreeCodec>;
using Packet = std::unique_ptr<AVPacket, FreePacket>;
using Picture = std::unique_ptr<AVFrame, FreeFrame>;
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;

/// Options for FFmpeg calls that take a dictionary; what a call did not know stays in it.
class Options {
 public:
  Options() = default;
  ~Options() { av_dict_free(&dictionary_); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  void set(const char* key, const char* value) { av_dict_set(&dictionary_, key, value, 0); }
  [[nodiscard]] AVDictionary** get() noexcept { return &dictionary_; }

 private:
  AVDictionary* dictionary_ = nullptr;
};

/// From now on FFmpeg's warnings and errors are kept (the last few, URLs cut down to what may be shown) instead of printed. Call once, at the start.
void capture_log();
/// What was kept since the last call, one line each.
[[nodiscard]] std::string take_log();

/// FFmpeg's name for an error number.
[[nodiscard]] std::string error_text(int error);

}  // namespace tern::av
