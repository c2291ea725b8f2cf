// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "task/headline.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tern::detail {
namespace {

std::string name_of(std::size_t id, const OutputContract& output) {
  return id < output.names.size() ? output.names[id] : fmt::format("class{}", id);
}

/// Results after the first are counted, not told.
std::string and_others(std::size_t results) {
  return results > 1 ? fmt::format(" (first of {})", results) : std::string();
}

}  // namespace

std::string headline(std::span<const std::vector<Detection>> results, const OutputContract& output) {
  if (results.empty()) return "nothing";
  const auto& found = results.front();
  if (found.empty()) return "no objects" + and_others(results.size());
  return fmt::format("{} objects, best {} {:.2f}{}", found.size(),
                     name_of(static_cast<std::size_t>(found.front().class_id), output), found.front().score,
                     and_others(results.size()));
}

std::string headline(std::span<const Segmentation> results, const OutputContract& output) {
  if (results.empty() || results.front().classes.empty()) return "nothing";
  std::array<std::size_t, 256> pixels{};
  for (const std::uint8_t id : results.front().classes)
    ++pixels[id];
  const auto most = static_cast<std::size_t>(std::ranges::max_element(pixels) - pixels.begin());
  const double part = 100.0 * static_cast<double>(pixels[most]) / static_cast<double>(results.front().classes.size());
  return fmt::format("most of it {}, {:.1f}%{}",
                     most == Segmentation::kBackground ? std::string("background") : name_of(most, output), part,
                     and_others(results.size()));
}

std::string headline(std::span<const Classification> results, const OutputContract& output) {
  if (results.empty() || results.front().probabilities.empty()) return "nothing";
  const auto best = static_cast<std::size_t>(results.front().class_id);
  return fmt::format("{}, score {:.3f}, probability {:.3f}{}", name_of(best, output), results.front().logits[best],
                     results.front().probabilities[best], and_others(results.size()));
}

}  // namespace tern::detail
