// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/device.h"

#include <array>
#include <exception>
#include <utility>

#include "base/error.h"
#include "engine/plugin.h"
#include "tern/dev/cuda_plugin.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

/// A field of fixed size that the plugin filled; it may fill it to the brim.
template <std::size_t N>
std::string text_of(const char (&field)[N]) {
  const std::string_view all(field, N);
  return std::string(all.substr(0, all.find('\0')));
}

std::string version_text(std::int32_t number) {
  return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

/// The failure of a call of the plugin, in tern's words, with what the plugin said as its cause where that adds something.
Status failure_status(const dev::CudaFailure& failure) {
  std::string text = text_of(failure.text);
  switch (failure.code) {
    case dev::CudaFailureCode::kNone:
      return {};
    case dev::CudaFailureCode::kNoDriver:
      return Status(StatusCode::kBackendError, "there is no NVIDIA driver here")
          .with_hint(
              "install the NVIDIA driver, or use a CPU backend; in a container, start it with its GPUs "
              "(docker run --gpus all)")
          .with_cause(text);
    case dev::CudaFailureCode::kDriverTooOld:
      return Status(StatusCode::kBackendError,
                    "the NVIDIA driver does not fit: it is older than this tern's CUDA runtime, or "
                    "than its own kernel module")
          .with_hint("update the NVIDIA driver, then restart the machine")
          .with_cause(text);
    case dev::CudaFailureCode::kNoDevice:
      return Status(StatusCode::kBackendError, "the NVIDIA driver sees no GPU")
          .with_hint("look at nvidia-smi, CUDA_VISIBLE_DEVICES, and the rights on /dev/nvidia*")
          .with_cause(text);
    case dev::CudaFailureCode::kNoSuchDevice:
      return Status(StatusCode::kConfigError, std::move(text)).with_hint("`tern doctor` lists the GPUs");
    case dev::CudaFailureCode::kOutOfMemory:
      return Status(StatusCode::kOutOfMemoryError, std::move(text));
    case dev::CudaFailureCode::kWrongResult:
      return Status(StatusCode::kBackendError, std::move(text))
          .with_hint("the GPU, its memory or its bus is faulty: do not trust its results");
    case dev::CudaFailureCode::kFailed:
      break;
  }
  return Status(StatusCode::kBackendError, std::move(text));
}

/// Calls a function of the plugin, which returns a code and fills a failure.
template <typename Function, typename... Args>
Status call(const fs::path& library, Function function, Args... args) {
  dev::CudaFailure failure{};
  if (function(args..., &failure) == 0) return {};
  return failure_status(failure).at(library.string());
}

Result<const dev::CudaPlugin*> open_cuda(const fs::path& file) {
  TERN_ASSIGN_OR_RETURN(void* entry, open_plugin(file, dev::kCudaEntry));
  if (entry == nullptr) {
    return make_error(StatusCode::kBackendError, "exports no {}", dev::kCudaEntry)
        .with_hint("this is not tern's CUDA library");
  }
  const dev::CudaPlugin* plugin = reinterpret_cast<dev::CudaEntry>(entry)();
  if (plugin == nullptr)
    return Status(StatusCode::kBackendError, "its entry returned nothing").with_hint("rebuild the plugin");
  TERN_RETURN_IF_ERROR(check_plugin_identity(plugin->abi, dev::kCudaAbi, plugin->tern_version, plugin->compiler));
  return plugin;
}

}  // namespace

std::string DeviceTraits::target() const {
  return fmt::format("cc_{}.{}_sm_{}", cc_major, cc_minor, sm_count);
}

Cuda::Cuda(fs::path library, const dev::CudaPlugin* plugin) noexcept : library_(std::move(library)), plugin_(plugin) {}

Result<Cuda> Cuda::load() {
  return load_from(plugin_folders(*null_logger()));
}

Result<Cuda> Cuda::load_from(std::span<const fs::path> folders) {
  for (const fs::path& folder : folders) {
    const fs::path file = folder / dev::kCudaLibrary;
    std::error_code ignored;
    if (!fs::exists(file, ignored)) continue;
    const auto plugin = open_cuda(file);
    if (!plugin.ok()) return plugin.status().at(file.string());
    return Cuda(file, *plugin);
  }
  return make_error(StatusCode::kBackendError, "this tern was built without CUDA: there is no {}", dev::kCudaLibrary)
      .with_hint(
          "build the preset cuda (docs/building.md); the library belongs into the folder 'tern' beside libtern.so, "
          "or into a folder named by TERN_PLUGIN_PATH");
}

