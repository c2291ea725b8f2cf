// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "live/picture.h"
#include "live/sinks.h"
#include "media/video_writer.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

// Stated where a source has no rate of its own. Frames are shown by their time stamps whatever is stated.
constexpr double kUsualRate = 30;

// Models may finish a frame before the one that came before it, by as many places as frames of a source are worked on at once. So that
// many are held, and a video shows them in order.
class VideoSink : public ResultSink {
 public:
  VideoSink(fs::path path, std::string source, const LiveHooks& hooks)
      : path_(std::move(path)), source_name_(std::move(source)), logger_(hooks.logger) {}

  Status begin(const PipelineSpec& spec, const std::vector<PipelineModelInfo>& models) override {
    const auto source = std::ranges::find(spec.sources, source_name_, &PipelineSpec::Source::name);
    if (source == spec.sources.end()) {
      return make_error(StatusCode::kConfigError, "there is no source '{}'", source_name_).at("video");
    }
    source_ = static_cast<int>(source - spec.sources.begin());
    most_held_ = static_cast<std::size_t>(std::max(0, source->in_flight - 1));
    if (source->rate_hz > 0) rate_ = source->rate_hz;
    models_ = &models;
    return {};
  }

  Status write(const FrameResult& result) override {
    if (result.source != source_) return {};
    Held held;
    if (!spare_.empty()) {
      held = std::move(spare_.back());
      spare_.pop_back();
    }
    held.sequence = result.sequence;
    held.has_time = result.frame.time_s.has_value();
    held.time_s = result.frame.time_s.value_or(std::chrono::duration<double>(result.captured).count());
    TERN_RETURN_IF_ERROR(draw_result(result, *models_, 0, converter_, held.bgr));
    held_.insert(std::ranges::upper_bound(held_, held.sequence, {}, &Held::sequence), std::move(held));
    return held_.size() > most_held_ ? encode_first() : Status();
  }

  Status finish() override {
    while (!held_.empty() && is_ok_)
      TERN_RETURN_IF_ERROR(encode_first());
    if (!writer_ || !is_ok_) return {};
    return writer_->finish();
  }

 private:
  struct Held {
    std::uint64_t sequence = 0;
    bool has_time = false;  // of its video; else of its capture
    double time_s = 0;
    cv::Mat bgr{};
  };

  void note(std::string_view text) const {
    logger_->log(LogLevel::kWarning, "video", fmt::format("{}: {}", path_.string(), text));
  }

  Status encode_first() {
    Held held = std::move(held_.front());
    held_.erase(held_.begin());
    if (last_sequence_ && held.sequence < *last_sequence_) {
      note(fmt::format("frame {} came too late to be shown in its place", held.sequence));
    } else {
      is_ok_ = false;  // unless it goes well: what failed once is not to be finished
      TERN_RETURN_IF_ERROR(encode(held));
      is_ok_ = true;
      last_sequence_ = held.sequence;
    }
    spare_.push_back(std::move(held));
    return {};
  }

  Status encode(const Held& held) {
    if (!writer_) {
      TERN_ASSIGN_OR_RETURN(VideoWriter writer,
                            VideoWriter::create(path_, held.bgr.cols, held.bgr.rows, av_d2q(rate_, 1001000)));
      writer_.emplace(std::move(writer));
      size_ = last_size_ = held.bgr.size();
      begin_s_ = held.time_s;
    } else if (held.has_time != last_has_time_ || held.time_s <= last_s_) {  // a video or a camera that begins again
      begin_s_ += held.time_s - last_s_ - 1 / rate_;
    }
    last_s_ = held.time_s;
    last_has_time_ = held.has_time;
    if (held.bgr.size() != last_size_) {
      last_size_ = held.bgr.size();
      note(fmt::format("frames of {}x{} pixels are scaled to the {}x{} of the first", last_size_.width,
                       last_size_.height, size_.width, size_.height));
    }
    if (last_size_ == size_) return writer_->write(held.bgr, last_s_ - begin_s_);
    cv::resize(held.bgr, scaled_, size_, 0, 0, cv::INTER_AREA);
    return writer_->write(scaled_, last_s_ - begin_s_);
  }

  fs::path path_;
  std::string source_name_;
  std::shared_ptr<Logger> logger_;
  int source_ = -1;
  const std::vector<PipelineModelInfo>* models_ = nullptr;
  std::size_t most_held_ = 0;
  double rate_ = kUsualRate;
  BgrConverter converter_;
  std::optional<VideoWriter> writer_;
  std::vector<Held> held_;   // by sequence
  std::vector<Held> spare_;  // their memory
  cv::Mat scaled_;
  cv::Size size_, last_size_;  // of the video; of the last frame
  std::optional<std::uint64_t> last_sequence_;
  double begin_s_ = 0, last_s_ = 0;
  bool last_has_time_ = false;
  bool is_ok_ = true;
};

}  // namespace

Result<SinkParts> make_video_sink(const PipelineSpec::Sink& spec, const fs::path& folder, const LiveHooks& hooks) {
  const fs::path path = folder / spec.path;
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (std::error_code ignored; !fs::is_directory(parent, ignored) || ::access(parent.c_str(), W_OK) != 0) {
    return make_error(StatusCode::kIoError, "no file can be made in this folder").at(parent.string());
  }
  SinkParts parts;
  parts.name = "video";
  parts.sink = std::make_unique<VideoSink>(path, spec.source, hooks);
  return parts;
}

}  // namespace tern
