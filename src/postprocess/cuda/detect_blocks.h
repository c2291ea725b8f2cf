// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "postprocess/cuda/block.h"
#include "postprocess/cuda/detect_params.h"
#include "postprocess/cuda/detect_scratch.h"
#include "postprocess/cuda/values.h"
#include "postprocess/limits.h"

// The first two of the three kernels that decode detections (the third is in select_block.h): candidates are found in any order,
// then each counts the candidates that come before it, which is its place. Keys are unique, so the order is the same each time.

namespace tern::cuda {

[[nodiscard]] TERN_HOST_DEVICE inline std::uint64_t candidate_key(float score, std::uint32_t anchor) {
  return static_cast<std::uint64_t>(bits_of(score)) << 32U | (0xFFFFFFFFU - anchor);  // scores are above 0
}
[[nodiscard]] TERN_HOST_DEVICE inline float score_of(std::uint64_t key) {
  return float_of(static_cast<std::uint32_t>(key >> 32U));
}

/// Scanning a YOLO output: each block looks at kAnchors anchors, of which each is read by kSlices threads.
struct YoloScan {
  static constexpr std::uint32_t kAnchors = 32, kSlices = 8, kThreads = kAnchors * kSlices;

  struct Shared {
    float best[kSlices][kAnchors];
    std::int32_t best_class[kSlices][kAnchors];
    std::uint32_t above[kThreads / 32];
    std::uint32_t first;
  };
  struct Thread {
    float score;
    std::int32_t class_id;
  };

  template <typename Block, typename Element>
  TERN_HOST_DEVICE static void run(Block& block, Shared& shared, const DetectPlan& plan, const Element* output,
                                   float threshold, std::uint32_t first_anchor, const Candidates& candidates,
                                   DetectHeader& header) {
    const auto anchors = static_cast<std::uint32_t>(plan.anchors);
    block.each([&](std::uint32_t t, Thread&) {
      const std::uint32_t lane = t % kAnchors, slice = t / kAnchors;
      const std::uint32_t anchor = first_anchor + lane;
      float best = -INFINITY;
      std::int32_t best_class = 0;
      std::uint64_t fault = 0;
      if (anchor < anchors) {
        TERN_UNROLL(4)
        for (auto row = static_cast<std::int32_t>(slice); row < plan.classes + 4; row += std::int32_t{kSlices}) {
          const std::size_t at = static_cast<std::size_t>(row) * anchors + anchor;
          const float value = value_at(output, at);
          if (!is_finite(value) && fault == 0) fault = Fault::of(at, value);
          if (row >= 4 && value > best) {
            best = value;
            best_class = row - 4;
          }
        }
      }
      shared.best[slice][lane] = best;
      shared.best_class[slice][lane] = best_class;
      if (fault != 0) raise_shared(header.bad_value, fault);
    });
    block.ballot(shared.above, [&](std::uint32_t t, Thread& mine) {
      if (t >= kAnchors || first_anchor + t >= anchors) return false;
      mine.score = shared.best[0][t];
      mine.class_id = shared.best_class[0][t];
      for (std::uint32_t slice = 1; slice < kSlices; ++slice) {
        const float score = shared.best[slice][t];
        const std::int32_t class_id = shared.best_class[slice][t];
        if (score > mine.score || (score == mine.score && class_id < mine.class_id)) {
          mine.score = score;
          mine.class_id = class_id;
        }
      }
      return mine.score > threshold;
    });
    block.each([&](std::uint32_t t, Thread&) {
      if (t == 0 && shared.above[0] != 0) shared.first = add_shared(header.candidates, count_bits(shared.above[0]));
    });
    block.each([&](std::uint32_t t, Thread& mine) {
      if (t >= kAnchors || !has_bit(shared.above, t)) return;
      const std::uint32_t anchor = first_anchor + t;
      const std::size_t place = shared.first + count_before(shared.above, t);
      const auto row = [&](std::size_t i) { return value_at(output, i * anchors + anchor); };
      const float cx = row(0), cy = row(1), half_width = row(2) / 2, half_height = row(3) / 2;
      candidates.keys[place] = candidate_key(mine.score, anchor);
      candidates.boxes[place] = {cx - half_width, cy - half_height, cx + half_width, cy + half_height};
      candidates.classes[place] = mine.class_id;
      if (mine.score > kLargestScore) raise_shared(header.bad_score, Fault::of(anchor, mine.score));
    });
  }
};

/// Scanning an end-to-end output: a thread a row.
struct End2EndScan {
  static constexpr std::uint32_t kThreads = 256, kAnchors = kThreads;

