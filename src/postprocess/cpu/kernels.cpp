// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// Highway compiles the part between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each instruction set, by
// including this file again and again.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "postprocess/cpu/kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include "postprocess/cpu/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace tern::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Collects the magnitudes of floats as integers: NaN and infinity are those from 0x7F800000 on.
template <class D>
class FiniteCheck {
 public:
  using Int = hn::RebindToSigned<D>;
  // Written out, since a generated constructor would not be compiled for the instruction set.
  HWY_INLINE FiniteCheck() : largest_(hn::Zero(Int())) {}
  HWY_INLINE void add(hn::Vec<D> v) {
    largest_ = hn::Max(largest_, hn::And(hn::BitCast(Int(), v), hn::Set(Int(), 0x7FFFFFFF)));
  }
  [[nodiscard]] HWY_INLINE bool ok() const { return hn::AllTrue(Int(), hn::Lt(largest_, hn::Set(Int(), 0x7F800000))); }

 private:
  hn::Vec<Int> largest_;
};

using Lanes = hn::ScalableTag<float>;
/// For the elements behind the last whole vector, one by one.
using OneLane = hn::CappedTag<float, 1>;

template <class D>
HWY_INLINE std::size_t scan_anchors(const float* rows, std::size_t classes, std::size_t anchors, std::size_t i,
                                    float threshold, FiniteCheck<D>& finite, YoloCandidates& out, std::size_t count) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  for (std::size_t row = 0; row < 4; ++row)
    finite.add(hn::LoadU(d, rows + row * anchors + i));
  const float* scores = rows + 4 * anchors + i;
  auto best = hn::LoadU(d, scores);
  finite.add(best);
  auto best_class = hn::Zero(di);
  for (std::size_t c = 1; c < classes; ++c) {
    const auto v = hn::LoadU(d, scores + c * anchors);
    finite.add(v);
    best_class =
        hn::IfThenElse(hn::RebindMask(di, hn::Gt(v, best)), hn::Set(di, static_cast<std::int32_t>(c)), best_class);
    best = hn::Max(v, best);
  }
  const auto above = hn::Gt(best, hn::Set(d, threshold));
  if (hn::AllFalse(d, above)) return count;
  hn::CompressStore(best_class, hn::RebindMask(di, above), di, out.class_id.data() + count);
  hn::CompressStore(hn::Iota(du, static_cast<std::uint32_t>(i)), hn::RebindMask(du, above), du,
                    out.anchor.data() + count);
  return count + hn::CompressStore(best, above, d, out.score.data() + count);
}

bool scan_yolo_simd(const float* rows, std::size_t classes, std::size_t anchors, float threshold, YoloCandidates& out) {
  const std::size_t step = hn::Lanes(Lanes());
  FiniteCheck<Lanes> finite;
  FiniteCheck<OneLane> finite_tail;
  std::size_t i = 0, count = 0;
  for (; i + step <= anchors; i += step)
    count = scan_anchors(rows, classes, anchors, i, threshold, finite, out, count);
  for (; i < anchors; ++i)
    count = scan_anchors(rows, classes, anchors, i, threshold, finite_tail, out, count);
  out.size = count;
  return finite.ok() && finite_tail.ok();
}

/// The labels of a vector of pixels; `logit(c)` gives their logits of class c.
template <class D, class Logit>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> label_of(D d, std::size_t classes, const LabelRule& rule,
                                                   const Logit& logit) {
  const hn::RebindToSigned<D> di;
  auto best = logit(0);
  auto second = hn::Set(d, -std::numeric_limits<float>::infinity());
  auto label = hn::Zero(di);
  for (std::size_t c = 1; c < classes; ++c) {
    const auto v = logit(c);
    label = hn::IfThenElse(hn::RebindMask(di, hn::Gt(v, best)), hn::Set(di, static_cast<std::int32_t>(c)), label);
    second = hn::Max(second, hn::Min(v, best));
    best = hn::Max(v, best);
  }
  if (hn::AllTrue(d, hn::Gt(hn::Sub(best, second), hn::Set(d, rule.gap)))) return label;
  auto sum = hn::Zero(d);
  for (std::size_t c = 0; c < classes; ++c)
    sum = hn::Add(sum, hn::Exp(d, hn::Sub(logit(c), best)));
  const auto is_confident = hn::RebindMask(di, hn::Lt(sum, hn::Set(d, rule.inverse_threshold)));
  return hn::IfThenElse(is_confident, label, hn::Set(di, 255));
}

