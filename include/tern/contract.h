// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

class Model;

/// How the source image is brought to the input's size.
enum class ResizeRule : std::uint8_t {
  kStretch,     ///< both sides scaled on their own
  kLetterbox,   ///< scaled to fit, aspect kept, the rest padded
  kCenterCrop,  ///< scaled to cover, aspect kept, the middle cut out
  kNone,        ///< the image must have the input's size
};
enum class PadSide : std::uint8_t {
  kCenter,       ///< padding on both sides, the odd pixel right and below
  kBottomRight,  ///< the image in the top left corner
};
/// How a scaled side (a real number of pixels) becomes a whole one in kLetterbox and kCenterCrop.
enum class Rounding : std::uint8_t { kRound, kFloor, kCeil };
enum class Interpolation : std::uint8_t { kBilinear, kNearest, kArea };
enum class ColorOrder : std::uint8_t { kRgb, kBgr, kGray };
enum class TensorLayout : std::uint8_t { kNchw, kNhwc };

/// From pixels to the input tensor: value = (channel * scale - mean[c]) / std[c], channel in 0..255.
struct InputContract {
  std::string tensor;              ///< the ONNX input's name
  int width = 0, height = 0;       ///< 0: dynamic in the model; default_size() says what is used then
  int min_side = 1, max_side = 0;  ///< allowed range of dynamic sides; max_side 0: no limit known
  ResizeRule resize = ResizeRule::kLetterbox;
  int pad_value = 114;  ///< 0..255, before scale, mean and std
  PadSide pad_side = PadSide::kCenter;
  Rounding rounding = Rounding::kRound;
  Interpolation interpolation = Interpolation::kBilinear;
  ColorOrder color = ColorOrder::kRgb;
  double scale = 1.0 / 255.0;
  std::array<double, 4> mean{0, 0, 0, 0};
  std::array<double, 4> std{1, 1, 1, 1};
  TensorLayout layout = TensorLayout::kNchw;
  DType dtype = DType::kF32;  ///< kF32, kF16 or kU8 (rounded to nearest even, clamped)
  bool mask_channel =
      false;  ///< one more channel after the colours: the region mask, 0 or 1, resized by kNearest, not normalised

  static constexpr int kDefaultSide = 1280;  ///< for dynamic height and width when nothing else says a size

  /// Width and height to use where the caller names none: the contract's, else kDefaultSide within the allowed range.
  [[nodiscard]] TERN_API std::pair<int, int> default_size() const noexcept;
  [[nodiscard]] int color_channels() const noexcept { return color == ColorOrder::kGray ? 1 : 3; }
  [[nodiscard]] int channels() const noexcept { return color_channels() + (mask_channel ? 1 : 0); }
};

enum class Task : std::uint8_t { kDetect, kSegment, kClassify };

enum class OutputKind : std::uint8_t {
  kYolo,            ///< (N, 4 + classes, anchors): cx, cy, w, h in input pixels, then class scores in 0..1; needs NMS
  kEnd2End,         ///< (N, K, 6): x1, y1, x2, y2 in input pixels, score, class; an unknown K means up to 300
  kSegmentation,    ///< (N, C, H, W): logits, or probabilities (OutputContract::logits)
  kClassification,  ///< (N, C): likewise
};

/// From the output tensor to results.
struct OutputContract {
  std::string tensor;  ///< the ONNX output's name
  OutputKind kind = OutputKind::kYolo;
  int classes = 0;                 ///< number of classes
  std::vector<std::string> names;  ///< one for each class; "class0", ... when the model names none
  /// kSegmentation, kClassification: true when the tensor holds logits, to which softmax is still to be applied; false
  /// when the model ends with Softmax or Sigmoid itself. Detectors: always false.
  bool logits = false;
  /// Detections need score > this (default 0.25). Segmentation: pixels need a probability > this, else kBackground
  /// (default 0: every pixel gets a class). Classification: not used, 0.
  float score_threshold = 0.25F;
  float nms_iou = 0.45F;        ///< kYolo only: boxes overlapping a better one by more are dropped
  bool class_aware_nms = true;  ///< NMS within each class only
  int max_detections = 300;
  bool return_to_input_size = true;  ///< segmentation: masks at the size of the source image, not of the output tensor
};

/// Where the value of one contract field came from.
struct FieldOrigin {
  enum class Source : std::uint8_t { kDefault, kModelShape, kMetadata, kFile, kFlag };
  Source source = Source::kDefault;
  std::string detail;  ///< "metadata 'names'", "overhead-detect.tern.json", "--score"
};

[[nodiscard]] TERN_API std::string_view to_string(ResizeRule v) noexcept;
[[nodiscard]] TERN_API std::string_view to_string(PadSide v) noexcept;
[[nodiscard]] TERN_API std::string_view to_string(Rounding v) noexcept;
[[nodiscard]] TERN_API std::string_view to_string(Interpolation v) noexcept;
[[nodiscard]] TERN_API std::string_view to_string(ColorOrder v) noexcept;
[[nodiscard]] TERN_API std::string_view to_string(TensorLayout v) noexcept;
[[nodiscard]] TERN_API std::string_view to_string(Task v) noexcept;
[[nodiscard]] TERN_API std::string_view to_string(OutputKind v) noexcept;
[[nodiscard]] TERN_API std::string_view to_string(FieldOrigin::Source v) noexcept;

/// How pixels become the input and the output becomes results. Immutable once resolved; its hash goes into keys and
/// passports.
struct TERN_API Contract {
  Task task = Task::kDetect;
  InputContract input;
  OutputContract output;
  std::map<std::string, FieldOrigin> origins;  ///< by field path as in JSON, e.g. "input.color", "output.names"

  /// Field values given on the command line, by the same paths ("output.score_threshold" -> "0.3"). JSON literals; bare
  /// words are taken as strings.
  using Overrides = std::map<std::string, std::string>;

  /// Collects the contract of `model` from, strongest first: `overrides`, the contract file (`file`, else
  /// `model.tern.json` beside `model.onnx` where it exists), the ONNX metadata, the tensor shapes, defaults.
  ///
  /// ContractError when a field is malformed or unknown, when two sources disagree about a fact of the model (class
  /// names against the output's size, file against metadata, layout against shape; both sides are named), or when what
  /// the output means cannot be told. Overrides win over file and metadata without complaint, never over shapes.
  [[nodiscard]] static Result<Contract> resolve(const Model& model,
                                                const std::optional<std::filesystem::path>& file = {},
                                                const Overrides& overrides = {});

  /// A whole contract from what to_json() wrote, every field present; origins are kFile with `where` as detail.
  /// ContractError names the field that is missing, unknown, malformed or at odds with another.
  [[nodiscard]] static Result<Contract> from_json(std::string_view json, std::string_view where);

  /// Canonical JSON: keys sorted, no white space, every field present, no origins. Equal contracts give equal bytes.
  [[nodiscard]] std::string to_json() const;
  /// SHA-256 of to_json(), as 64 hex digits.
  [[nodiscard]] std::string hash() const;
};

}  // namespace tern
