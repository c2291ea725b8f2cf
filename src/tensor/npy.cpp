// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tensor/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace tern {
namespace {

static_assert(std::endian::native == std::endian::little, ".npy elements are read and written as they lie in memory");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxText = 65535;  // NumPy itself refuses headers over 10,000 characters unless told otherwise

struct Descr {
  DType dtype;
  std::string_view text;  // as NumPy writes it
};
constexpr std::array<Descr, 13> kDescrs{{{DType::kF32, "<f4"},
                                         {DType::kF16, "<f2"},
                                         {DType::kBF16, "<V2"},
                                         {DType::kF64, "<f8"},
                                         {DType::kI8, "|i1"},
                                         {DType::kU8, "|u1"},
                                         {DType::kI16, "<i2"},
                                         {DType::kU16, "<u2"},
                                         {DType::kI32, "<i4"},
                                         {DType::kU32, "<u4"},
                                         {DType::kI64, "<i8"},
                                         {DType::kU64, "<u8"},
                                         {DType::kBool, "|b1"}}};

Status malformed(std::string_view what) {
  return make_error(StatusCode::kInputError, "the .npy header is damaged: {}", what);
}

Result<DType> parse_descr(std::string_view text) {
  for (const Descr& row : kDescrs) {
    // The byte order of one-byte elements, and of raw ones ('|V2'), means nothing.
    const bool any_order = size_of(row.dtype) == 1 || row.dtype == DType::kBF16;
    if (text == row.text) return row.dtype;
    if (any_order && text.size() == 3 && std::string_view("<>|=").find(text[0]) != std::string_view::npos &&
        text.substr(1) == row.text.substr(1)) {
      return row.dtype;
    }
  }
  if (text.starts_with('>')) {
    return make_error(StatusCode::kInputError, "the array is big-endian ('{}')", text)
        .with_hint("convert it in NumPy: array.astype(array.dtype.newbyteorder('<'))");
  }
  return make_error(StatusCode::kInputError, "arrays of type '{}' are not supported", text)
      .with_hint("f2, f4, f8, i1 to i8, u1 to u8 and b1 are");
}

// Reads the one Python literal that a header may be.
class HeaderText {
 public:
  explicit HeaderText(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] Result<NpyHeader> parse() {
    if (!take('{')) return malformed("no dict");
    while (!take('}')) {
      TERN_ASSIGN_OR_RETURN(const std::string_view key, quoted());
      if (!take(':')) return malformed("no ':' after a key");
      TERN_RETURN_IF_ERROR(value(key));
      if (take(',')) continue;
      if (!take('}')) return malformed("no ',' or '}' after a value");
      break;
    }
    skip_space();
    if (!rest_.empty()) return malformed("text after the dict");
    if (!dtype_ || !fortran_order_ || !shape_) return malformed("'descr', 'fortran_order' or 'shape' is missing");
    return NpyHeader{*dtype_, *shape_, *fortran_order_, 0};
  }

 private:
  void skip_space() noexcept {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t'))
      rest_.remove_prefix(1);
  }
  bool take(char c) noexcept {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) noexcept {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  Result<std::string_view> quoted() {
    skip_space();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return malformed("a quoted word is missing");
    const std::size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return malformed("a quote is not closed");
    const std::string_view word = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return word;
  }

  Status value(std::string_view key) {
    if (key == "descr" && !dtype_) {
      skip_space();
      if (rest_.starts_with('['))
        return make_error(StatusCode::kInputError, "structured arrays are not supported")
            .with_hint("save one field at a time");
      TERN_ASSIGN_OR_RETURN(const std::string_view text, quoted());
      TERN_ASSIGN_OR_RETURN(dtype_, parse_descr(text));
      return {};
    }
    if (key == "fortran_order" && !fortran_order_) {
      if (take_word("True")) {
        fortran_order_ = true;
      } else if (take_word("False")) {
        fortran_order_ = false;
      } else {
        return malformed("'fortran_order' is neither True nor False");
      }
      return {};
    }
    if (key == "shape" && !shape_) return tuple();
    return malformed("a key is unknown or stands twice");
  }

  // "()", "(3,)", "(1, 3)", "(1, 3,)"; but not "(3)", which is no tuple.
  Status tuple() {
    if (!take('(')) return malformed("'shape' is not a tuple");
    std::array<std::int64_t, Shape::kMaxRank> dims{};
    std::size_t rank = 0;
    bool comma = true;
    while (!take(')')) {
      if (!comma) return malformed("no ',' between dimensions");
      skip_space();
      if (rank == dims.size()) {
        return make_error(StatusCode::kInputError, "the array has more than {} dimensions", dims.size());
      }
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), dims[rank]);
      if (error != std::errc() || dims[rank] < 0) return malformed("a dimension is not a whole number");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      ++rank;
      comma = take(',');
    }
    if (rank == 1 && !comma) return malformed("'shape' is not a tuple");
    TERN_ASSIGN_OR_RETURN(shape_, Shape::from({dims.data(), rank}));
    return {};
  }