  struct Shared {
    std::uint32_t above[kThreads / 32];
    std::uint32_t first;
  };
  struct Thread {
    float values[6];
  };

  template <typename Block, typename Element>
  TERN_HOST_DEVICE static void run(Block& block, Shared& shared, const DetectPlan& plan, const Element* output,
                                   float threshold, std::uint32_t first_row, const Candidates& candidates,
                                   DetectHeader& header) {
    block.ballot(shared.above, [&](std::uint32_t t, Thread& mine) {
      const std::uint32_t row = first_row + t;
      if (row >= static_cast<std::uint32_t>(plan.anchors)) return false;
      std::uint64_t fault = 0;
      for (std::size_t i = 0; i < 6; ++i) {
        const std::size_t at = std::size_t{row} * 6 + i;
        mine.values[i] = value_at(output, at);
        if (!is_finite(mine.values[i]) && fault == 0) fault = Fault::of(at, mine.values[i]);
      }
      if (fault != 0) raise_shared(header.bad_value, fault);
      const float score = mine.values[4], class_id = mine.values[5];
      if (!(score > threshold)) return false;
      if (score > kLargestScore) raise_shared(header.bad_score, Fault::of(row, score));
      const bool is_class =
          class_id >= 0 && class_id < static_cast<float>(plan.classes) && class_id == floorf(class_id);
      if (!is_class) raise_shared(header.bad_class, Fault::of(row, class_id));
      return is_class;
    });
    block.each([&](std::uint32_t t, Thread&) {
      if (t == 0) shared.first = add_shared(header.candidates, count_all(shared.above, kThreads / 32));
    });
    block.each([&](std::uint32_t t, Thread& mine) {
      if (!has_bit(shared.above, t)) return;
      const std::size_t place = shared.first + count_before(shared.above, t);
      candidates.keys[place] = candidate_key(mine.values[4], first_row + t);
      candidates.boxes[place] = {mine.values[0], mine.values[1], mine.values[2], mine.values[3]};
      candidates.classes[place] = static_cast<std::int32_t>(mine.values[5]);
    });
  }
};

/// Sorting: each block finds the places of kItems candidates, by comparing each with all. kSlices threads share the work for one.
struct Ranking {
  static constexpr std::uint32_t kItems = 64, kSlices = 4, kThreads = kItems * kSlices;

  struct Shared {
    std::uint64_t tile[kThreads];
    std::uint32_t ranks[kSlices][kItems];
  };
  struct Thread {
    std::uint64_t key;
    std::uint32_t rank;
  };

  template <typename Block>
  TERN_HOST_DEVICE static void run(Block& block, Shared& shared, std::uint32_t count, std::uint32_t first_item,
                                   const Candidates& candidates) {
    for (std::uint32_t tile = 0; tile < count; tile += kThreads) {
      block.each([&](std::uint32_t t, Thread& mine) {
        if (tile == 0) {
          const std::uint32_t item = first_item + t % kItems;
          mine.key = item < count ? candidates.keys[item] : 0;
          mine.rank = 0;
        }
        shared.tile[t] = tile + t < count ? candidates.keys[tile + t] : 0;
      });
      block.each([&](std::uint32_t t, Thread& mine) {
        const std::uint64_t* const keys = shared.tile + t / kItems * kItems;
        std::uint32_t larger = 0;
        TERN_UNROLL(8)
        for (std::uint32_t i = 0; i < kThreads / kSlices; ++i)
          larger += keys[i] > mine.key ? 1U : 0U;
        mine.rank += larger;
      });
    }
    block.each([&](std::uint32_t t, Thread& mine) { shared.ranks[t / kItems][t % kItems] = mine.rank; });
    block.each([&](std::uint32_t t, Thread& mine) {
      const std::uint32_t item = first_item + t;
      if (t >= kItems || item >= count) return;
      std::uint32_t place = 0;
      for (std::uint32_t slice = 0; slice < kSlices; ++slice)
        place += shared.ranks[slice][t];
      candidates.sorted_boxes[place] = candidates.boxes[item];
      candidates.sorted_scores[place] = score_of(mine.key);
      candidates.sorted_classes[place] = candidates.classes[item];
    });
  }
};

}  // namespace tern::cuda
