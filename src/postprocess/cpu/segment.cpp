// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/cpu/segment.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "postprocess/cpu/kernels.h"

namespace tern {
namespace {

bool is_same_grid(const Geometry& g, const LogitPlanes& logits) {
  return g.scale_x == 1 && g.scale_y == 1 && g.offset_x == 0 && g.offset_y == 0 && g.src_width == g.dst_width &&
         g.src_height == g.dst_height && g.src_width == logits.width && g.src_height == logits.height &&
         g.inner_width == g.dst_width && g.inner_height == g.dst_height;
}

}  // namespace

void MaskDecoder::Axis::build(const Map& map) {
  const double ratio = static_cast<double>(map.output) / map.input;
  // The output pixels that the image touches, in whole numbers: rounding must not add a pixel of padding.
  const auto output = static_cast<std::int64_t>(map.output);
  first = static_cast<int>(map.inner * output / map.input);
  last = static_cast<int>(((map.inner + map.inner_length) * output + map.input - 1) / map.input) - 1;
  cell.resize(static_cast<std::size_t>(map.source));
  weight.resize(static_cast<std::size_t>(map.source) + kKernelPadding);
  start.resize(static_cast<std::size_t>(map.output) + 1);

  begin = map.source;
  end = 0;
  for (int i = 0; i < map.source; ++i) {
    const double position = (i + 0.5) * map.scale + map.offset;
    if (position < 0 || position >= map.input) continue;
    const auto at = static_cast<std::size_t>(i);
    const double s = std::clamp(position * ratio - 0.5, static_cast<double>(first), static_cast<double>(last));
    cell[at] = static_cast<int>(s);
    weight[at] = static_cast<float>(s - cell[at]);
    begin = std::min(begin, i);
    end = i + 1;
  }
  begin = std::min(begin, end);
  std::size_t next = 0;
  for (int i = begin; i < end; ++i) {
    for (; next <= static_cast<std::size_t>(cell[static_cast<std::size_t>(i)]); ++next)
      start[next] = static_cast<std::size_t>(i);
  }
  std::fill(start.begin() + static_cast<std::ptrdiff_t>(next), start.end(), static_cast<std::size_t>(end));
}

bool MaskDecoder::decode(const OutputContract& contract, const LogitPlanes& logits, const Geometry& geometry,
                         Segmentation& result) {
  const auto classes = static_cast<std::size_t>(logits.classes);
  const std::size_t pixels = static_cast<std::size_t>(logits.width) * static_cast<std::size_t>(logits.height);
  const LabelRule rule = LabelRule::of(classes, contract.score_threshold);
  const bool is_resampled = contract.return_to_input_size && !is_same_grid(geometry, logits);
  result.width = is_resampled ? geometry.src_width : logits.width;
  result.height = is_resampled ? geometry.src_height : logits.height;
  result.classes.resize(static_cast<std::size_t>(result.width) * static_cast<std::size_t>(result.height));
  if (!is_resampled) return label_pixels(logits.data, classes, pixels, rule, result.classes.data());

  labels_.resize(pixels);
  if (!label_pixels(logits.data, classes, pixels, rule, labels_.data())) return false;
  x_.build({geometry.src_width, logits.width, geometry.dst_width, geometry.scale_x, geometry.offset_x, geometry.inner_x,
            geometry.inner_width});
  y_.build({geometry.src_height, logits.height, geometry.dst_height, geometry.scale_y, geometry.offset_y,
            geometry.inner_y, geometry.inner_height});
  resample(logits, rule, result);
  return true;
}

void MaskDecoder::resample(const LogitPlanes& logits, const LabelRule& rule, Segmentation& result) {
  agree_.resize(static_cast<std::size_t>(logits.width));
  const auto width = static_cast<std::size_t>(result.width);
  int filled_cell = -1;
  for (int y = 0; y < result.height; ++y) {
    std::uint8_t* out = result.classes.data() + static_cast<std::size_t>(y) * width;
    if (y < y_.begin || y >= y_.end) {
      std::memset(out, Segmentation::kBackground, width);
      continue;
    }
    const int cell = y_.cell[static_cast<std::size_t>(y)];
    if (cell == filled_cell) {
      std::memcpy(out, out - width, width);  // of the same cells; the mixed ones are overwritten below
    } else {
      std::memset(out, Segmentation::kBackground, width);
      fill_agreeing(logits, cell, out);
      filled_cell = cell;
    }
    label_mixed(mixed_, static_cast<std::size_t>(logits.classes), y_.weight[static_cast<std::size_t>(y)],
                x_.weight.data(), rule, out);
  }
}

void MaskDecoder::fill_agreeing(const LogitPlanes& logits, int row, std::uint8_t* out) {
  const auto stride = static_cast<std::size_t>(logits.width);
  const std::size_t upper_row = static_cast<std::size_t>(row) * stride;
  const std::size_t lower_row = static_cast<std::size_t>(std::min(row + 1, y_.last)) * stride;
  const std::uint8_t *upper = labels_.data() + upper_row, *lower = labels_.data() + lower_row;
  const auto first = static_cast<std::size_t>(x_.first), last = static_cast<std::size_t>(x_.last);
  for (std::size_t i = first; i < last; ++i) {
    const int differences = (upper[i] ^ upper[i + 1]) | (upper[i] ^ lower[i]) | (upper[i] ^ lower[i + 1]);
    agree_[i] = differences == 0 ? 1 : 0;
  }
  agree_[last] = upper[last] == lower[last] ? 1 : 0;

  mixed_.clear(static_cast<std::size_t>(logits.classes), stride);
  for (std::size_t run = first; run <= last;) {
    const void* found = std::memchr(&agree_[run], 0, last + 1 - run);
    const std::size_t cell =
        found != nullptr ? static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - agree_.data()) : last + 1;
    // Neighbours that agree share two corners, so that a whole run has one label.
    std::memset(out + x_.start[run], upper[run], x_.start[cell] - x_.start[run]);
    if (cell <= last && x_.start[cell] < x_.start[cell + 1]) add_mixed(logits, cell, upper_row, lower_row);
    run = cell + 1;
  }
}

void MaskDecoder::add_mixed(const LogitPlanes& logits, std::size_t cell, std::size_t upper_row, std::size_t lower_row) {
  const std::size_t plane = static_cast<std::size_t>(logits.width) * static_cast<std::size_t>(logits.height);
  const std::size_t right = std::min(cell + 1, static_cast<std::size_t>(x_.last));
  const std::size_t k = mixed_.size++;
  mixed_.begin[k] = x_.start[cell];
  mixed_.end[k] = x_.start[cell + 1];
  for (std::size_t c = 0; c < static_cast<std::size_t>(logits.classes); ++c) {
    const float* values = logits.data + c * plane;
    const std::size_t at = c * mixed_.capacity + k;
    mixed_.upper_left[at] = values[upper_row + cell];
    mixed_.upper_right[at] = values[upper_row + right];
    mixed_.lower_left[at] = values[lower_row + cell];
    mixed_.lower_right[at] = values[lower_row + right];
  }
}

}  // namespace tern
