// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "tern/status.h"

extern "C" struct DLManagedTensor;

namespace tern {

/// Element types. f16 is IEEE binary16, bf16 is bfloat16; boolean is one byte, 0 or 1.
enum class DType : std::uint8_t { kF32, kF16, kBF16, kF64, kI8, kU8, kI16, kU16, kI32, kU32, kI64, kU64, kBool };

[[nodiscard]] TERN_API std::size_t size_of(DType dtype) noexcept;
/// "f32", "u8", "bool", ...
[[nodiscard]] TERN_API std::string_view to_string(DType dtype) noexcept;
[[nodiscard]] TERN_API Result<DType> parse_dtype(std::string_view text);

/// Up to 8 dimensions, stored in place. kDynamic stands for a dimension that is not known until run time.
class TERN_API Shape {
 public:
  static constexpr std::size_t kMaxRank = 8;
  static constexpr std::int64_t kDynamic = -1;

  constexpr Shape() noexcept = default;
  Shape(std::initializer_list<std::int64_t> dims) noexcept;  ///< REQUIRES: at most kMaxRank dimensions
  /// Fails over kMaxRank or on a dimension below kDynamic.
  [[nodiscard]] static Result<Shape> from(std::span<const std::int64_t> dims);

  [[nodiscard]] std::size_t rank() const noexcept { return rank_; }
  [[nodiscard]] std::int64_t operator[](std::size_t i) const noexcept { return dims_[i]; }
  [[nodiscard]] std::int64_t& operator[](std::size_t i) noexcept { return dims_[i]; }
  [[nodiscard]] std::span<const std::int64_t> dims() const noexcept { return {dims_.data(), rank_}; }
  [[nodiscard]] bool is_static() const noexcept;
  /// Product of the dimensions (1 for rank 0). Fails when dynamic or when the product overflows int64.
  [[nodiscard]] Result<std::int64_t> elements() const;
  /// Whether a tensor of static shape `other` can stand where this (possibly dynamic) shape is declared.
  [[nodiscard]] bool accepts(const Shape& other) const noexcept;
  /// "1x3x640x640"; dynamic dimensions print as "?"; rank 0 prints as "scalar".
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool operator==(const Shape& other) const noexcept;

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  std::size_t rank_ = 0;
};

enum class DeviceKind : std::uint8_t { kCpu, kCuda };

struct Device {
  DeviceKind kind = DeviceKind::kCpu;
  int index = 0;
  [[nodiscard]] auto operator<=>(const Device&) const = default;
  /// "cpu", "cuda:0".
  [[nodiscard]] TERN_API std::string to_string() const;
};

/// A tensor that somebody else owns. Cheap to copy; the memory must outlive every use of the view.
///
/// Strides are in elements, row-major when none are given. Like a pointer, a const view can still point at mutable
/// memory.
class TERN_API TensorView {
 public:
  TensorView() noexcept = default;
  /// Contiguous, row-major. REQUIRES: a static shape.
  TensorView(void* data, DType dtype, const Shape& shape, Device device = {}) noexcept;
  TensorView(void* data, DType dtype, const Shape& shape, const Shape& strides, Device device) noexcept;

  [[nodiscard]] void* data() const noexcept { return data_; }
  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] const Shape& strides() const noexcept { return strides_; }
  [[nodiscard]] Device device() const noexcept { return device_; }
  [[nodiscard]] bool empty() const noexcept { return data_ == nullptr; }
  [[nodiscard]] bool is_contiguous() const noexcept;
  [[nodiscard]] std::size_t elements() const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept { return elements() * size_of(dtype_); }

  /// The elements as T. REQUIRES: contiguous, on the CPU, and T of the dtype's size.
  template <typename T>
  [[nodiscard]] std::span<T> as() const noexcept {
    return {static_cast<T*>(data_), elements()};
  }
  /// Rows [first, first + count) of the leading dimension. REQUIRES: rank >= 1 and the rows exist.
  [[nodiscard]] TensorView rows(std::int64_t first, std::int64_t count) const noexcept;

 private:
  void* data_ = nullptr;
  Shape shape_, strides_;
  Device device_;
  DType dtype_ = DType::kF32;
};

/// A tensor that owns its memory (64-byte aligned on the CPU). Move-only; clone() copies.
class TERN_API Tensor {
 public:
  Tensor() noexcept = default;
  /// Uninitialised CPU memory. Fails on a dynamic shape, on overflow, and with OutOfMemoryError when there is no
  /// memory.
  [[nodiscard]] static Result<Tensor> create(DType dtype, const Shape& shape);
  /// A contiguous CPU copy of `view` (any strides). REQUIRES: view on the CPU.
  [[nodiscard]] static Result<Tensor> copy_of(const TensorView& view);

  Tensor(Tensor&& other) noexcept;
  Tensor& operator=(Tensor&& other) noexcept;
  Tensor(const Tensor&) = delete;  // use clone()
  Tensor& operator=(const Tensor&) = delete;
  ~Tensor();

  [[nodiscard]] const TensorView& view() const noexcept { return view_; }
  [[nodiscard]] DType dtype() const noexcept { return view_.dtype(); }
  [[nodiscard]] const Shape& shape() const noexcept { return view_.shape(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return view_.bytes(); }
  template <typename T>
  [[nodiscard]] std::span<T> as() const noexcept {
    return view_.as<T>();
  }
  [[nodiscard]] Result<Tensor> clone() const { return copy_of(view_); }

  /// Gives the memory away as a DLPack tensor; the receiver calls its deleter. The Tensor is empty afterwards.
  [[nodiscard]] Result<DLManagedTensor*> to_dlpack() &&;
  /// Takes a DLPack tensor over (no copy) and calls its deleter at the end. Refuses lanes, unknown dtypes and devices,
  /// in which case `managed` still belongs to the caller.
  [[nodiscard]] static Result<Tensor> from_dlpack(DLManagedTensor* managed);

 private:
  using Release = void (*)(void* owner) noexcept;
  Tensor(const TensorView& view, void* owner, Release release) noexcept
      : view_(view), owner_(owner), release_(release) {}

  TensorView view_;
  void* owner_ = nullptr;
  Release release_ = nullptr;
};

}  // namespace tern
