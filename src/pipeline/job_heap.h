// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tern {

/// A binary heap of slots by key that knows where each slot is, so that any can be removed. No allocation after the constructor.
class JobHeap {
 public:
  /// `key`: what goes first, `sequence`: which of equal keys; both smaller first.
  struct Key {
    std::int64_t key = 0;
    std::uint64_t sequence = 0;
    auto operator<=>(const Key&) const = default;
  };

  explicit JobHeap(std::size_t slots) : place_(slots, kNowhere) { entries_.reserve(slots); }

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool contains(std::uint32_t slot) const noexcept { return place_[slot] != kNowhere; }
  /// REQUIRES: not empty().
  [[nodiscard]] std::uint32_t top() const noexcept { return entries_.front().second; }
  [[nodiscard]] Key top_key() const noexcept { return entries_.front().first; }

  /// REQUIRES: !contains(slot).
  void push(std::uint32_t slot, Key key) noexcept {
    entries_.emplace_back(key, slot);
    place_[slot] = entries_.size() - 1;
    rise(entries_.size() - 1);
  }
  /// Nothing where it is not inside.
  void remove(std::uint32_t slot) noexcept {
    const std::size_t at = place_[slot];
    if (at == kNowhere) return;
    const std::size_t last = entries_.size() - 1;
    swap(at, last);
    entries_.pop_back();
    place_[slot] = kNowhere;
    if (at == last) return;
    rise(at);
    sink(at);
  }

 private:
  static constexpr std::size_t kNowhere = SIZE_MAX;

  void swap(std::size_t a, std::size_t b) noexcept {
    std::swap(entries_[a], entries_[b]);
    place_[entries_[a].second] = a;
    place_[entries_[b].second] = b;
  }
  void rise(std::size_t at) noexcept {
    for (; at > 0; at = (at - 1) / 2) {
      if (entries_[(at - 1) / 2].first <= entries_[at].first) return;
      swap(at, (at - 1) / 2);
    }
  }
  void sink(std::size_t at) noexcept {
    for (;;) {
      std::size_t least = at;
      for (const std::size_t child : {2 * at + 1, 2 * at + 2}) {
        if (child < entries_.size() && entries_[child].first < entries_[least].first) least = child;
      }
      if (least == at) return;
      swap(at, least);
      at = least;
    }
  }

  std::vector<std::pair<Key, std::uint32_t>> entries_;
  std::vector<std::size_t> place_;  // of each slot in entries_
};

}  // namespace tern
