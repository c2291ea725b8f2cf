// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "tern/pipeline_latency.h"

namespace tern {

/// Time of the executors that each model may claim before all others. A model earns its share of the time that passes and pays
/// for what it uses. Both what it can save and what it can owe are bounded by kWindow of its share, so a model that was idle
/// cannot hold the devices for long, and one that used idle devices beyond its share gets it back within the window.
class ShareLedger {
 public:
  static constexpr Nanoseconds kWindow = std::chrono::milliseconds(250);

  ShareLedger(const std::vector<double>& shares, int executors);
  void advance(Nanoseconds now) noexcept;
  /// Takes `time` (of one executor) from the model's credit; negative gives it back.
  void charge(std::size_t model, Nanoseconds time) noexcept;
  /// Whether the model goes before those that are not owed anything.
  [[nodiscard]] bool is_owed(std::size_t model) const noexcept {
    return accounts_[model].share > 0 && accounts_[model].credit >= 0;
  }

 private:
  struct Account {
    double share = 0;   // times executors
    double credit = 0;  // nanoseconds
  };
  std::vector<Account> accounts_;
  Nanoseconds last_{};
  bool has_last_ = false;
};

}  // namespace tern