  std::string_view rest_;
  std::optional<DType> dtype_;
  std::optional<bool> fortran_order_;
  std::optional<Shape> shape_;
};

std::size_t little_endian(std::string_view bytes) noexcept {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Column-major: the first dimension is the one whose elements lie side by side.
Shape column_major(const Shape& shape) noexcept {
  Shape strides = shape;
  std::int64_t step = 1;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

}  // namespace

Result<NpyHeader> parse_npy_header(std::span<const std::byte> bytes) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!file.starts_with(kMagic)) {
    return make_error(StatusCode::kInputError, "not a .npy file (it does not begin with \\x93NUMPY)");
  }
  if (file.size() < kMagic.size() + 2) return malformed("the file ends within it");
  const auto major = static_cast<unsigned char>(file[kMagic.size()]);
  if (major < 1 || major > 3) {
    return make_error(StatusCode::kInputError, ".npy version {} is not supported; 1, 2 and 3 are", major);
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t text_at = kMagic.size() + 2 + length_bytes;
  if (file.size() < text_at) return malformed("the file ends within it");
  const std::size_t text_bytes = little_endian(file.substr(kMagic.size() + 2, length_bytes));
  if (text_bytes > kMaxText) return malformed("it is longer than any real one");
  if (file.size() - text_at < text_bytes) return malformed("the file ends within it");
  TERN_ASSIGN_OR_RETURN(NpyHeader header, HeaderText(file.substr(text_at, text_bytes)).parse());
  header.data_offset = text_at + text_bytes;
  return header;
}

Result<Tensor> parse_npy(std::span<const std::byte> bytes) {
  TERN_ASSIGN_OR_RETURN(const NpyHeader header, parse_npy_header(bytes));
  TERN_ASSIGN_OR_RETURN(const std::int64_t elements, header.shape.elements());
  const std::size_t found = bytes.size() - header.data_offset;
  std::size_t wanted = 0;
  if (__builtin_mul_overflow(static_cast<std::size_t>(elements), size_of(header.dtype), &wanted) || wanted != found) {
    return make_error(StatusCode::kInputError,
                      "an array of shape {} and type {} has {} elements, but {} bytes follow the header",
                      header.shape.to_string(), to_string(header.dtype), elements, found);
  }
  const std::span<const std::byte> data = bytes.subspan(header.data_offset);
  if (header.dtype == DType::kBool && std::ranges::any_of(data, [](std::byte b) { return b > std::byte{1}; })) {
    return make_error(StatusCode::kInputError, "a boolean array has bytes other than 0 and 1");
  }
  TERN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::create(header.dtype, header.shape));
  if (data.empty()) return tensor;
  std::memcpy(tensor.view().data(), data.data(), data.size());
  if (!header.fortran_order || header.shape.rank() < 2) return tensor;
  return Tensor::copy_of(
      TensorView(tensor.view().data(), header.dtype, header.shape, column_major(header.shape), Device{}));
}

std::string npy_header(DType dtype, const Shape& shape) {
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': (", kDescrs[static_cast<std::size_t>(dtype)].text);
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    text += fmt::format("{}{}", i > 0 ? ", " : "", shape[i]);
  }
  text += shape.rank() == 1 ? ",), }" : "), }";
  const std::size_t before = kMagic.size() + 4;
  const std::size_t padded = (before + text.size() + 1 + 63) / 64 * 64 - before;
  text.resize(padded - 1, ' ');
  text += '\n';
  std::string header(kMagic);
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(padded & 0xFF);
  header += static_cast<char>(padded >> 8);
  return header + text;
}

Result<std::vector<std::byte>> to_npy(const TensorView& view) {
  if (!view.is_contiguous()) {
    TERN_ASSIGN_OR_RETURN(const Tensor packed, Tensor::copy_of(view));
    return to_npy(packed.view());
  }
  const std::string header = npy_header(view.dtype(), view.shape());
  std::vector<std::byte> bytes(header.size() + view.bytes());
  std::memcpy(bytes.data(), header.data(), header.size());
  if (view.bytes() > 0) std::memcpy(bytes.data() + header.size(), view.data(), view.bytes());
  return bytes;
}

}  // namespace tern
