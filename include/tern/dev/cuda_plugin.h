// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tern::dev {

/// Grows with every change of this file.
inline constexpr std::uint32_t kCudaAbi = 2;
/// The file in a plugin folder, and the one symbol it exports:
/// `extern "C" const tern::dev::CudaPlugin* tern_cuda_v1() noexcept`.
inline constexpr const char* kCudaLibrary = "libtern_cuda.so";
inline constexpr const char* kCudaEntry = "tern_cuda_v1";

enum class CudaFailureCode : std::int32_t {
  kNone,
  kNoDriver,      ///< libcuda is not installed
  kDriverTooOld,  ///< older than the CUDA runtime inside the plugin, or not of the kernel module's version
  kNoDevice,      ///< the driver sees no GPU
  kNoSuchDevice,  ///< no GPU of this index
  kOutOfMemory,   ///< of the GPU, or of memory that can be pinned
  kWrongResult,   ///< the GPU did not compute what it was told to
  kFailed,        ///< any other CUDA error
};

/// What went wrong. Plain memory, so that nothing has to be freed across the boundary.
struct CudaFailure {
  CudaFailureCode code;
  char text[504];  ///< for people; ends with a zero
};

/// 13.0 is 13000 (CUDA's own way: 1000 * major + 10 * minor).
struct CudaVersionNumbers {
  std::int32_t driver;   ///< newest CUDA that the installed driver speaks
  std::int32_t runtime;  ///< of the CUDA runtime inside the plugin
};

struct CudaDeviceFacts {
  char name[256];
  char pci_bus_id[32];  ///< "0000:3B:00.0"
  std::int32_t cc_major, cc_minor;
  std::int32_t sm_count;
  std::int32_t is_integrated;  ///< 1: shares the host's memory
  std::int32_t copy_engines;
  std::int32_t reserved;
  std::uint64_t memory_bytes;
  std::uint64_t l2_bytes;
  std::uint64_t shared_memory_bytes;  ///< that one block may use when it opts in
};

struct CudaMemory {
  std::uint64_t free_bytes, total_bytes;
};

struct CudaSelfTest {
  std::uint64_t bytes;                  ///< copied each way
  double to_device_gb_s, to_host_gb_s;  ///< pinned host memory; 10^9 bytes a second
  double on_device_gb_s;                ///< of the kernel, bytes read and written
};

/// Rows of bytes of a frame, in host memory, and where they came to lie on the device.
struct CudaPlane {
  const void* data;
  std::int64_t stride;  ///< at least row_bytes
  std::int64_t rows, row_bytes;
  void* device_data;           ///< filled
  std::int64_t device_stride;  ///< filled
};

/// What the entry returns. The three identity fields are compared before anything else is used. The functions may be
/// called from any thread, throw nothing, and return 0 or fill `failure`, whose code they return.
struct CudaPlugin {
  std::uint32_t abi;         ///< kCudaAbi
  const char* tern_version;  ///< of the headers it was compiled with
  const char* compiler;      ///< compiler_tag() of its compiler

  std::int32_t (*versions)(CudaVersionNumbers* versions, CudaFailure* failure) noexcept;
  /// kNoDevice rather than a count of 0. Makes no CUDA context.
  std::int32_t (*device_count)(std::int32_t* count, CudaFailure* failure) noexcept;
  /// Makes no CUDA context.
  std::int32_t (*device_facts)(std::int32_t device, CudaDeviceFacts* facts, CudaFailure* failure) noexcept;
  /// Makes the device's primary context, which takes GPU memory of its own.
  std::int32_t (*memory)(std::int32_t device, CudaMemory* memory, CudaFailure* failure) noexcept;
  /// Sends `bytes` (a multiple of 4, > 0) through the device and a kernel on it, and compares every bit that comes back.
  std::int32_t (*self_test)(std::int32_t device, std::uint64_t bytes, CudaSelfTest* result,
                            CudaFailure* failure) noexcept;
  /// Memory for the pixels of one frame at a time, which grows with them. One call at a time on a frame.
  std::int32_t (*frame_create)(std::int32_t device, void** frame, CudaFailure* failure) noexcept;
  /// Copies all planes and waits until they are there. What lay there before is gone.
  std::int32_t (*frame_upload)(void* frame, CudaPlane* planes, std::int32_t count, CudaFailure* failure) noexcept;
  void (*frame_destroy)(void* frame) noexcept;
};

using CudaEntry = const CudaPlugin* (*)() noexcept;

}  // namespace tern::dev
