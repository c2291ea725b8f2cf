// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <dlpack/dlpack.h>
#include <memory>

#include "base/error.h"
#include "tern/tensor.h"

namespace tern {
namespace {

struct TypeRow {
  DType dtype;
  std::uint8_t code;
  std::uint8_t bits;
};
// Code 6 is kDLBool of DLPack 1.0, which older headers do not name.
constexpr std::uint8_t kDlBool = 6;
constexpr std::array<TypeRow, 13> kTypes{{{DType::kF32, kDLFloat, 32},
                                          {DType::kF16, kDLFloat, 16},
                                          {DType::kBF16, kDLBfloat, 16},
                                          {DType::kF64, kDLFloat, 64},
                                          {DType::kI8, kDLInt, 8},
                                          {DType::kU8, kDLUInt, 8},
                                          {DType::kI16, kDLInt, 16},
                                          {DType::kU16, kDLUInt, 16},
                                          {DType::kI32, kDLInt, 32},
                                          {DType::kU32, kDLUInt, 32},
                                          {DType::kI64, kDLInt, 64},
                                          {DType::kU64, kDLUInt, 64},
                                          {DType::kBool, kDlBool, 8}}};

// What a tensor handed out keeps alive until the receiver is done with it.
struct Export {
  DLManagedTensor managed{};
  Tensor tensor;
  std::array<std::int64_t, Shape::kMaxRank> shape{}, strides{};
};

void release_import(void* owner) noexcept {
  auto* managed = static_cast<DLManagedTensor*>(owner);
  if (managed->deleter != nullptr) managed->deleter(managed);
}

}  // namespace

Result<DLManagedTensor*> Tensor::to_dlpack() && {
  if (owner_ == nullptr) return make_error(StatusCode::kInputError, "an empty tensor cannot be exported");
  auto held = std::make_unique<Export>();
  held->tensor = std::move(*this);
  const TensorView& view = held->tensor.view();
  for (std::size_t i = 0; i < view.shape().rank(); ++i) {
    held->shape[i] = view.shape()[i];
    held->strides[i] = view.strides()[i];
  }
  const TypeRow& type = kTypes[static_cast<std::size_t>(view.dtype())];
  DLTensor& out = held->managed.dl_tensor;
  out.data = view.data();
  out.device = {view.device().kind == DeviceKind::kCpu ? kDLCPU : kDLCUDA, view.device().index};
  out.ndim = static_cast<int>(view.shape().rank());
  out.dtype = {type.code, type.bits, 1};
  out.shape = held->shape.data();
  out.strides = held->strides.data();
  out.byte_offset = 0;
  held->managed.manager_ctx = held.get();
  held->managed.deleter = [](DLManagedTensor* self) { delete static_cast<Export*>(self->manager_ctx); };
  return &held.release()->managed;
}

Result<Tensor> Tensor::from_dlpack(DLManagedTensor* managed) {
  const DLTensor& in = managed->dl_tensor;
  if (in.ndim < 0 || static_cast<std::size_t>(in.ndim) > Shape::kMaxRank) {
    return make_error(StatusCode::kInputError, "DLPack tensor of rank {}; 0 to {} are supported", in.ndim,
                      Shape::kMaxRank);
  }
  const TypeRow* type = nullptr;
  for (const TypeRow& row : kTypes) {
    if (row.code == in.dtype.code && row.bits == in.dtype.bits) type = &row;
  }
  if (type == nullptr || in.dtype.lanes != 1) {
    return make_error(StatusCode::kInputError, "DLPack type (code {}, {} bits, {} lanes) is not supported",
                      in.dtype.code, in.dtype.bits, in.dtype.lanes);
  }
  Device device;
  if (in.device.device_type == kDLCUDA) {
    device = {DeviceKind::kCuda, in.device.device_id};
  } else if (in.device.device_type != kDLCPU) {
    return make_error(StatusCode::kInputError, "DLPack device type {} is not supported",
                      static_cast<int>(in.device.device_type));
  }
  const auto rank = static_cast<std::size_t>(in.ndim);
  TERN_ASSIGN_OR_RETURN(const Shape shape, Shape::from({in.shape, rank}));
  if (!shape.is_static()) return make_error(StatusCode::kInputError, "DLPack tensor with a negative dimension");
  TERN_ASSIGN_OR_RETURN(const std::int64_t elements, shape.elements());
  if (in.data == nullptr && elements > 0) return make_error(StatusCode::kInputError, "DLPack tensor without data");
  TensorView view(static_cast<std::byte*>(in.data) + in.byte_offset, type->dtype, shape, device);
  if (in.strides != nullptr) {
    Shape strides = shape;
    for (std::size_t i = 0; i < rank; ++i)
      strides[i] = in.strides[i];
    view = TensorView(view.data(), type->dtype, shape, strides, device);
  }
  return Tensor(view, managed, release_import);
}

}  // namespace tern
