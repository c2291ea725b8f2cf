// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "live/sources.h"

namespace tern {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kBetweenWarnings{10};

class CameraSource : public FrameSource {
 public:
  CameraSource(std::string name, std::unique_ptr<StreamReader> reader, LiveHooks hooks)
      : name_(std::move(name)), reader_(std::move(reader)), hooks_(std::move(hooks)) {}

  Result<bool> next(SourceFrame& frame, std::stop_token stop) override {
    Result<bool> more = reader_->next(frame, stop);
    tell_damage();
    if (more.ok() && *more) tell_size(frame.view);
    return more;
  }

 private:
  void tell_damage() {
    const std::uint64_t now = reader_->damaged();
    if (now == counted_) return;
    if (counter_ == nullptr) {
      counter_ = find_counter(hooks_, "tern_pipeline_damaged_total",
                              "Packets and frames of a camera that were skipped, since they came damaged",
                              {{"source", name_}});
    }
    if (counter_ != nullptr) counter_->add(now - counted_);
    counted_ = now;
    if (Clock::now() < next_warning_) return;
    next_warning_ = Clock::now() + kBetweenWarnings;
    hooks_.logger->log(LogLevel::kWarning, "source",
                       fmt::format("{}: {} damaged packets and frames were skipped so far", name_, now));
  }

  void tell_size(const ImageView& view) {
    if (view.width == width_ && view.height == height_ && view.format == format_) return;
    width_ = view.width;
    height_ = view.height;
    format_ = view.format;
    hooks_.logger->log(LogLevel::kInfo, "source",
                       fmt::format("{}: frames have {}x{} pixels ({})", name_, width_, height_, to_string(format_)));
  }

  std::string name_;
  std::unique_ptr<StreamReader> reader_;
  LiveHooks hooks_;
  MetricCounter* counter_ = nullptr;
  std::uint64_t counted_ = 0;
  Clock::time_point next_warning_{};
  int width_ = 0, height_ = 0;
  PixelFormat format_{};
};

}  // namespace

StreamOrigin stream_origin(const PipelineSpec::Source& spec) {
  StreamOrigin origin;
  origin.url = spec.location;
  if (spec.kind == PipelineSpec::SourceKind::kV4l2) {
    origin.format = "v4l2";
    origin.is_device = true;
    if (spec.width > 0) origin.options.emplace_back("video_size", fmt::format("{}x{}", spec.width, spec.height));
    if (spec.rate_hz > 0) origin.options.emplace_back("framerate", fmt::format("{:.6g}", spec.rate_hz));
    return origin;
  }
  origin.format = "rtsp";
  origin.protocols = spec.location.starts_with("rtsps:") ? "rtsp,rtp,udp,tcp,tls,srtp" : "rtsp,rtp,udp,tcp";
  origin.options = {{"rtsp_transport", spec.is_udp ? "udp" : "tcp"}, {"allowed_media_types", "video"}};
  return origin;
}

SourceParts make_stream_source(const std::string& name, const StreamOrigin& origin, const LiveHooks& hooks) {
  SourceParts parts;
  parts.is_live = true;
  parts.open = [name, origin, hooks](std::stop_token stop) -> Result<std::unique_ptr<FrameSource>> {
    TERN_ASSIGN_OR_RETURN(std::unique_ptr<StreamReader> reader, StreamReader::open(origin, std::move(stop)));
    return std::unique_ptr<FrameSource>(std::make_unique<CameraSource>(name, std::move(reader), hooks));
  };
  return parts;
}

}  // namespace tern
