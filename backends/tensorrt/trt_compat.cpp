// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "trt_compat.h"

#include <fmt/format.h>

namespace tern::trt_backend::compat {

std::string floor_text() {
  return fmt::format("{}.{}", kFloor / 10000, kFloor / 100 % 100);
}

std::string version_text(std::int32_t version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

#if TERN_TENSORRT_MAJOR == 10

nvinfer1::NetworkDefinitionCreationFlags network_flags(bool strongly_typed) noexcept {
  constexpr auto kBit = static_cast<unsigned>(nvinfer1::NetworkDefinitionCreationFlag::kSTRONGLY_TYPED);
  return strongly_typed ? 1U << kBit : 0U;
}

bool has_fast_f16(const nvinfer1::IBuilder& builder) noexcept {
  return builder.platformHasFastFp16();
}

void allow_precision(nvinfer1::IBuilderConfig& config, Precision precision) noexcept {
  if (precision == Precision::kI8) config.setFlag(nvinfer1::BuilderFlag::kINT8);
  // What is not quantised runs in f16 then, not in f32.
  if (precision == Precision::kI8 || precision == Precision::kF16) config.setFlag(nvinfer1::BuilderFlag::kFP16);
}

int dla_cores(const nvinfer1::IBuilder& builder) noexcept {
  return builder.getNbDLACores();
}

void build_for_dla(nvinfer1::IBuilderConfig& config, int core) noexcept {
  config.setDefaultDeviceType(nvinfer1::DeviceType::kDLA);
  config.setDLACore(core);
  config.setFlag(nvinfer1::BuilderFlag::kGPU_FALLBACK);
}

void run_on_dla(nvinfer1::IRuntime& runtime, int core) noexcept {
  runtime.setDLACore(core);
}

#else

int dla_cores(const nvinfer1::IBuilder& /*builder*/) noexcept {
  return 0;
}

void build_for_dla(nvinfer1::IBuilderConfig& /*config*/, int /*core*/) noexcept {}

void run_on_dla(nvinfer1::IRuntime& /*runtime*/, int /*core*/) noexcept {}

nvinfer1::NetworkDefinitionCreationFlags network_flags(bool /*strongly_typed*/) noexcept {
  return 0U;
}

bool has_fast_f16(const nvinfer1::IBuilder& /*builder*/) noexcept {
  return true;
}

void allow_precision(nvinfer1::IBuilderConfig& /*config*/, Precision /*precision*/) noexcept {}

#endif

}  // namespace tern::trt_backend::compat