template <class D>
HWY_INLINE void label_at(const float* planes, std::size_t classes, std::size_t pixels, std::size_t i,
                         const LabelRule& rule, FiniteCheck<D>& finite, std::uint8_t* labels) {
  const D d;
  const hn::Rebind<std::uint8_t, D> du8;
  const auto label = label_of(d, classes, rule, [&](std::size_t c) HWY_ATTR {
    const auto v = hn::LoadU(d, planes + c * pixels + i);
    finite.add(v);
    return v;
  });
  hn::StoreU(hn::DemoteTo(du8, label), du8, labels + i);
}

bool label_pixels_simd(const float* planes, std::size_t classes, std::size_t pixels, const LabelRule& rule,
                       std::uint8_t* labels) {
  const std::size_t step = hn::Lanes(Lanes());
  FiniteCheck<Lanes> finite;
  FiniteCheck<OneLane> finite_tail;
  std::size_t i = 0;
  for (; i + step <= pixels; i += step)
    label_at(planes, classes, pixels, i, rule, finite, labels);
  for (; i < pixels; ++i)
    label_at(planes, classes, pixels, i, rule, finite_tail, labels);
  return finite.ok() && finite_tail.ok();
}

/// out = upper * (1 - b) + lower * b. Reads and writes whole vectors.
HWY_INLINE void blend_rows(const float* upper, const float* lower, std::size_t count, float b, float* out) {
  const Lanes d;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto u = hn::Mul(hn::LoadU(d, upper + i), hn::Set(d, 1 - b));
    hn::StoreU(hn::Add(u, hn::Mul(hn::LoadU(d, lower + i), hn::Set(d, b))), d, out + i);
  }
}

void label_mixed_simd(MixedCells& cells, std::size_t classes, float b, const float* weights, const LabelRule& rule,
                      std::uint8_t* out) {
  const Lanes d;
  const hn::Rebind<std::uint8_t, Lanes> du8;
  for (std::size_t c = 0; c < classes; ++c) {
    const std::size_t at = c * cells.capacity;
    blend_rows(&cells.upper_left[at], &cells.lower_left[at], cells.size, b, &cells.left[at]);
    blend_rows(&cells.upper_right[at], &cells.lower_right[at], cells.size, b, &cells.right[at]);
  }
  HWY_ALIGN std::uint8_t labels[hn::MaxLanes(Lanes())];
  for (std::size_t k = 0; k < cells.size; ++k) {
    const float *left = &cells.left[k], *right = &cells.right[k];
    for (std::size_t x = cells.begin[k]; x < cells.end[k]; x += hn::Lanes(d)) {
      const auto a = hn::LoadU(d, weights + x);
      const auto rest = hn::Sub(hn::Set(d, 1.0F), a);
      const auto label = label_of(d, classes, rule, [&](std::size_t c) HWY_ATTR {
        const std::size_t at = c * cells.capacity;
        return hn::Add(hn::Mul(hn::Set(d, left[at]), rest), hn::Mul(hn::Set(d, right[at]), a));
      });
      hn::Store(hn::DemoteTo(du8, label), du8, labels);
      std::copy_n(labels, std::min(hn::Lanes(d), cells.end[k] - x), out + x);
    }
  }
}

bool all_finite_simd(const float* values, std::size_t count) {
  const std::size_t step = hn::Lanes(Lanes());
  FiniteCheck<Lanes> finite;
  FiniteCheck<OneLane> finite_tail;
  std::size_t i = 0;
  for (; i + step <= count; i += step)
    finite.add(hn::LoadU(Lanes(), values + i));
  for (; i < count; ++i)
    finite_tail.add(hn::LoadU(OneLane(), values + i));
  return finite.ok() && finite_tail.ok();
}

bool overlap_simd(const KeptBoxes::Columns& kept, const KeptBoxes::Box& box, float iou) {
  const Lanes d;
  const hn::RebindToSigned<Lanes> di;
  const auto x1 = hn::Set(d, box.x1), y1 = hn::Set(d, box.y1), x2 = hn::Set(d, box.x2), y2 = hn::Set(d, box.y2);
  const auto area = hn::Set(d, (box.x2 - box.x1) * (box.y2 - box.y1));
  const auto zero = hn::Zero(d);
  const auto limit = hn::Set(d, iou);
  const auto wanted = hn::Set(di, box.class_id);
  for (std::size_t i = 0; i < kept.size; i += hn::Lanes(d)) {
    const auto w =
        hn::Max(zero, hn::Sub(hn::Min(x2, hn::LoadU(d, kept.x2 + i)), hn::Max(x1, hn::LoadU(d, kept.x1 + i))));
    const auto h =
        hn::Max(zero, hn::Sub(hn::Min(y2, hn::LoadU(d, kept.y2 + i)), hn::Max(y1, hn::LoadU(d, kept.y1 + i))));
    const auto shared = hn::Mul(w, h);
    const auto ratio = hn::Div(shared, hn::Sub(hn::Add(hn::LoadU(d, kept.area + i), area), shared));
    const auto same = hn::RebindMask(d, hn::Eq(wanted, hn::LoadU(di, kept.class_id + i)));
    if (!hn::AllFalse(d, hn::And(same, hn::Gt(ratio, limit)))) return true;
  }
  return false;
}

}  // namespace tern::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tern {

