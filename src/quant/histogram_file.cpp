// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/sha256.h"
#include "model/text.h"
#include "tern/quant.h"

// Layout, little-endian:
//   8 bytes  "TERNHST1"
//   u64      frames
//   u32      number of tensors, then each in the order of names:
//     u32 length of the name, name, f32 min, f32 max, u64 values, u8 1 when a histogram follows, kBins times u64
//   32 bytes SHA-256 of all before
namespace tern {
namespace {

constexpr std::string_view kMagic = "TERNHST1";
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kSmallestEntry = 4 + 1 + 4 + 4 + 8 + 1;

template <typename T>
void put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out += static_cast<char>(value >> (8 * i) & 0xFF);
}

Sha256::Digest digest_of(std::string_view text) {
  return Sha256::of(std::as_bytes(std::span(text)));
}

template <typename... Args>
Status malformed(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(StatusCode::kCalibrationCacheError, "not valid calibration statistics: {}",
                    fmt::format(format, std::forward<Args>(args)...));
}

/// Takes numbers from the front of a text; the first one that is not there is kept as a failure.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  template <typename T>
  T number() {
    const std::string_view bytes = take(sizeof(T));
    T value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
      value = static_cast<T>(value << 8U | static_cast<unsigned char>(bytes[i]));
    return value;
  }
  float real() { return std::bit_cast<float>(number<std::uint32_t>()); }
  std::string_view take(std::size_t bytes) {
    if (bytes > text_.size()) {
      failed_ = true;
      text_ = {};
      return {};
    }
    const std::string_view taken = text_.substr(0, bytes);
    text_.remove_prefix(bytes);
    return taken;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] std::size_t left() const noexcept { return text_.size(); }

 private:
  std::string_view text_;
  bool failed_ = false;
};

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= ActivationStatistics::kMaxNameBytes && is_utf8(name) &&
         !has_control_character(name);
}

/// What every set of statistics made by the passes keeps.
Status check(const TensorStatistics& tensor) {
  const bool negative_zero =
      (tensor.min == 0 && std::signbit(tensor.min)) || (tensor.max == 0 && std::signbit(tensor.max));
  if (!std::isfinite(tensor.min) || !std::isfinite(tensor.max) || tensor.min > tensor.max || negative_zero)
    return malformed("the range {} to {} is none", tensor.min, tensor.max);
  if (tensor.bins.empty()) {
    if (tensor.values == 0 && (tensor.min != 0 || tensor.max != 0)) return malformed("a range without values");
    return {};
  }
  if (tensor.bins.size() != TensorStatistics::kBins) return malformed("{} bins", tensor.bins.size());
  std::uint64_t sum = 0;
  for (const std::uint64_t count : tensor.bins)
    if (__builtin_add_overflow(sum, count, &sum)) return malformed("the counts pass 64 bits");
  if (sum != tensor.values) return malformed("the bins hold {} values, not {}", sum, tensor.values);
  return {};
}

Result<TensorStatistics> read_tensor(Reader& reader) {
  TensorStatistics tensor{.min = reader.real(), .max = reader.real(), .values = reader.number<std::uint64_t>()};
  const auto has_bins = reader.number<std::uint8_t>();
  if (has_bins > 1) return malformed("a flag is {}", has_bins);
  if (has_bins == 1 && reader.left() >= TensorStatistics::kBins * sizeof(std::uint64_t)) {
    for (std::size_t i = 0; i < TensorStatistics::kBins; ++i)
      tensor.bins.push_back(reader.number<std::uint64_t>());
  } else if (has_bins == 1) {
    return malformed("it ends within a histogram");
  }
  if (reader.failed()) return malformed("it ends within a tensor");
  TERN_RETURN_IF_ERROR(check(tensor));
  return tensor;
}

Result<ActivationStatistics> parse(std::string_view bytes) {
  if (bytes.size() > ActivationStatistics::kMaxBytes)
    return malformed("{} bytes; at most {} are allowed", bytes.size(), ActivationStatistics::kMaxBytes);
  if (!bytes.starts_with(kMagic)) return malformed("it does not begin with {}", kMagic);
  if (bytes.size() < kMagic.size() + kDigestBytes) return malformed("it ends within the checksum");
  const std::string_view body = bytes.substr(0, bytes.size() - kDigestBytes);
  const Sha256::Digest digest = digest_of(body);
  if (bytes.substr(body.size()) != std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()))
    return malformed("the checksum does not fit: the file is damaged");

  Reader reader(body.substr(kMagic.size()));
  ActivationStatistics statistics;
  statistics.frames = reader.number<std::uint64_t>();
  const auto count = reader.number<std::uint32_t>();
  if (count > ActivationStatistics::kMaxTensors || count > reader.left() / kSmallestEntry)
    return malformed("{} tensors", count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name(reader.take(reader.number<std::uint32_t>()));
    if (reader.failed()) return malformed("it ends within a tensor's name");
    if (!is_plain_name(name)) return malformed("the name {} is no plain text", in_quotes(name));
    if (!statistics.tensors.empty() && name <= statistics.tensors.rbegin()->first)
      return malformed("the tensor {} is out of order", in_quotes(name));
    Result<TensorStatistics> tensor = read_tensor(reader);
    if (!tensor.ok()) return tensor.status().at(in_quotes(name));
    statistics.tensors.emplace_hint(statistics.tensors.end(), name, *std::move(tensor));
  }
  if (reader.failed()) return malformed("it ends within the header");
  if (reader.left() > 0) return malformed("{} bytes behind the last tensor", reader.left());
  return statistics;
}

}  // namespace

Result<std::string> ActivationStatistics::to_bytes() const {
  if (tensors.size() > kMaxTensors)
    return make_error(StatusCode::kInputError, "{} tensors; at most {} are allowed", tensors.size(), kMaxTensors);
  std::string out(kMagic);
  put(out, frames);
  put(out, static_cast<std::uint32_t>(tensors.size()));
  for (const auto& [name, tensor] : tensors) {
    if (!is_plain_name(name))
      return make_error(StatusCode::kInputError, "the name {} is empty, too long or no plain text", in_quotes(name));
    if (const Status status = check(tensor); !status.ok())
      return Status(StatusCode::kInputError, status.message()).at(in_quotes(name));
    put(out, static_cast<std::uint32_t>(name.size()));
    out += name;
    put(out, std::bit_cast<std::uint32_t>(tensor.min));
    put(out, std::bit_cast<std::uint32_t>(tensor.max));
    put(out, tensor.values);
    put(out, static_cast<std::uint8_t>(tensor.bins.empty() ? 0 : 1));
    for (const std::uint64_t bin : tensor.bins)
      put(out, bin);
    if (out.size() + kDigestBytes > kMaxBytes)
      return make_error(StatusCode::kInputError, "the statistics pass {} bytes", kMaxBytes);
  }
  const Sha256::Digest digest = digest_of(out);
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return out;
}

Result<ActivationStatistics> ActivationStatistics::from_bytes(std::string_view bytes, std::string_view where) {
  Result<ActivationStatistics> parsed = parse(bytes);
  if (!parsed.ok()) return parsed.status().at(where);
  return parsed;
}

}  // namespace tern
