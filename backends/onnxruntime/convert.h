// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api.h"
#include "tern/engine.h"
#include "tern/status.h"
#include "tern/tensor.h"

namespace tern::ort_backend {

/// ModelError for element types that tern does not carry.
[[nodiscard]] Result<DType> from_ort(ONNXTensorElementDataType type);
[[nodiscard]] ONNXTensorElementDataType to_ort(DType dtype) noexcept;

[[nodiscard]] const Ort::MemoryInfo& cpu_memory();
/// The caller's memory as ONNX Runtime takes it; nothing is copied. Throws Ort::Exception.
[[nodiscard]] Ort::Value to_ort(const TensorView& tensor);

/// Inputs and outputs of a session. ModelError names one that is no tensor, or of a type that tern does not carry.
[[nodiscard]] Status read_ports(const Ort::Session& session, std::vector<TensorSpec>& inputs,
                                std::vector<TensorSpec>& outputs);

}  // namespace tern::ort_backend
