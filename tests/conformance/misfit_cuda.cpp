// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// A libtern_cuda that does not fit, for one reason chosen by the build; or one whose calls fail as the device number says.
#include <cstring>

#include "tern/dev/cuda_plugin.h"
#include "tern/export.h"
#include "tern/version.h"

#if !defined(MISFIT_NO_ENTRY)
namespace {

using namespace tern::dev;

std::int32_t fail(std::int32_t code, CudaFailure* failure) noexcept {
  failure->code = static_cast<CudaFailureCode>(code);
  std::memset(failure->text, 'x', sizeof(failure->text));  // and no zero at its end
  return code;
}

std::int32_t versions(CudaVersionNumbers* numbers, CudaFailure* /*failure*/) noexcept {
  *numbers = {.driver = 12040, .runtime = 13000};
  return 0;
}

std::int32_t device_count(std::int32_t* count, CudaFailure* /*failure*/) noexcept {
  *count = 2;  // the second one fails
  return 0;
}

std::int32_t device_facts(std::int32_t device, CudaDeviceFacts* facts, CudaFailure* failure) noexcept {
  if (device != 0) return fail(device, failure);
  std::memset(facts->name, 'n', sizeof(facts->name));
  facts->cc_major = 10;
  facts->cc_minor = 3;
  facts->sm_count = 148;
  return 0;
}

std::int32_t memory(std::int32_t device, CudaMemory* /*memory*/, CudaFailure* failure) noexcept {
  return fail(device, failure);
}

std::int32_t self_test(std::int32_t device, std::uint64_t /*bytes*/, CudaSelfTest* /*result*/,
                       CudaFailure* failure) noexcept {
  return fail(device, failure);
}

std::int32_t frame_create(std::int32_t device, void** /*frame*/, CudaFailure* failure) noexcept {
  return fail(device, failure);
}

std::int32_t frame_upload(void* /*frame*/, CudaPlane* /*planes*/, std::int32_t /*count*/,
                          CudaFailure* failure) noexcept {
  return fail(1, failure);
}

void frame_destroy(void* /*frame*/) noexcept {}

}  // namespace

extern "C" TERN_API const tern::dev::CudaPlugin* tern_cuda_v1() noexcept {
  static CudaPlugin plugin{kCudaAbi, TERN_VERSION_STRING, TERN_COMPILER_TAG, versions,     device_count, device_facts,
                           memory,   self_test,           frame_create,      frame_upload, frame_destroy};
#if defined(MISFIT_WRONG_ABI)
  plugin.abi = 99;
  plugin.tern_version = nullptr;  // another ABI may mean anything by it
  plugin.compiler = nullptr;
#elif defined(MISFIT_WRONG_VERSION)
  plugin.tern_version = "0.0.1";
#elif defined(MISFIT_WRONG_COMPILER)
  plugin.compiler = "babbage 1";
#elif defined(MISFIT_NULL_ENTRY)
  return nullptr;
#endif
  return &plugin;
}
#endif