HWY_EXPORT(scan_yolo_simd);
HWY_EXPORT(label_pixels_simd);
HWY_EXPORT(label_mixed_simd);
HWY_EXPORT(all_finite_simd);
HWY_EXPORT(overlap_simd);

LabelRule LabelRule::of(std::size_t classes, float threshold) noexcept {
  // With the largest logit ahead by g, its softmax is at least 1 / (1 + (classes - 1) exp(-g)). The margin covers rounding.
  constexpr double kMargin = 1e-3;
  const double t = threshold;
  return {static_cast<float>(std::log(static_cast<double>(classes - 1) * t / (1.0 - t)) + kMargin),
          static_cast<float>(1.0 / t)};
}

bool scan_yolo(const float* rows, std::size_t classes, std::size_t anchors, float threshold, YoloCandidates& out) {
  if (out.anchor.size() < anchors + kKernelPadding) {
    out.anchor.resize(anchors + kKernelPadding);
    out.score.resize(anchors + kKernelPadding);
    out.class_id.resize(anchors + kKernelPadding);
  }
  return HWY_DYNAMIC_DISPATCH(scan_yolo_simd)(rows, classes, anchors, threshold, out);
}

bool label_pixels(const float* planes, std::size_t classes, std::size_t pixels, const LabelRule& rule,
                  std::uint8_t* labels) {
  return HWY_DYNAMIC_DISPATCH(label_pixels_simd)(planes, classes, pixels, rule, labels);
}

void MixedCells::clear(std::size_t classes, std::size_t cells) {
  size = 0;
  capacity = cells + kKernelPadding;
  begin.resize(cells);
  end.resize(cells);
  for (auto* column : {&upper_left, &upper_right, &lower_left, &lower_right, &left, &right})
    column->resize(classes * capacity);
}

void label_mixed(MixedCells& cells, std::size_t classes, float b, const float* weights, const LabelRule& rule,
                 std::uint8_t* out) {
  if (cells.size > 0) HWY_DYNAMIC_DISPATCH(label_mixed_simd)(cells, classes, b, weights, rule, out);
}

bool all_finite(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(all_finite_simd)(values.data(), values.size());
}

//  binary16: s eeeee mmmmmmmmmm (bias 15)   binary32: s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm (bias 127)
void halves_to_floats(const std::uint16_t* halves, std::size_t count, float* out) {
  constexpr float kBiasDifference = 0x1p112F;  // 2^(127 - 15); the product is exact and makes subnormals normal
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t half = halves[i];
    const auto bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>((half & 0x7FFFU) << 13) * kBiasDifference);
    const std::uint32_t special = (half & 0x7C00U) == 0x7C00U ? 0x7F800000U : 0U;
    out[i] = std::bit_cast<float>(bits | special | (half & 0x8000U) << 16);
  }
}

void KeptBoxes::clear(std::size_t expected) {
  const std::size_t padded = expected + kKernelPadding;
  for (auto* column : {&x1_, &y1_, &x2_, &y2_, &area_})
    column->assign(std::max(padded, column->size()), 0.0F);
  class_.assign(std::max(padded, class_.size()), 0);
  size_ = 0;
}

void KeptBoxes::push(const Box& box) {
  if (size_ + 1 + kKernelPadding > class_.size()) {
    const std::size_t grown = 2 * class_.size() + kKernelPadding;
    for (auto* column : {&x1_, &y1_, &x2_, &y2_, &area_})
      column->resize(grown, 0.0F);
    class_.resize(grown, 0);
  }
  x1_[size_] = box.x1;
  y1_[size_] = box.y1;
  x2_[size_] = box.x2;
  y2_[size_] = box.y2;
  area_[size_] = (box.x2 - box.x1) * (box.y2 - box.y1);
  class_[size_] = box.class_id;
  ++size_;
}

bool KeptBoxes::overlap(const Box& box, float iou) const {
  const Columns columns{x1_.data(), y1_.data(), x2_.data(), y2_.data(), area_.data(), class_.data(), size_};
  return HWY_DYNAMIC_DISPATCH(overlap_simd)(columns, box, iou);
}

}  // namespace tern
#endif
