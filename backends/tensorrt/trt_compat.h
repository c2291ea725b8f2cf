// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>
#include <cstdint>
#include <string>

#include "tern/engine.h"

/// Where TensorRT's versions differ.
///
/// TensorRT's classes are inline calls through tables that grow at their end: a method that is newer than the library jumps past
/// the end of its table, without a warning. So a method that kFloor does not have may be called in trt_compat.cpp alone,
/// behind a comparison with getInferLibVersion(); tools/check-trt-methods holds every method that this folder calls
/// against methods.allow.
namespace tern::trt_backend::compat {

inline constexpr int kMajor = TERN_TENSORRT_MAJOR;
/// The oldest library that the plugin works with: 10.3 (JetPack 6), 11.0.
inline constexpr std::int32_t kFloor = kMajor == 10 ? 100300 : 110000;
/// "10.3"
[[nodiscard]] std::string floor_text();
/// 100600 -> "10.6.0"
[[nodiscard]] std::string version_text(std::int32_t version);

/// Whether the network takes every type from the ONNX file, so that no builder flag can choose another. 11 knows nothing else.
[[nodiscard]] constexpr bool always_strongly_typed() noexcept {
  return kMajor >= 11;
}
[[nodiscard]] nvinfer1::NetworkDefinitionCreationFlags network_flags(bool strongly_typed) noexcept;

/// Whether half precision is faster than single on this GPU. True on 11, which no longer tells.
[[nodiscard]] bool has_fast_f16(const nvinfer1::IBuilder& builder) noexcept;
/// Lets the builder choose kernels of `precision` beside f32. Nothing to do for strongly typed networks.
void allow_precision(nvinfer1::IBuilderConfig& config, Precision precision) noexcept;

/// Deep-learning accelerators, which the first releases of 11 lack: none there.
[[nodiscard]] int dla_cores(const nvinfer1::IBuilder& builder) noexcept;
void build_for_dla(nvinfer1::IBuilderConfig& config, int core) noexcept;
void run_on_dla(nvinfer1::IRuntime& runtime, int core) noexcept;

}  // namespace tern::trt_backend::compat
