// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"

namespace tern::cuda {

struct alignas(16) Corners {
  float x1, y1, x2, y2;
};

/// The candidates of one image in the kernels' memory: as they were found, in any order, and sorted, best first.
///
///   boxes | sorted_boxes | keys | classes | sorted_scores | sorted_classes    each of `anchors` entries, rounded up to 32
struct Candidates {
  Corners* boxes;
  Corners* sorted_boxes;
  /// The score's bits above the inverted anchor: a larger key comes first.
  std::uint64_t* keys;
  std::int32_t* classes;
  float* sorted_scores;
  std::int32_t* sorted_classes;

  [[nodiscard]] TERN_HOST_DEVICE static std::size_t capacity(std::int32_t anchors) {
    return (static_cast<std::size_t>(anchors) + 31U) / 32U * 32U;
  }
  [[nodiscard]] TERN_HOST_DEVICE static std::size_t bytes(std::int32_t anchors) {
    return capacity(anchors) * (2 * sizeof(Corners) + sizeof(std::uint64_t) + 3 * sizeof(std::int32_t));
  }
  [[nodiscard]] TERN_HOST_DEVICE static Candidates of(void* scratch, std::int32_t anchors, std::size_t image) {
    const std::size_t n = capacity(anchors);
    auto* const begin = static_cast<unsigned char*>(scratch) + image * bytes(anchors);
    Candidates c{};
    c.boxes = reinterpret_cast<Corners*>(begin);
    c.sorted_boxes = c.boxes + n;
    c.keys = reinterpret_cast<std::uint64_t*>(c.sorted_boxes + n);
    c.classes = reinterpret_cast<std::int32_t*>(c.keys + n);
    c.sorted_scores = reinterpret_cast<float*>(c.classes + n);
    c.sorted_classes = reinterpret_cast<std::int32_t*>(c.sorted_scores + n);
    return c;
  }
};

}  // namespace tern::cuda
