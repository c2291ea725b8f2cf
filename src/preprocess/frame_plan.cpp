// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/frame_plan.h"

#include <algorithm>

#include "preprocess/taps.h"

namespace tern {
namespace {

AxisPlan::Kind kind_of(Interpolation rule, double scale) noexcept {
  switch (rule) {
    case Interpolation::kNearest:
      return AxisPlan::Kind::kPoint;
    case Interpolation::kBilinear:
      return AxisPlan::Kind::kLinear;
    case Interpolation::kArea:
      return scale < 1 ? AxisPlan::Kind::kBox : AxisPlan::Kind::kLinear;
  }
  return AxisPlan::Kind::kPoint;
}

bool same(const Geometry& a, const Geometry& b) noexcept {
  return a.src_width == b.src_width && a.src_height == b.src_height && a.dst_width == b.dst_width &&
         a.dst_height == b.dst_height;
}

}  // namespace

void AxisPlan::build(Interpolation rule, int src_size, double scale, double offset, int inner, int inner_size) {
  kind = kind_of(rule, scale);
  src = src_size;
  count = static_cast<std::size_t>(inner_size);
  first.assign(count + kPadding, 0);
  last.assign(count + kPadding, 0);
  first_weight.assign(count + kPadding, 0);
  last_weight.assign(count + kPadding, 0);
  norm.assign(count + kPadding, 0);
  most_taps = 1;
  before_edge = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const int i = inner + static_cast<int>(k);
    Taps t;
    switch (kind) {
      case Kind::kPoint:
        t = point_taps((i + 0.5 - offset) / scale, src);
        break;
      case Kind::kLinear:
        t = linear_taps((i + 0.5 - offset) / scale, src);
        break;
      case Kind::kBox:
        t = box_taps((i - offset) / scale, (i + 1 - offset) / scale, src);
        break;
    }
    first[k] = t.first;
    last[k] = t.last;
    first_weight[k] = static_cast<float>(t.first_weight);
    last_weight[k] = static_cast<float>(t.last_weight);
    norm[k] = static_cast<float>(t.norm);
    most_taps = std::max(most_taps, t.last - t.first + 1);
    if (t.last < src - 1 && (kind != Kind::kLinear || t.last == t.first + 1)) before_edge = k + 1;
  }
}

const FramePlan& PlanCache::find(const Geometry& geometry) {
  Slot* oldest = slots_.data();
  for (Slot& slot : slots_) {
    if (slot.used != 0 && same(slot.plan.geometry, geometry)) {
      slot.used = ++clock_;
      return slot.plan;
    }
    if (slot.used < oldest->used) oldest = &slot;
  }
  const Geometry& g = geometry;
  FramePlan& plan = oldest->plan;
  oldest->used = 0;  // should building run out of memory, the slot must not be found half-built
  plan.geometry = g;
  plan.x.build(contract_.interpolation, g.src_width, g.scale_x, g.offset_x, g.inner_x, g.inner_width);
  plan.y.build(contract_.interpolation, g.src_height, g.scale_y, g.offset_y, g.inner_y, g.inner_height);
  if (contract_.mask_channel) {
    plan.mask_x.build(Interpolation::kNearest, g.src_width, g.scale_x, g.offset_x, g.inner_x, g.inner_width);
    plan.mask_y.build(Interpolation::kNearest, g.src_height, g.scale_y, g.offset_y, g.inner_y, g.inner_height);
  }
  oldest->used = ++clock_;
  return plan;
}

}  // namespace tern
