// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "postprocess/cpu/kernels.h"
#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/results.h"

namespace tern {

/// Logits of one image: `classes` planes of height x width.
struct LogitPlanes {
  const float* data = nullptr;
  int classes = 0, width = 0, height = 0;
};

/// Makes masks of logits, one image at a time; Postprocessor::segment() defines what is computed.
class MaskDecoder {
 public:
  /// False for NaN or infinity. REQUIRES: check_geometry() and check_output_tensor() passed.
  [[nodiscard]] bool decode(const OutputContract& contract, const LogitPlanes& logits, const Geometry& geometry,
                            Segmentation& result);

 private:
  /// Where the pixels of one axis of the source lie on the output's grid.
  ///
  /// Source pixels [begin, end) were seen by the model. Pixel i of them lies between output pixels cell[i] and
  /// min(cell[i] + 1, last), a fraction `weight` of the way. The pixels of cell c are [start[c], start[c + 1]).
  struct Axis {
    int begin = 0, end = 0, first = 0, last = 0;
    std::vector<int> cell;
    std::vector<std::size_t> start;
    std::vector<float> weight;  // padded for the kernels

    struct Map {
      int source, output, input;  ///< pixels
      double scale, offset;       ///< Geometry's
      int inner, inner_length;    ///< Geometry's
    };
    void build(const Map& map);
  };

  void resample(const LogitPlanes& logits, const LabelRule& rule, Segmentation& result);
  /// Labels the source pixels between output rows `row` and row + 1 where the labels around them agree, and collects the
  /// other cells in mixed_.
  void fill_agreeing(const LogitPlanes& logits, int row, std::uint8_t* out);
  void add_mixed(const LogitPlanes& logits, std::size_t cell, std::size_t upper_row, std::size_t lower_row);

  Axis x_, y_;
  std::vector<std::uint8_t> labels_;  // at the output's size
  std::vector<std::uint8_t> agree_;   // for each cell of a row: the labels at its corners are equal
  MixedCells mixed_;
};

}  // namespace tern
