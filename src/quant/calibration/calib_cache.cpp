// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/calib_cache.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "model/text.h"

namespace tern {
namespace {

using Algorithm = TensorrtCache::Algorithm;

constexpr std::array<std::string_view, 2> kAlgorithms{"EntropyCalibration2", "MinMaxCalibration"};
constexpr std::string_view kPrefix = "TRT-";
constexpr std::string_view kDivider = ": ";
constexpr std::size_t kMaxDigits = 8;
constexpr std::uint32_t kFirstSixDigits = 100'000;  // TensorRT 10
constexpr float kMaxLevel = 127;

template <typename... Args>
Status malformed(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(StatusCode::kCalibrationCacheError, "is no calibration cache of TensorRT: {}",
                    fmt::format(format, std::forward<Args>(args)...));
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= ActivationStatistics::kMaxNameBytes && is_utf8(name) &&
         !has_control_character(name);
}

/// All digits of `text` as a number of the given base.
std::optional<std::uint32_t> parse_number(std::string_view text, int base) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// Whether TensorRT could have written the number; 11 writes no caches.
bool is_version(std::uint32_t version) {
  return version >= kFirstSixDigits ? version / 10'000 == 10 : version >= 1000 && version < 10'000;
}

/// Removes the line end that the last character of a split line may be, and blanks.
std::string_view without_line_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
    line.remove_suffix(1);
  return line;
}

Status parse_header(std::string_view line, TensorrtCache& cache) {
  if (!line.starts_with(kPrefix)) return malformed("the first line does not begin with {}", kPrefix);
  line.remove_prefix(kPrefix.size());
  const std::size_t dash = std::min(line.find('-'), line.size());
  const auto version = parse_number(line.substr(0, dash), 10);
  if (!version || !is_version(*version))
    return malformed("{} is not a version of TensorRT", in_quotes(line.substr(0, dash)));
  cache.version = *version;
  const std::string_view word = dash < line.size() ? line.substr(dash + 1) : std::string_view();
  const auto found = std::ranges::find(kAlgorithms, word);
  if (found == kAlgorithms.end()) {
    return malformed("there is no algorithm {}", in_quotes(word))
        .with_hint(fmt::format("known: {}", fmt::join(kAlgorithms, ", ")));
  }
  cache.algorithm = static_cast<Algorithm>(found - kAlgorithms.begin());
  return {};
}

Result<TensorrtCache::Entry> parse_entry(std::string_view line) {
  const std::size_t divider = line.rfind(kDivider);
  if (divider == std::string_view::npos || divider == 0)
    return malformed("{} is not of the form TENSOR: DIGITS", in_quotes(line));
  const std::string_view name = line.substr(0, divider), digits = line.substr(divider + kDivider.size());
  if (!is_plain_name(name)) return malformed("the name {} is too long or no plain text", in_quotes(name));
  const auto bits = digits.size() <= kMaxDigits ? parse_number(digits, 16) : std::nullopt;
  if (!bits) return malformed("{} is not 1 to {} hex digits", in_quotes(digits), kMaxDigits).at(in_quotes(name));
  const auto scale = std::bit_cast<float>(*bits);
  if (!std::isfinite(scale) || !(scale > 0))
    return malformed("the scale is {}; it must be above 0 and finite", scale).at(in_quotes(name));
  return TensorrtCache::Entry{std::string(name), scale};
}

Result<TensorrtCache> parse_lines(std::string_view text) {
  if (text.size() > TensorrtCache::kMaxBytes)
    return malformed("it has {} bytes; at most {} are allowed", text.size(), TensorrtCache::kMaxBytes);
  TensorrtCache cache;
  std::set<std::string_view> names;  // of `text`
  std::size_t number = 0;
  bool ended = false;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = without_line_end(text.substr(begin, end - begin));
    begin = end + 1;
    const std::string where = fmt::format("line {}", ++number);
    if (line.size() > TensorrtCache::kMaxLineBytes)
      return malformed("a line of {} bytes; at most {} are allowed", line.size(), TensorrtCache::kMaxLineBytes)
          .at(where);
    if (number == 1) {
      if (const Status status = parse_header(line, cache); !status.ok()) return status.at(where);
      continue;
    }
    if (ended && !line.empty()) return malformed("an empty line stands before this one").at(where);
    ended = line.empty();
    if (ended) continue;
    auto entry = parse_entry(line);
    if (!entry.ok()) return entry.status().at(where);
    if (end == text.size() && line.size() - entry->tensor.size() - kDivider.size() < kMaxDigits)
      return malformed("it ends within this line").at(where);
    if (!names.insert(line.substr(0, entry->tensor.size())).second)
      return malformed("the tensor {} stands twice", in_quotes(entry->tensor)).at(where);
    cache.entries.push_back(*std::move(entry));
    if (cache.entries.size() > TensorrtCache::kMaxEntries)
      return malformed("it has more than {} tensors", TensorrtCache::kMaxEntries);
  }
  if (number == 0) return malformed("it is empty");
  if (cache.entries.empty()) return malformed("it has a header, but no tensor: the calibration did not finish");
  return cache;
}

}  // namespace

