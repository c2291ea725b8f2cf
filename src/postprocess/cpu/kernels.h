// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tern {

// The loops that touch every element of an output. Compiled for each instruction set (Highway) and picked at run time;
// every set gives the same results, but for the last digits of softmax.

/// Elements that arrays written by the kernels must have behind their last one.
inline constexpr std::size_t kKernelPadding = 64;

/// The best class of the anchors above a threshold, in the order of the anchors.
struct YoloCandidates {
  std::vector<std::uint32_t> anchor;
  std::vector<float> score;
  std::vector<std::int32_t> class_id;
  std::size_t size = 0;  ///< entries in use; the vectors are longer
};

/// Scans `rows`, (4 + classes) x anchors. False when it holds NaN or infinity.
[[nodiscard]] bool scan_yolo(const float* rows, std::size_t classes, std::size_t anchors, float threshold,
                             YoloCandidates& out);

/// When a pixel's largest logit is confident enough: softmax > threshold.
struct LabelRule {
  /// With the two largest logits further apart than this it is, whatever the others are. Infinity: no gap will do.
  float gap;
  /// Else it is when the sum of exp(logit - largest) is less than this.
  float inverse_threshold;

  [[nodiscard]] static LabelRule of(std::size_t classes, float threshold) noexcept;
};

/// Labels `pixels` pixels of `classes` planes; see Postprocessor::segment(). False when there is NaN or infinity.
[[nodiscard]] bool label_pixels(const float* planes, std::size_t classes, std::size_t pixels, const LabelRule& rule,
                                std::uint8_t* labels);

/// Cells between four pixels of the output whose labels differ, of one row of cells, as columns.
struct MixedCells {
  std::vector<std::size_t> begin, end;  ///< the source pixels in the cell
  /// Logits at the corners, [class * capacity + cell].
  std::vector<float> upper_left, upper_right, lower_left, lower_right;
  std::vector<float> left, right;  ///< scratch: blended for one source row
  std::size_t size = 0, capacity = 0;

  /// Empty, with room for `cells`.
  void clear(std::size_t classes, std::size_t cells);
};

/// Labels the pixels of one source row in `cells`, where it lies a fraction `b` from the upper to the lower corners.
/// `weights` is the same from left to right for each source pixel, padded.
void label_mixed(MixedCells& cells, std::size_t classes, float b, const float* weights, const LabelRule& rule,
                 std::uint8_t* out);

[[nodiscard]] bool all_finite(std::span<const float> values);

/// IEEE binary16 to f32, exact, NaN and infinity included.
void halves_to_floats(const std::uint16_t* halves, std::size_t count, float* out);

/// Boxes of a non-maximum suppression that are kept, as columns padded with boxes that overlap nothing.
class KeptBoxes {
 public:
  struct Box {
    float x1, y1, x2, y2;
    std::int32_t class_id;
  };
  /// As the kernel reads them: up to a whole vector behind `size`.
  struct Columns {
    const float *x1, *y1, *x2, *y2, *area;
    const std::int32_t* class_id;
    std::size_t size;
  };

  /// Empty, with room for `expected` boxes.
  void clear(std::size_t expected);
  void push(const Box& box);
  /// Whether some box of the same class has an intersection over union with `box` greater than `iou`.
  [[nodiscard]] bool overlap(const Box& box, float iou) const;

 private:
  std::vector<float> x1_, y1_, x2_, y2_, area_;
  std::vector<std::int32_t> class_;
  std::size_t size_ = 0;
};

}  // namespace tern
