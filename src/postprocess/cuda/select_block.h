// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "postprocess/cuda/block.h"
#include "postprocess/cuda/detect_params.h"
#include "postprocess/cuda/detect_scratch.h"

namespace tern::cuda {

/// Whether the intersection over union is greater than `iou`; the arithmetic of KeptBoxes::overlap(), in the same order.
[[nodiscard]] TERN_HOST_DEVICE inline bool overlaps(const Corners& a, float area_a, const Corners& b, float area_b,
                                                    float iou) {
  // Nothing shared gives 0 / something, which is greater than no threshold. Most pairs end here.
  if (!(a.x2 > b.x1 && b.x2 > a.x1 && a.y2 > b.y1 && b.y2 > a.y1)) return false;
  const float w = fmaxf(0.0F, fminf(a.x2, b.x2) - fmaxf(a.x1, b.x1));
  const float h = fmaxf(0.0F, fminf(a.y2, b.y2) - fmaxf(a.y1, b.y1));
  const float shared = w * h;
  return shared / (area_a + area_b - shared) > iou;
}

[[nodiscard]] TERN_HOST_DEVICE inline float area_of(const Corners& box) {
  return (box.x2 - box.x1) * (box.y2 - box.y1);
}

/// Input position to a source position within 0..side, as Geometry::to_source_x() and a clip do it.
[[nodiscard]] TERN_HOST_DEVICE inline float to_source(float position, double scale, double offset, std::int32_t side) {
  const double source = (static_cast<double>(position) - offset) / scale;
  const double end = side;
  return static_cast<float>(source < 0 ? 0 : end < source ? end : source);
}

/// Non-maximum suppression of the sorted candidates of one image, and the way of its boxes to the source image; one block an image.
///
/// Candidates are taken in windows of kWindow. Each is held against the boxes that were kept before its window, then against those
/// before it in the window, whose overlaps are kept as bits. Greedy suppression in the window is then a fixed point: a candidate is
/// kept when nothing before it that it overlaps is kept or open, and out when something before it that it overlaps is kept. Each
/// round settles every candidate that waits for no other, the first open one at least, so it ends, and with the greedy result.
struct Selection {
  static constexpr std::uint32_t kThreads = 1024, kWindow = 256, kSlices = kThreads / kWindow;
  static constexpr std::uint32_t kWords = kWindow / 32;
  static_assert(kThreads >= DetectPlan::kMostDetections);

  struct Shared {
    Corners kept[DetectPlan::kMostDetections];
    float kept_area[DetectPlan::kMostDetections];
    float kept_score[DetectPlan::kMostDetections];
    std::int32_t kept_class[DetectPlan::kMostDetections];
    Corners window[kWindow];
    float window_area[kWindow];
    std::int32_t window_class[kWindow];
    std::uint32_t before[kWords][kWindow];  ///< bit i of before[w][c]: c overlaps 32 w + i, which stands before it
    std::uint32_t hit[kThreads / 32];       ///< by thread: what overlaps a box of an earlier window
    std::uint32_t alive[kWords];
    std::uint32_t is_kept[2][kThreads / 32], is_open[2][kThreads / 32];  ///< by candidate; the rounds take turns
    std::uint32_t is_result[kThreads / 32];
  };
  enum class Fate : std::uint8_t { kOpen, kKept, kOut };
  struct Thread {
    Corners box;
    float area;
    std::int32_t class_id;
    Fate fate;
  };

  template <typename Block>
  TERN_HOST_DEVICE static void run(Block& block, Shared& shared, const DetectPlan& plan, const DetectImage& image,
                                   const Candidates& candidates, DetectHeader& header, DetectRow* rows) {
    const std::uint32_t count = header.candidates;
    const auto limit = static_cast<std::uint32_t>(plan.limit);
    std::uint32_t kept = 0;
    if (plan.is_yolo != 0) {
      for (std::uint32_t first = 0; first < count && kept < limit; first += kWindow) {
        find_alive(block, shared, plan, image.nms_iou, candidates, first, count, kept);
        compare_in_window(block, shared, plan, image.nms_iou);
        const std::uint32_t turn = settle(block, shared);
        kept = append(block, shared, candidates, first, turn, kept, limit);
      }
    } else {
      kept = take_best(block, shared, candidates, count < limit ? count : limit);
    }
    write_rows(block, shared, image, kept, header, rows);
  }

 private:
  /// Reads a window, and holds it against the boxes kept before it.
  template <typename Block>
  TERN_HOST_DEVICE static void find_alive(Block& block, Shared& shared, const DetectPlan& plan, float iou,
                                          const Candidates& candidates, std::uint32_t first, std::uint32_t count,
                                          std::uint32_t kept) {
    block.ballot(shared.hit, [&](std::uint32_t t, Thread& mine) {
      const std::uint32_t c = t % kWindow, slice = t / kWindow;
      if (first + c >= count) return true;  // there is none
      mine.box = candidates.sorted_boxes[first + c];
      mine.area = area_of(mine.box);
      mine.class_id = candidates.sorted_classes[first + c];
      if (slice == 0) {
        shared.window[c] = mine.box;
        shared.window_area[c] = mine.area;
        shared.window_class[c] = mine.class_id;
      }
      const bool any_class = plan.class_aware == 0;
      for (std::uint32_t k = slice; k < kept; k += kSlices) {
        if ((any_class || shared.kept_class[k] == mine.class_id) &&
            overlaps(shared.kept[k], shared.kept_area[k], mine.box, mine.area, iou))
          return true;
      }
      return false;
    });
    block.each([&](std::uint32_t t, Thread&) {
      if (t >= kWords) return;
      std::uint32_t hit = 0;
      for (std::uint32_t slice = 0; slice < kSlices; ++slice)
        hit |= shared.hit[slice * kWords + t];
      shared.alive[t] = ~hit;
      shared.is_open[0][t] = ~hit;
      shared.is_kept[0][t] = 0;
    });
  }

