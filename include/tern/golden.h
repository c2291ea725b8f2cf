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

/// Frames without reference outputs yet, the same on every platform for a seed. The contract's input gets made-up scenes (smooth
/// ground, blobs, edges, texture) of its own size through the contract's preprocessing, so that values lie in the range the model
/// expects. Other inputs get even noise: floats of 0..1, u8 of 0..255, other integers of 0..7; their open dimensions are 1, and a
/// fixed leading dimension stays as it is unless it is the image input's batch. ContractError when the engine has no such input.
[[nodiscard]] TERN_API Result<std::vector<GoldenFrame>> noise_frames(const std::vector<TensorSpec>& inputs,
                                                                     const Contract* contract, int count,
                                                                     std::uint64_t seed);
/// Frames from the user's images, through the contract, for engines of one input. InputError names the image that cannot be used,
/// or whose labels do not fit image or contract.
[[nodiscard]] TERN_API Result<std::vector<GoldenFrame>> image_frames(const std::vector<TensorSpec>& inputs,
                                                                     const Contract& contract,
                                                                     std::span<const GoldenImage> images);
/// Runs `engine` on each frame and keeps its outputs as the reference. An engine of fixed batch gets the frame in every row, and
/// row 0 is kept. GoldenCheckError when a value is not finite, or when the frames are not for this engine.
[[nodiscard]] TERN_API Status record_reference(Engine& engine, std::vector<GoldenFrame>& frames);

/// How far an engine may be from its reference.
struct GoldenTolerance {
  double min_cosine = 0;    ///< of each output tensor
  double max_relative = 0;  ///< largest absolute difference over the reference's largest absolute value
  double min_box_iou = 0, max_score_difference = 0;  ///< detections that are counterparts; scores are 0..1
  double min_mask_agreement = 0;                     ///< part of the pixels (or whole-number values) that are equal
  double max_missing = 0;                            ///< part of a frame's detections that may have no counterpart

  /// By what the engine runs in; docs/golden.md has the numbers and how they were measured. kAuto: as f32.
  [[nodiscard]] TERN_API static GoldenTolerance of(Precision precision) noexcept;
};

/// A labelled box counts as found where a box of the same class has at least this IoU with it.
inline constexpr double kGoldenLabelIou = 0.5;
/// Part of all labelled boxes that must be found, of labelled pixels that must have their class, of labelled images whose top-1
/// must be right. Low, since it is not the model's quality that is on trial, but whether it is the model at all.
inline constexpr double kGoldenLabelAgreement = 0.5;

/// What a check found; some rows for each frame and output.
struct GoldenReport {
  static constexpr int kAllFrames = -1;
  struct Row {
    int frame = 0;     ///< or kAllFrames
    std::string what;  ///< "output0", "boxes", "mask", "class", "labels"
    double found = 0, wanted = 0;
    std::string measure;  ///< "cosine", "relative error", "IoU", "pixels agreeing", ...
    bool ok = true;
  };
  std::vector<Row> rows;
  bool raw_only = true;  ///< the reference finds nothing to decode: only raw outputs were compared
  bool independent = false;
  /// No row failed. (A check that ended early has the failure in its Status.)
  [[nodiscard]] TERN_API bool ok() const noexcept;
};

/// Checks `engine` against `golden`: raw outputs finite and within tolerance; rows of a batch agree; where `contract` is given,
/// decoded results agree with the reference's and with the user's labels (which mean nothing without one). GoldenCheckError names
/// frame, output and measure, and by how much; `report` (may be null) is filled in either case. Errors of other classes come from
/// an engine that cannot create a context, or from a contract that is not valid.
[[nodiscard]] TERN_API Status check_golden(Engine& engine, const GoldenSet& golden, const Contract* contract,
                                           const GoldenTolerance& tolerance, GoldenReport* report = nullptr);

}  // namespace tern
