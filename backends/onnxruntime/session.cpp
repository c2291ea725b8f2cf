// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <onnxruntime_session_options_config_keys.h>
#include <thread>
#include <utility>

#include "base/cpu.h"
#include "base/file.h"
#include "guard.h"

namespace tern::ort_backend {
namespace {

Ort::SessionOptions session_options(const SessionSettings& settings) {
  Ort::SessionOptions options;
  options.SetExecutionMode(ORT_SEQUENTIAL);
  options.SetIntraOpNumThreads(settings.threads);
  options.SetInterOpNumThreads(1);
  // Threads that wait actively for the next piece of work make one inference faster, and take the cores from everything else: so only
  // while an inference runs, and not where throughput is asked for.
  const bool may_spin = settings.hint == PerformanceHint::kLatency;
  options.AddConfigEntry(kOrtSessionOptionsConfigAllowIntraOpSpinning, may_spin ? "1" : "0");
  options.AddConfigEntry(kOrtSessionOptionsConfigAllowInterOpSpinning, "0");
  options.AddConfigEntry(kOrtSessionOptionsConfigForceSpinningStop, "1");
  // Weights outside the arena, which grows by doubling.
  options.AddConfigEntry(kOrtSessionOptionsUseDeviceAllocatorForInitializers, "1");
  options.AddConfigEntry(kOrtSessionOptionsConfigLoadModelFormat, "ONNX");
  // Weights in u8 instead of i8: kernels of their own, which add in 32 bits.
  if (settings.provider == Provider::kCpu && !host_cpu().sums_int8_exactly())
    options.AddConfigEntry(kOrtSessionOptionsAvx2PrecisionMode, "1");
  add_provider(options, settings.provider, settings.precision, settings.workspace, settings.timing_cache);
  return options;
}

/// A folder for the file that ONNX Runtime insists on writing.
class ScratchFolder {
 public:
  static Result<ScratchFolder> create() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "tern-onnxruntime-XXXXXX").string();
    if (error || ::mkdtemp(name.data()) == nullptr)
      return make_error(StatusCode::kIoError, "cannot make a folder in {}", name)
          .with_hint("set TMPDIR to one that exists");
    return ScratchFolder(name);
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::filesystem::path file() const { return path_ / "model.onnx"; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace

int thread_count(int asked) {
  return asked > 0 ? asked : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Result<std::vector<std::byte>> optimise(const std::string& model, const SessionSettings& settings, LogRing& log) {
  constexpr std::uint64_t kMaxBytes = std::uint64_t{2} << 30;
  TERN_ASSIGN_OR_RETURN(const ScratchFolder folder, ScratchFolder::create());
  TERN_RETURN_IF_ERROR(guard(StatusCode::kEngineBuildError, "ONNX Runtime cannot compile the model", log, [&] {
    Ort::SessionOptions options = session_options(settings);
    options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_VERBOSE);  // where PlacementLog listens
    options.SetGraphOptimizationLevel(GraphOptimizationLevel::ORT_ENABLE_ALL);
    if (!settings.fuses_quantised) options.AddConfigEntry(kOrtSessionOptionsDisableQuantQDQ, "1");
    if (settings.provider == Provider::kTensorRt) {
      // TensorRT's engines stand in the model that is written, as nodes.
      options.AddConfigEntry(kOrtSessionOptionEpContextEnable, "1");
      options.AddConfigEntry(kOrtSessionOptionEpContextFilePath, folder.file().c_str());
      options.AddConfigEntry(kOrtSessionOptionEpContextEmbedMode, "1");
    } else {
      options.SetOptimizedModelFilePath(folder.file().c_str());
    }
    const Ort::Session session(environment(), model.data(), model.size(), options);
  }));
  return read_file(folder.file(), kMaxBytes);
}

Ort::Session open_session(std::span<const std::byte> optimised, const SessionSettings& settings) {
  Ort::SessionOptions options = session_options(settings);
  options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_WARNING);
  options.SetGraphOptimizationLevel(GraphOptimizationLevel::ORT_DISABLE_ALL);
  return {environment(), optimised.data(), optimised.size(), options};
}

}  // namespace tern::ort_backend
