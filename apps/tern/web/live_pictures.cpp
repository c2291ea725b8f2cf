// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/live_pictures.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tern {

LivePictures::LivePictures(std::vector<std::string> names, Clock::duration watched_for)
    : names_(std::move(names)), watched_for_(watched_for), places_(names_.size()) {}

int LivePictures::find(std::string_view name) const noexcept {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? -1 : static_cast<int>(found - names_.begin());
}

std::optional<LivePictures::Picture> LivePictures::wait(int source, std::uint64_t known, Clock::duration timeout,
                                                        std::stop_token stop) {
  Place& place = places_[static_cast<std::size_t>(source)];
  place.viewers.fetch_add(1);
  std::optional<Picture> found;
  {
    std::unique_lock lock(mutex_);
    const auto is_there = [&] { return place.picture.jpeg != nullptr && place.picture.id != known; };
    if (is_new_.wait_for(lock, std::move(stop), timeout, is_there)) found = place.picture;
  }
  place.last_viewed.store(Clock::now().time_since_epoch().count());
  place.viewers.fetch_sub(1);
  return found;
}

bool LivePictures::is_watched(int source) const noexcept {
  const Place& place = places_[static_cast<std::size_t>(source)];
  if (place.viewers.load() > 0) return true;
  const Clock::time_point last{Clock::duration(place.last_viewed.load())};
  return last > Clock::time_point::min() && Clock::now() - last < watched_for_;
}

void LivePictures::publish(int source, std::string jpeg) {
  auto shared = std::make_shared<const std::string>(std::move(jpeg));
  {
    const std::lock_guard lock(mutex_);
    Picture& picture = places_[static_cast<std::size_t>(source)].picture;
    picture.jpeg.swap(shared);
    ++picture.id;
  }
  published_.fetch_add(1, std::memory_order_relaxed);
  is_new_.notify_all();
}

}  // namespace tern
