// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tern/quant.h"

namespace tern {

/// How far a collection of statistics has come: what CollectOptions::partial_file holds.
struct CollectionState {
  static constexpr std::uint64_t kMaxBytes = 2 * ActivationStatistics::kMaxBytes + (1 << 20);

  /// SHA-256 of all that decides the statistics: nothing else may go on from here.
  std::string identity;
  std::uint64_t group = 0;        ///< of tensors that is being collected; the ones before it are in `finished`
  bool is_second_pass = false;    ///< the group's ranges are known
  std::uint64_t frames_done = 0;  ///< of this pass: the first ones
  ActivationStatistics finished{}, current{};

  [[nodiscard]] Result<std::string> to_bytes() const;
  /// CalibrationCacheError on anything that to_bytes() does not write.
  [[nodiscard]] static Result<CollectionState> from_bytes(std::string_view bytes, std::string_view where);
  bool operator==(const CollectionState&) const = default;
};

}  // namespace tern
