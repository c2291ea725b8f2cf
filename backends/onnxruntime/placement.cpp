// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "placement.h"

#include <charconv>
#include <exception>

namespace tern::ort_backend {

void PlacementLog::log(LogLevel level, std::string_view component, std::string_view message) noexcept {
  if (level <= next_->level()) next_->log(level, component, message);
  // " All nodes placed on [CPUExecutionProvider]. Number of nodes: 3", or " Node(s) placed on [...]. Number of nodes: 2".
  constexpr std::string_view kPlaced = "placed on [", kCount = "]. Number of nodes: ";
  const std::size_t placed = message.find(kPlaced);
  if (placed == std::string_view::npos) return;
  const std::string_view rest = message.substr(placed + kPlaced.size());
  const std::size_t end = rest.find(kCount);
  if (end == std::string_view::npos) return;
  const std::string_view digits = rest.substr(end + kCount.size());
  int count = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), count).ec != std::errc()) return;
  try {
    const std::scoped_lock lock(mutex_);
    nodes_[std::string(rest.substr(0, end))] += count;
  } catch (const std::exception&) {
    return;  // no memory for a note
  }
}

std::map<std::string, int> PlacementLog::nodes() const {
  const std::scoped_lock lock(mutex_);
  return nodes_;
}

}  // namespace tern::ort_backend
