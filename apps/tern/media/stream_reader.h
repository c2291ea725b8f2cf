// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/interruptible_sleep.h"
#include "media/av.h"
#include "media/decoding.h"
#include "tern/pipeline_io.h"
#include "tern/status.h"

namespace tern {

/// A camera, and how FFmpeg is to talk to it.
struct StreamOrigin {
  std::string url{};
  std::string format{};  ///< FFmpeg's name of the protocol or container ("rtsp", "mpegts"), or of the device ("v4l2")
  std::string protocols{};  ///< those that may be used, whatever the other side asks for: "rtsp,rtp,udp,tcp"
  bool is_device = false;   ///< of this computer: `url` is its file
  std::vector<std::pair<std::string, std::string>> options{};  ///< FFmpeg's, for `format`
  std::chrono::milliseconds timeout{5000};                     ///< without a packet, or until it is open
  std::chrono::milliseconds decode_timeout{20000};             ///< without a frame: key frames may be far apart
};

/// The frames of a camera, each as soon as it is there. Damaged packets and frames are skipped and counted. A change of the size or
/// pixel format is followed. Waiting ends soon after a stop; looking up a host name is the one thing that cannot be interrupted.
///
/// Frames are as ViewConverter gives them; captured is when the last packet needed to show the frame, and none after it, had come: what it
/// waited in the camera and on the way there is not in it. Not thread-safe.
class StreamReader {
 public:
  /// A run of so many damaged packets and frames is a failure.
  static constexpr int kMaxDamaged = 100;

  /// IoError or InputError that shows no more of the URL than its host; Timeout; Cancelled after a stop.
  [[nodiscard]] static Result<std::unique_ptr<StreamReader>> open(const StreamOrigin& origin, std::stop_token stop);
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;
  ~StreamReader();

  /// As FrameSource::next(). Timeout, or InputError after kMaxDamaged.
  [[nodiscard]] Result<bool> next(SourceFrame& frame, const std::stop_token& stop);
  /// Packets and frames that were skipped.
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Ends FFmpeg's calls that wait: it asks every now and then.
  struct Patience {
    std::stop_token stop;
    Clock::time_point until{};
    static int is_over(void* patience) noexcept;
  };
  // When packets came, by the time stamps of their frames.
  class Arrivals {
   public:
    void add(const AVPacket& packet, Nanoseconds now, AVRational time_base) noexcept;
    [[nodiscard]] Nanoseconds of(std::int64_t pts) const noexcept;

   private:
    struct Arrival {
      std::int64_t pts = AV_NOPTS_VALUE;
      Nanoseconds at{};
    };
    std::array<Arrival, 64> arrivals_{};
    std::size_t next_ = 0;
    std::int64_t last_dts_ = AV_NOPTS_VALUE;
    Nanoseconds last_{};
  };

  explicit StreamReader(const StreamOrigin& origin) : origin_(origin) {}
  [[nodiscard]] Status connect(std::stop_token stop);
  [[nodiscard]] Status find_stream();
  [[nodiscard]] Result<bool> feed(const std::stop_token& stop);
  [[nodiscard]] Result<bool> read_packet(const std::stop_token& stop);
  [[nodiscard]] Status fill(SourceFrame& frame);
  [[nodiscard]] std::optional<double> time_of(std::int64_t pts, Nanoseconds captured);
  [[nodiscard]] Status skip_damaged();
  [[nodiscard]] Status failed(std::string_view what, int error) const;

  StreamOrigin origin_;
  Patience patience_;  // outlives input_, which asks it
  InterruptibleSleep sleep_;
  av::Input input_;
  av::Codec decoder_;
  av::Packet packet_{av_packet_alloc()};
  av::Picture picture_{av_frame_alloc()};
  ViewConverter converter_;
  Arrivals arrivals_;
  int stream_ = -1;
  int quarter_turns_ = 0;
  bool draining_ = false;
  std::int64_t next_index_ = 0;
  std::optional<double> last_stamp_;  // seconds
  Nanoseconds last_captured_{};
  double last_time_s_ = 0;
  Clock::time_point waiting_since_{};  // for a frame
  int damaged_run_ = 0;
  std::uint64_t damaged_ = 0;
};

}  // namespace tern