Result<CudaVersions> Cuda::versions() const {
  dev::CudaVersionNumbers numbers{};
  TERN_RETURN_IF_ERROR(call(library_, plugin_->versions, &numbers));
  return CudaVersions{version_text(numbers.driver), version_text(numbers.runtime)};
}

Result<std::vector<DeviceTraits>> Cuda::devices() const {
  std::int32_t count = 0;
  TERN_RETURN_IF_ERROR(call(library_, plugin_->device_count, &count));
  std::vector<DeviceTraits> all;
  for (int i = 0; i < count; ++i) {
    TERN_ASSIGN_OR_RETURN(DeviceTraits traits, device(i));
    all.push_back(std::move(traits));
  }
  return all;
}

Result<DeviceTraits> Cuda::device(int index) const {
  dev::CudaDeviceFacts facts{};
  TERN_RETURN_IF_ERROR(call(library_, plugin_->device_facts, index, &facts));
  return DeviceTraits{.index = index,
                      .name = text_of(facts.name),
                      .cc_major = facts.cc_major,
                      .cc_minor = facts.cc_minor,
                      .sm_count = facts.sm_count,
                      .memory_bytes = facts.memory_bytes,
                      .is_integrated = facts.is_integrated != 0,
                      .copy_engines = facts.copy_engines,
                      .l2_bytes = facts.l2_bytes,
                      .shared_memory_bytes = facts.shared_memory_bytes,
                      .pci_bus_id = text_of(facts.pci_bus_id)};
}

Result<DeviceMemory> Cuda::memory(int index) const {
  dev::CudaMemory memory{};
  TERN_RETURN_IF_ERROR(call(library_, plugin_->memory, index, &memory));
  return DeviceMemory{memory.free_bytes, memory.total_bytes};
}

Result<DeviceSelfTest> Cuda::self_test(int index, std::uint64_t bytes) const {
  dev::CudaSelfTest result{};
  TERN_RETURN_IF_ERROR(call(library_, plugin_->self_test, index, bytes, &result));
  return DeviceSelfTest{result.bytes, result.to_device_gb_s, result.to_host_gb_s, result.on_device_gb_s};
}

GpuFrame::GpuFrame(Cuda cuda, int index, void* frame) noexcept : cuda_(std::move(cuda)), index_(index), frame_(frame) {}
GpuFrame::GpuFrame(GpuFrame&& other) noexcept
    : cuda_(other.cuda_), index_(other.index_), frame_(std::exchange(other.frame_, nullptr)) {}
GpuFrame& GpuFrame::operator=(GpuFrame&& other) noexcept {
  std::swap(cuda_, other.cuda_);
  std::swap(index_, other.index_);
  std::swap(frame_, other.frame_);
  return *this;
}
GpuFrame::~GpuFrame() {
  if (frame_ != nullptr) cuda_.plugin_->frame_destroy(frame_);
}

Result<GpuFrame> GpuFrame::create(const Cuda& cuda, int index) {
  void* frame = nullptr;
  TERN_RETURN_IF_ERROR(call(cuda.library_, cuda.plugin_->frame_create, index, &frame));
  return GpuFrame(cuda, index, frame);
}

Result<ImageView> GpuFrame::upload(const ImageView& image) {
  TERN_RETURN_IF_ERROR(image.validate());
  if (image.device.kind != DeviceKind::kCpu)
    return make_error(StatusCode::kInputError, "the pixels are on {} already", image.device.to_string());
  std::array<dev::CudaPlane, 3> planes{};
  const int count = plane_count(image.format);
  for (int p = 0; p < count; ++p) {
    const ImageView::Plane& plane = image.planes[static_cast<std::size_t>(p)];
    planes[static_cast<std::size_t>(p)] = {
        plane.data, plane.stride, image.plane_rows(p), image.plane_row_bytes(p), nullptr, 0};
  }
  TERN_RETURN_IF_ERROR(call(cuda_.library_, cuda_.plugin_->frame_upload, frame_, planes.data(), count));
  ImageView view = image;
  for (std::size_t p = 0; p < static_cast<std::size_t>(count); ++p)
    view.planes[p] = {static_cast<const std::uint8_t*>(planes[p].device_data),
                      static_cast<std::ptrdiff_t>(planes[p].device_stride)};
  view.device = Device{DeviceKind::kCuda, index_};
  return view;
}

std::uint64_t gpu_memory_bytes(int device) noexcept {
  try {
    const auto cuda = Cuda::load();
    if (!cuda.ok()) return kUnknownGpuMemory;
    const auto traits = cuda->device(device);
    return traits.ok() && traits->memory_bytes > 0 ? traits->memory_bytes : kUnknownGpuMemory;
  } catch (const std::exception&) {  // out of memory, in the words of a failure
    return kUnknownGpuMemory;
  }
}

}  // namespace tern
