// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tern/contract.h"
#include "tern/geometry.h"

namespace tern {

/// Which source pixels of one axis each pixel of the inner rectangle is made of, and with which weights.
///
/// The tables are those of Preprocessor's definition. Pixels strictly between first and last weigh 1; the sum of all
/// weights times `norm` is 1. Each table has kPadding entries more than the axis has pixels, so that vector loads may
/// run over the end.
struct AxisPlan {
  enum class Kind : std::uint8_t {
    kPoint,   ///< one pixel: first
    kLinear,  ///< first and last, which is first + 1 but on an axis of one pixel
    kBox,     ///< first to last
  };
  static constexpr std::size_t kPadding = 64;

  Kind kind = Kind::kPoint;
  int src = 0;            ///< source pixels on this axis
  std::size_t count = 0;  ///< inner pixels on this axis
  std::vector<std::int32_t> first, last;
  std::vector<float> first_weight, last_weight, norm;
  /// Output pixels before this one have a whole source pixel behind their last tap.
  std::size_t before_edge = 0;
  int most_taps = 1;  ///< the largest last - first + 1

  void build(Interpolation rule, int src_size, double scale, double offset, int inner, int inner_size);
};

/// All that depends on the sizes of a frame and of the input, but not on pixels.
struct FramePlan {
  Geometry geometry;
  AxisPlan x, y;
  AxisPlan mask_x, mask_y;  ///< empty without a mask channel
};

/// The plans of the sizes met last. Their memory is reused: once every size has been met, find() allocates nothing.
class PlanCache {
 public:
  static constexpr std::size_t kPlans = 16;

  explicit PlanCache(const InputContract& contract) : contract_(contract) {}
  /// The plan of `geometry`, made with this cache's contract; valid until kPlans other ones were asked for.
  [[nodiscard]] const FramePlan& find(const Geometry& geometry);

 private:
  struct Slot {
    FramePlan plan;
    std::uint64_t used = 0;  ///< 0: empty
  };

  InputContract contract_;
  std::array<Slot, kPlans> slots_;
  std::uint64_t clock_ = 0;
};

}  // namespace tern
