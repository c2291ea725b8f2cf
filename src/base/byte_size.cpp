// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/byte_size.h"

#include <array>
#include <charconv>
#include <utility>

#include "base/error.h"

namespace tern {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kUnits{{{"", 1},
                                                                            {"B", 1},
                                                                            {"KiB", 1ULL << 10},
                                                                            {"MiB", 1ULL << 20},
                                                                            {"GiB", 1ULL << 30},
                                                                            {"KB", 1'000},
                                                                            {"MB", 1'000'000},
                                                                            {"GB", 1'000'000'000}}};

}  // namespace

Result<std::uint64_t> parse_byte_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc()) {
    std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    while (unit.size() > 1 && unit.starts_with(' '))
      unit.remove_prefix(1);
    for (const auto& [name, factor] : kUnits) {
      if (unit == name && number <= UINT64_MAX / factor) return number * factor;
    }
  }
  return make_error(StatusCode::kConfigError, "'{}' is not a number of bytes", text)
      .with_hint("for example 128MiB, 4GiB or 1000000");
}

std::string format_byte_size(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array<const char*, 6> kNames{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kNames.size(); ++unit)
    value /= 1024;
  return fmt::format("{:.1f} {}", value, kNames[unit]);
}

}  // namespace tern
