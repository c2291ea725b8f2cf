// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api.h"
#include "tern/engine.h"

namespace tern::ort_backend {

/// Who runs the nodes of a graph. Each provider is a backend of its own, in a plugin of its own: what was asked for is what the label
/// says.
enum class Provider : std::uint8_t { kCpu, kCuda, kTensorRt };

/// The backend's label: "onnxruntime", "onnxruntime_cuda", "onnx_trt_ep".
[[nodiscard]] std::string_view label_of(Provider provider) noexcept;
/// ONNX Runtime's name: "CPUExecutionProvider".
[[nodiscard]] const char* execution_provider(Provider provider) noexcept;
[[nodiscard]] inline bool is_gpu(Provider provider) noexcept {
  return provider != Provider::kCpu;
}

/// BackendError, with the providers there are, when the library does not carry this one. REQUIRES: open_library().
[[nodiscard]] Status check_carried(Provider provider);

/// What it can give for what was asked: ConfigError names what it can.
[[nodiscard]] Result<Precision> choose_precision(Provider provider, Precision asked, const Model& model);

/// Adds the provider to a session; none for the CPU's, which is always there. `workspace` limits the memory it takes from the GPU, and
/// `timing_cache` is the folder of TensorRT's; 0 and "": none. Throws Ort::Exception.
void add_provider(Ort::SessionOptions& options, Provider provider, Precision precision, std::uint64_t workspace,
                  const std::string& timing_cache);

}  // namespace tern::ort_backend
