// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/fused.h"

#include <algorithm>
#include <utility>

#include "preprocess/cpu/fetch.h"
#include "preprocess/cpu/kernels.h"

namespace tern {
namespace {

/// Makes room for `count` elements; never shrinks, so that frames of changing size do not allocate for ever.
template <typename T>
void grow(std::vector<T>& buffer, std::size_t count) {
  if (buffer.size() < count) buffer.resize(count);
}

/// Where one resampled channel lies in the summed planes.
struct ChannelSite {
  std::size_t plane = 0;
  std::int32_t offset = 0, step = 1;
  int shift = 0;  ///< 1: at half resolution
};

std::array<ChannelSite, 3> channel_sites(PixelFormat format) noexcept {
  switch (format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
      return {{{0, 0, 3, 0}, {0, 1, 3, 0}, {0, 2, 3, 0}}};
    case PixelFormat::kBgra:
      return {{{0, 0, 4, 0}, {0, 1, 4, 0}, {0, 2, 4, 0}}};
    case PixelFormat::kGray:
      return {};
    case PixelFormat::kNv12:
      return {{{0, 0, 1, 0}, {1, 0, 2, 1}, {1, 1, 2, 1}}};
    case PixelFormat::kI420:
      return {{{0, 0, 1, 0}, {1, 0, 1, 1}, {2, 0, 1, 1}}};
  }
  return {};
}

/// The source rows of an output row whose weight is not 0: scales by odd whole numbers need one row only, not two.
FusedPreprocess::RowPair rows_that_count(const AxisPlan& y, std::size_t row) noexcept {
  const float weight = y.last_weight[row];
  return {weight == 1 ? y.last[row] : y.first[row], weight == 0 ? y.first[row] : y.last[row]};
}

}  // namespace

void FusedPreprocess::run(const FramePlan& plan, const ImageView& image, const ImageView* region,
                          const TensorView& out) {
  transform_ = ColorTransform::make(contract_, image);
  boxes_ = plan.x.kind == AxisPlan::Kind::kBox || plan.y.kind == AxisPlan::Kind::kBox;
  if (!boxes_) {
    for (FetchedRow* fetched : {&top_, &bottom_}) {
      grow(fetched->words, (plan.x.count + AxisPlan::kPadding) * word_size(transform_.source, plan.x.kind));
      fetched->row = -1;
    }
  }
  output_.begin(out, plan.geometry);
  for (std::size_t row = 0; row < plan.y.count; ++row) {
    const std::array<float*, 4> rows = output_.rows(row);
    const std::array<float*, 3> colors{rows[0], rows[1], rows[2]};
    if (boxes_) {
      average(plan, image, row, colors);
    } else {
      sample(plan, image, row, colors);
    }
    if (region != nullptr) {
      fetch_mask_row(*region, plan.mask_y.first[row], plan.mask_x,
                     rows[static_cast<std::size_t>(contract_.color_channels())]);
    }
    output_.commit(row);
  }
}

void FusedPreprocess::sample(const FramePlan& plan, const ImageView& image, std::size_t row,
                             const std::array<float*, 3>& out) {
  const RowPair now = rows_that_count(plan.y, row);
  const RowPair next = row + 1 < plan.y.count ? rows_that_count(plan.y, row + 1) : RowPair{};
  // Up-scaling asks for the same rows again, or for the bottom row as the next top.
  if (top_.row != now.top && bottom_.row == now.top) std::swap(top_, bottom_);
  const bool top_missing = top_.row != now.top;
  const bool bottom_missing = now.bottom != now.top && bottom_.row != now.bottom;
  const FetchRow top{.row = now.top, .ahead = next.top, .words = top_.words.data()};
  const FetchRow bottom{.row = now.bottom, .ahead = next.bottom, .words = bottom_.words.data()};
  if (top_missing && bottom_missing) {
    fetch_rows(image, {top, bottom}, plan.x);
  } else if (top_missing || bottom_missing) {
    fetch_row(image, top_missing ? top : bottom, plan.x);
  }
  top_.row = now.top;
  if (bottom_missing) bottom_.row = now.bottom;

  const SampleRow task{.top = top.words,
                       .bottom = now.bottom == now.top ? top.words : bottom.words,
                       .wx = plan.x.last_weight.data(),
                       .wy = plan.y.last_weight[row],
                       .count = plan.x.count,
                       .out = out};
  sample_row(transform_, plan.x.kind, task);
}

void FusedPreprocess::sum_rows(const AxisPlan& y, std::size_t row, const ImageView::Plane& plane, int shift,
                               std::size_t begin, std::size_t end, float* sums) const noexcept {
  bool started = false;
  const auto add = [&](std::int32_t source_row, float weight) {
    const std::uint8_t* bytes = plane.data + (source_row >> shift) * plane.stride + begin;
    (started ? add_weighted : set_weighted)(bytes, end - begin, weight, sums + begin);
    started = true;
  };
  // Whole pixels first: their sums are whole numbers below 2^24, hence exact.
  for (std::int32_t r = y.first[row] + 1; r < y.last[row]; ++r)
    add(r, 1);
  add(y.first[row], y.first_weight[row]);
  if (y.last_weight[row] != 0) add(y.last[row], y.last_weight[row]);
}

void FusedPreprocess::average(const FramePlan& plan, const ImageView& image, std::size_t row,
                              const std::array<float*, 3>& out) {
  const AxisPlan& x = plan.x;
  const std::array<ChannelSite, 3> sites = channel_sites(image.format);
  const std::size_t channels = transform_.source == ColorTransform::Source::kGray ? 1 : 3;
  std::array<const float*, 3> averages{};
  for (std::size_t c = 0; c < channels; ++c) {
    const ChannelSite& site = sites[c];
    const auto step = static_cast<std::size_t>(site.step);
    std::vector<float>& sums = sums_[site.plane];
    if (site.offset == 0) {  // the first channel of its plane
      const auto begin = static_cast<std::size_t>(x.first[0] >> site.shift) * step;
      const auto end = (static_cast<std::size_t>(x.last[x.count - 1] >> site.shift) + 1) * step;
      grow(sums, end);
      sum_rows(plan.y, row, image.planes[site.plane], site.shift, begin, end, sums.data());
    }
    grow(averages_[c], x.count + AxisPlan::kPadding);
    const BoxRow task{
        .sums = sums.data() + site.offset, .step = site.step, .shift = site.shift, .norm = plan.y.norm[row]};
    box_row(x, task, averages_[c].data());
    averages[c] = averages_[c].data();
  }
  color_row(transform_, averages, x.count, out);
}

}  // namespace tern
