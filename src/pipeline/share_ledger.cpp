// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/share_ledger.h"

#include <algorithm>

namespace tern {
namespace {

double bounded(double credit, double share) noexcept {
  const double most = share * static_cast<double>(ShareLedger::kWindow.count());
  return std::clamp(credit, -most, most);
}

}  // namespace

ShareLedger::ShareLedger(const std::vector<double>& shares, int executors) {
  for (const double share : shares)
    accounts_.push_back({share * executors, 0});
}

void ShareLedger::advance(Nanoseconds now) noexcept {
  const Nanoseconds passed = has_last_ ? std::max(now - last_, Nanoseconds(0)) : Nanoseconds(0);
  last_ = has_last_ ? std::max(last_, now) : now;
  has_last_ = true;
  if (passed == Nanoseconds(0)) return;
  for (Account& account : accounts_)
    account.credit = bounded(account.credit + account.share * static_cast<double>(passed.count()), account.share);
}

void ShareLedger::charge(std::size_t model, Nanoseconds time) noexcept {
  Account& account = accounts_[model];
  account.credit = bounded(account.credit - static_cast<double>(time.count()), account.share);
}

}  // namespace tern
