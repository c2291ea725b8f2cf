// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/contract.h"
#include "tern/engine.h"
#include "tern/image.h"
#include "tern/results.h"
#include "tern/status.h"

namespace tern {

/// An image to check an engine with, and what is known to be in it. Views must live until the call returns.
struct GoldenImage {
  ImageView image;
  std::optional<ImageView> region{};              ///< where the contract wants a region mask
  std::optional<std::vector<Detection>> boxes{};  ///< labels: class and box in image pixels; `score` is not used
  std::optional<std::vector<std::uint8_t>>
      mask{};  ///< labels: a class for each pixel, Segmentation::kBackground: not labelled
  std::optional<int> class_id{};
};

struct GoldenTensor {
  std::string name;  ///< of the engine's input or output
  Tensor tensor;
};

/// One frame: a tensor for each input (batch 1), the reference's output tensors, and labels where the user gave any.
struct GoldenFrame {
  std::vector<GoldenTensor> inputs{}, outputs{};  ///< in any order
  int width = 0, height = 0;                      ///< of the source image; 0: noise, there was none
  std::optional<std::vector<Detection>> boxes{};
  std::optional<std::vector<std::uint8_t>> mask{};
  std::optional<int> class_id{};
};

/// What an engine is proven with. Stored as safetensors: tensors "frame.I.input.NAME", "frame.I.output.NAME", "frame.I.boxes"
/// (f32, rows of x1, y1, x2, y2, class), "frame.I.mask" (u8, height x width); "__metadata__" holds format ("tern-golden-1"),
/// source, reference, independent, frames (their number) and each frame's "frame.I.size" and "frame.I.class".
struct GoldenSet {
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;
  static constexpr int kMaxFrames = 4096;

  std::string source{};     ///< "user", "calibration" or "noise"
  std::string reference{};  ///< label of the backend that gave the outputs
  bool independent =
      false;  ///< the reference is another backend than the one under test; else the check is integrity only
  std::vector<GoldenFrame> frames{};

  /// InputError on a set that from_bytes() would refuse: no frames, frames of different tensors, labels that do not fit.
  [[nodiscard]] TERN_API Result<std::string> to_bytes() const;
  /// EngineGateError on anything malformed.
  [[nodiscard]] TERN_API static Result<GoldenSet> from_bytes(std::string_view bytes, std::string_view where);
};

/// Frames without reference outputs yet: seeded noise shaped as the engine's inputs (images: smooth blobs and texture through
/// the contract's preprocessing, so that values lie in the range the model expects).
[[nodiscard]] TERN_API Result<std::vector<GoldenFrame>> noise_frames(const std::vector<TensorSpec>& inputs,
                                                                     const Contract* contract, int count,
                                                                     std::uint64_t seed);
/// Frames from the user's images, through the contract.
[[nodiscard]] TERN_API Result<std::vector<GoldenFrame>> image_frames(const std::vector<TensorSpec>& inputs,
                                                                     const Contract& contract,
                                                                     std::span<const GoldenImage> images);
/// Runs `engine` on each frame and keeps its outputs as the reference. GoldenCheckError when one is not finite.
[[nodiscard]] TERN_API Status record_reference(Engine& engine, std::vector<GoldenFrame>& frames);

/// How far an engine may be from its reference.
struct GoldenTolerance {
  double min_cosine = 0;    ///< of each output tensor
  double max_relative = 0;  ///< largest absolute difference over the reference's largest absolute value
  double min_box_iou = 0, max_score_difference = 0;  ///< matched detections
  double min_mask_agreement = 0;                     ///< part of the pixels with the same class
  double max_missing = 0;  ///< part of the reference's detections that may have no counterpart

  /// By what the engine runs in. f32: 1e-4 of the largest value and boxes to 0.05 px; lower precisions as docs/golden.md says.
  [[nodiscard]] TERN_API static GoldenTolerance of(Precision precision) noexcept;
};

/// What a check found; one row a frame and output.
struct GoldenReport {
  struct Row {
    int frame = 0;
    std::string what;  ///< "output0", "boxes", "mask", "class", "labels"
    double found = 0, wanted = 0;
    std::string measure;  ///< "cosine", "relative error", "IoU", "pixels agreeing", ...
    bool ok = true;
  };
  std::vector<Row> rows;
  bool raw_only = true;  ///< the reference finds nothing to decode: only raw outputs were compared
  bool independent = false;
  [[nodiscard]] bool ok() const noexcept;
};

/// Checks `engine` against `golden`: raw outputs finite and within tolerance; rows of a batch agree; decoded results agree with
/// the reference's (where `contract` is given) and with the user's labels. GoldenCheckError names the frame and by how much;
/// `report` (may be null) is filled in either case.
[[nodiscard]] TERN_API Status check_golden(Engine& engine, const GoldenSet& golden, const Contract* contract,
                                           const GoldenTolerance& tolerance, GoldenReport* report = nullptr);

}  // namespace tern
