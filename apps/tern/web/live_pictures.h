// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tern {

/// The newest picture of each source, between who draws them (one thread) and who watches (any). Thread-safe.
class LivePictures {
 public:
  using Clock = std::chrono::steady_clock;
  struct Picture {
    std::shared_ptr<const std::string> jpeg{};
    std::uint64_t id = 0;  ///< 1, 2, ... of its source
  };

  /// A source counts as watched until `watched_for` after its last viewer went.
  explicit LivePictures(std::vector<std::string> names, Clock::duration watched_for = std::chrono::seconds(2));

  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  /// -1: there is no source of this name.
  [[nodiscard]] int find(std::string_view name) const noexcept;

  /// Waits for a picture of another id than `known`, and so makes the source watched. None after `timeout` or `stop`.
  [[nodiscard]] std::optional<Picture> wait(int source, std::uint64_t known, Clock::duration timeout,
                                            std::stop_token stop);
  /// Neither locks nor allocates.
  [[nodiscard]] bool is_watched(int source) const noexcept;
  void publish(int source, std::string jpeg);
  /// Pictures published, of all sources.
  [[nodiscard]] std::uint64_t published() const noexcept { return published_.load(std::memory_order_relaxed); }

 private:
  struct Place {
    std::atomic<int> viewers{0};
    std::atomic<Clock::rep> last_viewed{Clock::time_point::min().time_since_epoch().count()};
    Picture picture{};
  };

  const std::vector<std::string> names_;
  const Clock::duration watched_for_;
  std::vector<Place> places_;
  std::atomic<std::uint64_t> published_{0};
  std::mutex mutex_;  // of Place::picture
  std::condition_variable_any is_new_;
};

}  // namespace tern
