// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tern/pipeline_io.h"
#include "tern/pipeline_snapshot.h"

namespace tern::test {

// A pipeline in more kinds of trouble than a real one has at once: what shows it must show all of them.

/// Four sources (running, running badly, reconnecting, ended), four models (one on standby), three sinks (one failed), two ledgers, a
/// thermal step. Counters grow with `seconds`.
[[nodiscard]] PipelineSnapshot made_up_snapshot(double seconds);

/// "detect" (vehicle, person), "segment" (grass, asphalt, water).
[[nodiscard]] const std::vector<PipelineModelInfo>& made_up_models();

/// A picture that moves, with boxes and a mask on it. Its pixels live as long as the object.
class MadeUpFrames {
 public:
  MadeUpFrames(int width, int height);
  /// The result for a frame of `source` at `seconds`; valid until the next call.
  [[nodiscard]] const FrameResult& at(int source, double seconds);

 private:
  int width_, height_;
  std::vector<std::uint8_t> bgr_;
  FrameResult result_;
};

}  // namespace tern::test
