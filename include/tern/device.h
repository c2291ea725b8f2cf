// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tern/export.h"
#include "tern/image.h"
#include "tern/status.h"

namespace tern {

namespace dev {
struct CudaPlugin;
}

/// A GPU as the CUDA driver describes it.
struct DeviceTraits {
  int index = 0;  ///< as in "cuda:0"; CUDA_VISIBLE_DEVICES counts
  std::string name;
  int cc_major = 0, cc_minor = 0;  ///< compute capability
  int sm_count = 0;                ///< streaming multiprocessors
  std::uint64_t memory_bytes = 0;  ///< all of it, in use or not
  bool is_integrated = false;      ///< shares the host's memory (Jetson)
  int copy_engines = 0;
  std::uint64_t l2_bytes = 0;
  std::uint64_t shared_memory_bytes = 0;  ///< that one block may use when it opts in
  std::string pci_bus_id;                 ///< "0000:3B:00.0"

  /// As it stands in engine names: "cc_9.0_sm_132".
  [[nodiscard]] TERN_API std::string target() const;
};

struct DeviceMemory {
  std::uint64_t free_bytes = 0, total_bytes = 0;
};

struct CudaVersions {
  std::string driver;   ///< newest CUDA that the installed driver speaks: "13.0"
  std::string runtime;  ///< of the CUDA runtime that tern was built with
};

/// What a device did in Cuda::self_test(): 10^9 bytes a second.
struct DeviceSelfTest {
  std::uint64_t bytes = 0;                      ///< copied each way
  double to_device_gb_s = 0, to_host_gb_s = 0;  ///< from and to pinned host memory
  double on_device_gb_s = 0;                    ///< of a kernel, bytes read and written
};

/// The CUDA half of tern, libtern_cuda.so, loaded on demand and kept until the process ends. It lies where backend plugins
/// do: in the folders of TERN_PLUGIN_PATH, else in the folder `tern` beside libtern. It needs no CUDA installation but the
/// driver.
///
/// Every function is BackendError with its cure where there is no such library, no driver, one that is too old, or no GPU.
/// Cheap to copy; thread-safe.
class TERN_API Cuda {
 public:
  /// The first one found; BackendError when there is none, or it does not fit this tern.
  [[nodiscard]] static Result<Cuda> load();
  /// The same from given folders.
  [[nodiscard]] static Result<Cuda> load_from(std::span<const std::filesystem::path> folders);

  [[nodiscard]] const std::filesystem::path& library() const noexcept { return library_; }
  [[nodiscard]] Result<CudaVersions> versions() const;
  /// At least one.
  [[nodiscard]] Result<std::vector<DeviceTraits>> devices() const;
  /// ConfigError when there is no GPU of this index.
  [[nodiscard]] Result<DeviceTraits> device(int index) const;
  /// Makes the device's CUDA context, which itself takes some hundred megabytes of GPU memory.
  [[nodiscard]] Result<DeviceMemory> memory(int index) const;
  /// Sends `bytes` (a multiple of 4, > 0) to the device, through a kernel and back. BackendError unless every bit is as
  /// it must be; OutOfMemoryError where the memory is short.
  [[nodiscard]] Result<DeviceSelfTest> self_test(int index, std::uint64_t bytes = std::uint64_t{64} << 20) const;

 private:
  friend class GpuFrame;
  Cuda(std::filesystem::path library, const dev::CudaPlugin* plugin) noexcept;

  std::filesystem::path library_;
  const dev::CudaPlugin* plugin_;
};

/// The pixels of one frame on a GPU, so that several models work on them after one copy. Move-only; one call at a time.
class TERN_API GpuFrame {
 public:
  /// ConfigError when there is no GPU of this index; BackendError as Cuda.
  [[nodiscard]] static Result<GpuFrame> create(const Cuda& cuda, int index);
  GpuFrame(GpuFrame&& other) noexcept;
  GpuFrame& operator=(GpuFrame&& other) noexcept;
  GpuFrame(const GpuFrame&) = delete;
  GpuFrame& operator=(const GpuFrame&) = delete;
  ~GpuFrame();

  /// Copies `image`, which lies in host memory (pinned: by the GPU alone), and waits. The view is valid until the next upload. Allocates when
  /// frames grow. InputError for an image that is not valid, or not in host memory; OutOfMemoryError.
  [[nodiscard]] Result<ImageView> upload(const ImageView& image);

 private:
  GpuFrame(Cuda cuda, int index, void* frame) noexcept;
  Cuda cuda_;
  int index_;
  void* frame_;
};

/// Memory of a GPU where nothing tells more: 2 GiB.
inline constexpr std::uint64_t kUnknownGpuMemory = std::uint64_t{2} << 30;
/// All the memory of GPU `device`; kUnknownGpuMemory when it cannot be asked.
[[nodiscard]] TERN_API std::uint64_t gpu_memory_bytes(int device) noexcept;

}  // namespace tern