Result<TensorrtCache> TensorrtCache::parse(std::string_view text, std::string_view where) {
  auto cache = parse_lines(text);
  if (!cache.ok()) return cache.status().at(where);
  return cache;
}

Result<TensorrtCache> TensorrtCache::from_file(const std::filesystem::path& path) {
  TERN_ASSIGN_OR_RETURN(const auto bytes, read_file(path, kMaxBytes, StatusCode::kCalibrationCacheError));
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

Result<std::string> TensorrtCache::to_text() const {
  if (!is_version(version)) return make_error(StatusCode::kInputError, "{} is not a version of TensorRT", version);
  if (entries.empty() || entries.size() > kMaxEntries)
    return make_error(StatusCode::kInputError, "{} tensors; a cache has 1 to {}", entries.size(), kMaxEntries);
  std::string text = fmt::format("{}{}-{}\n", kPrefix, version, to_string(algorithm));
  std::set<std::string_view> names;
  for (const Entry& entry : entries) {
    const std::string line =
        fmt::format("{}{}{:08x}", entry.tensor, kDivider, std::bit_cast<std::uint32_t>(entry.scale));
    const auto again = parse_entry(line);
    if (!again.ok() || *again != entry || !names.insert(entry.tensor).second) {
      return make_error(StatusCode::kInputError, "a calibration cache cannot hold the scale {}, or holds it already",
                        entry.scale)
          .at(in_quotes(entry.tensor));
    }
    text += line + "\n";
  }
  if (text.size() > kMaxBytes) return make_error(StatusCode::kInputError, "the cache passes {} bytes", kMaxBytes);
  return text;
}

TensorrtCache TensorrtCache::of(const TensorRanges& ranges, std::uint32_t version, Algorithm algorithm) {
  TensorrtCache cache{.version = version, .algorithm = algorithm};
  for (const auto& [name, range] : ranges)
    cache.entries.push_back({name, scale_of(range)});
  return cache;
}

TensorRanges TensorrtCache::ranges() const {
  TensorRanges ranges;
  for (const Entry& entry : entries)
    ranges.emplace(entry.tensor, std::min(entry.scale * kMaxLevel, std::numeric_limits<float>::max()));
  return ranges;
}

const float* TensorrtCache::find(std::string_view tensor) const noexcept {
  const auto found = std::ranges::find(entries, tensor, &Entry::tensor);
  return found == entries.end() ? nullptr : &found->scale;
}

std::string_view to_string(TensorrtCache::Algorithm algorithm) noexcept {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

Result<std::uint32_t> parse_tensorrt_version(std::string_view text) {
  std::array<std::uint32_t, 3> parts{};
  std::size_t count = 0;
  bool valid = true;
  for (std::string_view rest = text; valid && count < parts.size();) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    const auto part = parse_number(rest.substr(0, dot), 10);
    valid = part && *part < 100;
    if (valid) parts[count] = *part;
    ++count;
    if (dot == rest.size()) break;
    rest.remove_prefix(dot + 1);
    valid = valid && count < parts.size();
  }
  if (!valid || count < 2) {
    return make_error(StatusCode::kConfigError, "{} is not a version of TensorRT", in_quotes(text))
        .with_hint("MAJOR.MINOR or MAJOR.MINOR.PATCH, for example 8.6.1 or 10.3");
  }
  const auto [major, minor, patch] = parts;
  if (major > 10) {
    return make_error(StatusCode::kConfigError, "TensorRT {} has no calibration caches any more", major)
        .with_hint("quantise the model itself: tern quantize MODEL --ranges FILE --target tensorrt -o OUT");
  }
  if (major == 0 || (major < 10 && (minor > 9)))
    return make_error(StatusCode::kConfigError, "there is no TensorRT {}", in_quotes(text));
  return major * (major >= 10 ? 10'000 : 1000) + minor * 100 + patch;
}

std::string tensorrt_version_text(std::uint32_t version) {
  const std::uint32_t unit = version >= kFirstSixDigits ? 10'000 : 1000;
  return fmt::format("{}.{}.{}", version / unit, version % unit / 100, version % 100);
}

}  // namespace tern
