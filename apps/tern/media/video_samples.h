// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/frame.h"
#include "media/video_reader.h"
#include "tern/status.h"

namespace tern {

/// Which frames of a video are taken.
enum class Sampling : std::uint8_t {
  kEven,   ///< equal times apart
  kScene,  ///< equal amounts of change apart: a still scene gives few frames, a cut one of its own
};
/// "even", "scene"; ConfigError on another word.
[[nodiscard]] Result<Sampling> parse_sampling(std::string_view text);

/// `count` different positions (fewer when there are no more), rising, the first included, for frames that differ from the one before by
/// change[i]: equal sums apart. REQUIRES: no negative change.
[[nodiscard]] std::vector<std::int64_t> spread_by_change(std::span<const double> change, std::size_t count);

/// Chosen frames of one video file.
class VideoSamples {
 public:
  /// Reads the video once to the end, to count its frames or to see them change.
  [[nodiscard]] static Result<VideoSamples> choose(const std::filesystem::path& path, std::size_t count,
                                                   Sampling sampling);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] const std::vector<std::int64_t>& indices() const noexcept { return indices_; }
  /// Frame indices()[i]. Thread-safe; fast when asked for in about rising order. REQUIRES: i is in range.
  [[nodiscard]] Result<Frame> read(std::size_t i);

 private:
  struct State {
    std::mutex mutex;
    std::optional<VideoReader> reader;
    std::int64_t next = 0;                     // index of the frame that the reader gives next
    std::map<std::int64_t, Frame> read_ahead;  // chosen frames that were passed for another one
  };
  std::filesystem::path path_;
  std::vector<std::int64_t> indices_;
  std::unique_ptr<State> state_ = std::make_unique<State>();
};

}  // namespace tern