  template <typename Block>
  TERN_HOST_DEVICE static void compare_in_window(Block& block, Shared& shared, const DetectPlan& plan, float iou) {
    block.each([&](std::uint32_t t, Thread& mine) {
      const std::uint32_t c = t % kWindow, slice = t / kWindow;
      const bool is_alive = has_bit(shared.alive, c), any_class = plan.class_aware == 0;
      mine.fate = is_alive ? Fate::kOpen : Fate::kOut;
      for (std::uint32_t w = slice; w < kWords; w += kSlices) {
        std::uint32_t bits = 0;
        if (is_alive && w <= c / 32) {
          // The loop is the same for the whole warp; what stands at or behind c is left out below.
          for (std::uint32_t rest = shared.alive[w]; rest != 0; rest &= rest - 1) {
            const std::uint32_t i = lowest_bit(rest), other = w * 32 + i;
            if ((any_class || shared.window_class[other] == mine.class_id) &&
                overlaps(shared.window[other], shared.window_area[other], mine.box, mine.area, iou))
              bits |= 1U << i;
          }
          if (w == c / 32) bits &= (1U << (c % 32)) - 1;
        }
        shared.before[w][c] = bits;
      }
    });
  }

  /// Which of the two is_kept holds the outcome.
  template <typename Block>
  TERN_HOST_DEVICE static std::uint32_t settle(Block& block, Shared& shared) {
    std::uint32_t turn = 0;
    while (true) {
      const std::uint32_t* const is_kept = shared.is_kept[turn];
      const std::uint32_t* const is_open = shared.is_open[turn];
      std::uint32_t open = 0;
      for (std::uint32_t w = 0; w < kWords; ++w)
        open |= is_open[w];
      if (open == 0) return turn;
      block.ballot(shared.is_kept[1 - turn], [&](std::uint32_t t, Thread& mine) {
        if (t >= kWindow) return false;
        if (mine.fate == Fate::kOpen) {
          std::uint32_t of_kept = 0, of_open = 0;
          for (std::uint32_t w = 0; w < kWords; ++w) {
            of_kept |= shared.before[w][t] & is_kept[w];
            of_open |= shared.before[w][t] & is_open[w];
          }
          if (of_kept != 0) {
            mine.fate = Fate::kOut;
          } else if (of_open == 0) {
            mine.fate = Fate::kKept;
          }
        }
        return mine.fate == Fate::kKept;
      });
      block.ballot(shared.is_open[1 - turn],
                   [&](std::uint32_t t, Thread& mine) { return t < kWindow && mine.fate == Fate::kOpen; });
      turn = 1 - turn;
    }
  }

  /// The number of boxes kept so far.
  template <typename Block>
  TERN_HOST_DEVICE static std::uint32_t append(Block& block, Shared& shared, const Candidates& candidates,
                                               std::uint32_t first, std::uint32_t turn, std::uint32_t kept,
                                               std::uint32_t limit) {
    const std::uint32_t* const is_kept = shared.is_kept[turn];
    block.each([&](std::uint32_t t, Thread& mine) {
      if (t >= kWindow || mine.fate != Fate::kKept) return;
      const std::uint32_t place = kept + count_before(is_kept, t);
      if (place >= limit) return;
      shared.kept[place] = mine.box;
      shared.kept_area[place] = mine.area;
      shared.kept_class[place] = mine.class_id;
      shared.kept_score[place] = candidates.sorted_scores[first + t];
    });
    const std::uint32_t all = kept + count_all(is_kept, kWords);
    return all < limit ? all : limit;
  }

  /// Without suppression.
  template <typename Block>
  TERN_HOST_DEVICE static std::uint32_t take_best(Block& block, Shared& shared, const Candidates& candidates,
                                                  std::uint32_t count) {
    block.each([&](std::uint32_t t, Thread&) {
      if (t >= count) return;
      shared.kept[t] = candidates.sorted_boxes[t];
      shared.kept_class[t] = candidates.sorted_classes[t];
      shared.kept_score[t] = candidates.sorted_scores[t];
    });
    return count;
  }

  template <typename Block>
  TERN_HOST_DEVICE static void write_rows(Block& block, Shared& shared, const DetectImage& image, std::uint32_t kept,
                                          DetectHeader& header, DetectRow* rows) {
    block.ballot(shared.is_result, [&](std::uint32_t t, Thread& mine) {
      if (t >= kept) return false;
      const Corners box = shared.kept[t];
      mine.box = {to_source(box.x1, image.scale_x, image.offset_x, image.src_width),
                  to_source(box.y1, image.scale_y, image.offset_y, image.src_height),
                  to_source(box.x2, image.scale_x, image.offset_x, image.src_width),
                  to_source(box.y2, image.scale_y, image.offset_y, image.src_height)};
      return mine.box.x2 > mine.box.x1 && mine.box.y2 > mine.box.y1;
    });
    block.each([&](std::uint32_t t, Thread& mine) {
      if (t == 0) header.rows = count_all(shared.is_result, kThreads / 32);
      if (t >= kept || !has_bit(shared.is_result, t)) return;
      const Corners box = mine.box;
      rows[count_before(shared.is_result, t)] = {
          box.x1, box.y1, box.x2, box.y2, fminf(shared.kept_score[t], 1.0F), shared.kept_class[t]};
    });
  }
};

}  // namespace tern::cuda
