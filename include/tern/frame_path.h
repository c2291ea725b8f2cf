// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/contract.h"
#include "tern/engine.h"
#include "tern/image.h"
#include "tern/results.h"
#include "tern/status.h"

namespace tern {

struct FramePathOptions {
  int max_batch = 1;  ///< images that run together, at most
};

/// Where results go: the one that the contract's task fills; an entry for each image of the run.
struct FrameResults {
  std::span<std::vector<Detection>> detections{};
  std::span<Segmentation> segmentations{};
  std::span<Classification> classifications{};
};

/// What a frame path has done since it was made.
struct FramePathCounters {
  std::uint64_t graphs = 0;         ///< captured: one for each number of images that run together
  std::uint64_t graph_runs = 0;     ///< frames that were a replay
  std::uint64_t eager_runs = 0;     ///< runs without a graph, warm-up included
  std::uint64_t growths = 0;        ///< times its memory grew: for a first or a larger frame, and never else
  std::uint64_t staged_frames = 0;  ///< images that the CPU copied, since they lie in pageable memory
};

/// All of a frame on one device: pixels in, results out. Made by Engine::create_frame_path() where a backend can.
///
/// The results are those of Preprocessor, an ExecutionContext and Postprocessor in turn (preprocessing within
/// Preprocessor::kTolerance).
///
/// | what    | which                                                                                                      |
/// |---------|------------------------------------------------------------------------------------------------------------|
/// | images  | as Preprocessor takes them, and of the engine's device too (ImageView::device): those are used where they    |
/// |         | are, and must be complete before the call. Pinned host memory is copied by the GPU, other memory by the CPU |
/// | sizes   | any, and another one each time; nothing is captured or compiled anew for it                                 |
/// | memory  | its own; allocated when it is made, when a number of images is new, and when frames grow                    |
/// | waiting | once in a frame                                                                                            |
/// | threads | one call at a time; paths of one engine run beside each other                                               |
/// | errors  | run(): InputError names the image; InferenceError where the device or backend failed; Timeout, Cancelled.   |
/// |         | read(): those of Postprocessor                                                                             |
///
/// When run() returns, whatever it returns, the device has let go of the images.
class TERN_API FramePath {
 public:
  virtual ~FramePath() = default;
  /// One to FramePathOptions::max_batch images. `regions` as Preprocessor takes them.
  [[nodiscard]] virtual Status run(std::span<const ImageView> images, std::span<const ImageView> regions,
                                   const WaitOptions& wait) = 0;
  /// The results of the last run, which succeeded. Results may be reused: then nothing is allocated.
  [[nodiscard]] virtual Status read(const FrameResults& results) = 0;
  /// Of the last run: its wall time, split by the device's clock. What is not inference or decoding counts as preprocessing.
  [[nodiscard]] virtual StageTimes times() const noexcept = 0;
  [[nodiscard]] virtual FramePathCounters counters() const noexcept = 0;
};

}  // namespace tern
