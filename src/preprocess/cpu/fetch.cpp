// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/fetch.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <type_traits>

namespace tern {
namespace {

static_assert(std::endian::native == std::endian::little, "the words of fetch.h are little endian");

const std::uint8_t* row_of(const ImageView& image, std::size_t plane, int row) noexcept {
  return image.planes[plane].data + row * image.planes[plane].stride;
}

std::uint64_t packed_pixel(const std::uint8_t* p) noexcept {
  return p[0] | (std::uint64_t{p[1]} << 8) | (std::uint64_t{p[2]} << 16);
}

/// Output pixels [begin, end).
struct Span {
  std::size_t begin = 0, end = 0;
};

/// Packed pixels of kStep bytes, of kRows rows at once: what is read of the plan then serves both. Word is what one load
/// takes, which may reach into the pixel behind the last tap; before_edge tells where there is none.
template <typename Word, std::ptrdiff_t kStep, bool kLinear, std::size_t kRows>
void fetch_packed(std::array<const std::uint8_t*, kRows> rows, const AxisPlan& x, Span span,
                  std::array<std::uint8_t*, kRows> words) noexcept {
  const std::int32_t* first = x.first.data();
  std::size_t i = span.begin;
  for (const std::size_t end = std::min(span.end, x.before_edge); i < end; ++i) {
    const std::ptrdiff_t at = kStep * first[i];
    for (std::size_t r = 0; r < kRows; ++r)
      std::memcpy(words[r] + i * sizeof(Word), rows[r] + at, sizeof(Word));
  }
  for (; i < span.end; ++i) {
    for (std::size_t r = 0; r < kRows; ++r) {
      std::uint64_t word = packed_pixel(rows[r] + kStep * first[i]);
      if constexpr (kLinear) word |= packed_pixel(rows[r] + kStep * x.last[i]) << (8 * kStep);
      const auto narrow = static_cast<Word>(word);
      std::memcpy(words[r] + i * sizeof(Word), &narrow, sizeof(Word));
    }
  }
}

template <bool kLinear>
void fetch_gray(const std::uint8_t* row, const AxisPlan& x, Span span, std::uint8_t* words) noexcept {
  const std::int32_t* first = x.first.data();
  const std::int32_t* last = x.last.data();
  for (std::size_t i = span.begin; i < span.end; ++i) {
    if constexpr (kLinear) {
      words[2 * i] = row[first[i]];
      words[2 * i + 1] = row[last[i]];
    } else {
      words[i] = row[first[i]];
    }
  }
}

/// U and V, as bytes 1 and 2 of a word, of chroma column x.
struct Nv12Chroma {
  const std::uint8_t* uv;
  [[nodiscard]] std::uint32_t at(std::ptrdiff_t x) const noexcept {
    std::uint16_t pair = 0;
    std::memcpy(&pair, uv + 2 * x, 2);
    return std::uint32_t{pair} << 8;
  }
};
struct I420Chroma {
  const std::uint8_t *u, *v;
  [[nodiscard]] std::uint32_t at(std::ptrdiff_t x) const noexcept {
    return (std::uint32_t{u[x]} << 8) | (std::uint32_t{v[x]} << 16);
  }
};

template <bool kLinear, typename Chroma>
void fetch_yuv(const std::uint8_t* luma, const Chroma& chroma, const AxisPlan& x, Span span,
               std::uint8_t* words) noexcept {
  const std::int32_t* first = x.first.data();
  const std::int32_t* last = x.last.data();
  for (std::size_t i = span.begin; i < span.end; ++i) {
    const std::uint32_t low = luma[first[i]] | chroma.at(first[i] >> 1);
    if constexpr (kLinear) {
      const std::uint32_t high = luma[last[i]] | chroma.at(last[i] >> 1);
      const std::uint64_t word = low | (std::uint64_t{high} << 32);
      std::memcpy(words + 8 * i, &word, 8);
    } else {
      std::memcpy(words + 4 * i, &low, 4);
    }
  }
}

template <bool kLinear, std::size_t kRows>
void fetch(const ImageView& image, std::span<const FetchRow, kRows> tasks, const AxisPlan& x, Span span) noexcept {
  using Word = std::conditional_t<kLinear, std::uint64_t, std::uint32_t>;
  std::array<const std::uint8_t*, kRows> rows{};
  std::array<std::uint8_t*, kRows> words{};
  for (std::size_t r = 0; r < kRows; ++r) {
    rows[r] = row_of(image, 0, tasks[r].row);
    words[r] = tasks[r].words;
  }
  switch (image.format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
      return fetch_packed<Word, 3, kLinear, kRows>(rows, x, span, words);
    case PixelFormat::kBgra:
      return fetch_packed<Word, 4, kLinear, kRows>(rows, x, span, words);
    case PixelFormat::kGray:
      for (std::size_t r = 0; r < kRows; ++r)
        fetch_gray<kLinear>(rows[r], x, span, words[r]);
      return;
    case PixelFormat::kNv12:
      for (std::size_t r = 0; r < kRows; ++r)
        fetch_yuv<kLinear>(rows[r], Nv12Chroma{row_of(image, 1, tasks[r].row >> 1)}, x, span, words[r]);
      return;
    case PixelFormat::kI420:
      for (std::size_t r = 0; r < kRows; ++r) {
        const int chroma_row = tasks[r].row >> 1;
        fetch_yuv<kLinear>(rows[r], I420Chroma{row_of(image, 1, chroma_row), row_of(image, 2, chroma_row)}, x, span,
                           words[r]);
      }
      return;
  }
}

// Inlined by force: GCC 12 takes a function that only prefetches for one without effect, and drops its calls.

/// Asks for the cache lines of bytes [begin, end] of a row.
[[gnu::always_inline]] inline void prefetch(const std::uint8_t* row, std::ptrdiff_t begin,
                                            std::ptrdiff_t end) noexcept {
  constexpr std::ptrdiff_t kLine = 64;
  for (std::ptrdiff_t b = begin; b < end; b += kLine)
    __builtin_prefetch(row + b);
  __builtin_prefetch(row + end);
}

/// Asks for the pixels of `row` that the outputs of `span` need.
[[gnu::always_inline]] inline void prefetch_span(const ImageView& image, int row, const AxisPlan& x,
                                                 Span span) noexcept {
  const std::ptrdiff_t first = x.first[span.begin];
  const std::ptrdiff_t last = x.last[span.end - 1];
  switch (image.format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
      return prefetch(row_of(image, 0, row), 3 * first, 3 * last + 2);
    case PixelFormat::kBgra:
      return prefetch(row_of(image, 0, row), 4 * first, 4 * last + 2);
    case PixelFormat::kGray:
      return prefetch(row_of(image, 0, row), first, last);
    case PixelFormat::kNv12:
      prefetch(row_of(image, 0, row), first, last);
      return prefetch(row_of(image, 1, row >> 1), first & ~1, last | 1);
    case PixelFormat::kI420:
      prefetch(row_of(image, 0, row), first, last);
      prefetch(row_of(image, 1, row >> 1), first >> 1, last >> 1);
      return prefetch(row_of(image, 2, row >> 1), first >> 1, last >> 1);
  }
}

template <std::size_t kRows>
void fetch_all(const ImageView& image, std::span<const FetchRow, kRows> tasks, const AxisPlan& x) noexcept {
  constexpr std::size_t kStep = 32;  // so that prefetches alternate with the work that hides them
  for (std::size_t begin = 0; begin < x.count; begin += kStep) {
    const Span span{begin, std::min(begin + kStep, x.count)};
    for (const FetchRow& task : tasks) {
      if (task.ahead >= 0) prefetch_span(image, task.ahead, x, span);
    }
    if (x.kind == AxisPlan::Kind::kPoint) {
      fetch<false, kRows>(image, tasks, x, span);
    } else {
      fetch<true, kRows>(image, tasks, x, span);
    }
  }
}

}  // namespace

std::size_t word_size(ColorTransform::Source source, AxisPlan::Kind kind) noexcept {
  const std::size_t taps = kind == AxisPlan::Kind::kPoint ? 1 : 2;
  return source == ColorTransform::Source::kGray ? taps : 4 * taps;
}

void fetch_row(const ImageView& image, const FetchRow& row, const AxisPlan& x) noexcept {
  fetch_all<1>(image, std::span<const FetchRow, 1>(&row, 1), x);
}

void fetch_rows(const ImageView& image, const std::array<FetchRow, 2>& rows, const AxisPlan& x) noexcept {
  fetch_all<2>(image, rows, x);
}

void fetch_mask_row(const ImageView& mask, int row, const AxisPlan& x, float* out) noexcept {
  const std::uint8_t* pixels = row_of(mask, 0, row);
  for (std::size_t i = 0; i < x.count; ++i)
    out[i] = pixels[x.first[i]] != 0 ? 1.0F : 0.0F;
}

}  // namespace tern
