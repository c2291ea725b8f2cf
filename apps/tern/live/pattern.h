// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "live/frame_pool.h"
#include "live/pacer.h"
#include "tern/pipeline_io.h"

namespace tern {

/// A made-up scene from above: cars and trucks that drive along roads, drawn like what the demo models were trained on. A frame depends on
/// the scene's size and its time alone. kI420, BT.601, limited range.
class PatternScene {
 public:
  PatternScene(int width, int height);

  [[nodiscard]] std::size_t bytes() const noexcept { return ground_.total(); }
  /// Draws the scene at `time_s` into `pixels`, bytes() large.
  void draw(double time_s, std::uint8_t* pixels) const;
  /// `pixels` as an image.
  [[nodiscard]] ImageView view(const std::uint8_t* pixels) const noexcept;

 private:
  struct Vehicle {
    cv::Mat picture;   // as ground_, with even sides
    int y = 0;         // its upper edge, even
    double x = 0;      // its left edge at time 0
    double speed = 0;  // pixels/s
  };
  void draw(const Vehicle& vehicle, double time_s, std::uint8_t* pixels) const;

  int width_, height_;            // of the images
  int even_width_, even_height_;  // of what is in memory
  cv::Mat ground_;                // I420: the planes one below the other
  std::vector<Vehicle> vehicles_;
};

/// The scene, `rate_hz` times a second. A tick at which all buffers are in use, or that was slept through, gives no frame; the numbers of
/// frames tell.
class PatternSource : public FrameSource {
 public:
  PatternSource(int width, int height, double rate_hz, std::size_t buffers);
  [[nodiscard]] Result<bool> next(SourceFrame& frame, std::stop_token stop) override;

 private:
  PatternScene scene_;
  FramePool pool_;
  InterruptibleSleep sleep_;
  double rate_hz_;
  std::optional<Nanoseconds> start_;
  std::int64_t tick_ = 0;
};

}  // namespace tern
