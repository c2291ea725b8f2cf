// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/golden_compare.h"
#include "tern/golden.h"

namespace tern {

/// How well decoded results agree with the user's labels, summed over frames.
///
/// Numbers say little about a good model and everything about a wrong one, so the demands are low (kGoldenLabelAgreement). Two
/// swapped classes among many can still pass them; they show up as a cycle instead: most of what is labelled a is taken for b,
/// and most of b for a.
class LabelScore {
 public:
  /// Labels that frame or kind do not have are skipped.
  void add(const GoldenFrame& frame, const DecodedFrame& decoded, OutputKind kind);
  /// One row for each kind of label seen.
  [[nodiscard]] std::vector<GoldenReport::Row> rows() const;
  /// The classes that stand in each other's place, each followed by what it is taken for; empty when there is no cycle.
  [[nodiscard]] std::vector<std::pair<int, int>> swapped_classes() const;

 private:
  /// What labelled things of one class were taken for. `unmatched`: for nothing.
  struct Counts {
    std::map<int, std::int64_t> taken_for;
    std::int64_t unmatched = 0;
  };
  void add_boxes(const std::vector<Detection>& labels, const std::vector<Detection>& found);
  void add_mask(const std::vector<std::uint8_t>& labels, const Segmentation& found);
  /// What most of `label`'s things were taken for, where there are enough of them to tell.
  [[nodiscard]] std::optional<int> mostly_taken_for(int label) const;

  std::map<int, Counts> counts_;
  std::int64_t enough_ = 0;  ///< things of a class from which on a majority means something
  std::string measure_;
};

}  // namespace tern
