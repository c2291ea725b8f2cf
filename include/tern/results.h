// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tern {

/// One object: a box in source-image pixels (edges, so x2 - x1 is the width), clipped to the image.
struct Detection {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  float score = 0;  ///< 0..1
  int class_id = 0;
};

/// A class for each pixel.
struct Segmentation {
  /// No class was confident enough (only with a positive score_threshold), or kCenterCrop cut the pixel away.
  static constexpr std::uint8_t kBackground = 255;
  int width = 0, height = 0;          ///< of the source image, or of the output tensor (return_to_input_size false)
  std::vector<std::uint8_t> classes;  ///< row-major, width * height
};

struct Classification {
  std::vector<float> logits;         ///< the output as the model gave it (probabilities where the contract says so)
  std::vector<float> probabilities;  ///< softmax of the logits, or the output itself where it holds probabilities
  int class_id = 0;                  ///< the most probable class (the first of equals)
};

/// Wall time of the stages of one call. A batch is timed as a whole. Where a GPU does all of a frame, the GPU's clock tells how
/// much of the call was inference and how much decoding; the rest, copies of the frame too, is preprocessing.
struct StageTimes {
  using Duration = std::chrono::nanoseconds;
  Duration preprocess{}, infer{}, postprocess{};
};

/// Comes with every result: what really ran.
struct RunInfo {
  std::string_view backend;    ///< label: "openvino", ...; valid until the next call
  std::string_view engine_id;  ///< valid until the next call
  std::string_view precision;  ///< the precision that ran, read back from the backend: "f32", ...
  StageTimes times;
  bool frame_path = false;  ///< pixels and results were the backend's work too, in one piece with the inference
};

}  // namespace tern
