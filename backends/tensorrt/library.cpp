// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "library.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "logger.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kArch =
#if defined(__aarch64__)
    "aarch64-linux-gnu";
#else
    "x86_64-linux-gnu";
#endif

std::string soname(std::string_view library) {
  return fmt::format("lib{}.so.{}", library, compat::kMajor);
}

/// What to give dlopen, in order. A bare name leaves the search to the loader.
std::vector<fs::path> candidates(const std::string& file) {
  std::vector<fs::path> paths;
  const char* root = std::getenv("TENSORRT_ROOT");  // NOLINT(concurrency-mt-unsafe): read once
  if (root != nullptr && fs::path(root).is_absolute()) {
    for (const fs::path& folder : {fs::path("lib"), fs::path("lib64"), fs::path("targets") / kArch / "lib", fs::path()})
      paths.push_back(fs::path(root) / folder / file);
  }
  paths.emplace_back(file);
  for (const fs::path& folder :
       {fs::path("/usr/lib") / kArch, fs::path("/usr/lib64"), fs::path("/usr/local/tensorrt/lib"),
        fs::path("/opt/tensorrt/lib"), fs::path("/usr/local/lib")})
    paths.push_back(folder / file);
  return paths;
}

void* open_library(const fs::path& path) {
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

std::string last_dl_error() {
  const char* text = dlerror();
  return text != nullptr ? text : "unknown reason";
}

template <typename Function>
Function* symbol(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

using CreateInfer = void*(void* logger, std::int32_t version) noexcept;
using CreateParser = void*(void* network, void* logger, int version) noexcept;
using Version = std::int32_t() noexcept;
using InitPlugins = bool(void* logger, const char* name_space);

Status missing_symbol(const char* name) {
  return make_error(StatusCode::kBackendError, "TensorRT's library has no {}", name)
      .with_hint(
          fmt::format("tern needs TensorRT {} or newer, of major version {}", compat::floor_text(), compat::kMajor));
}

}  // namespace

Result<const Library*> Library::get() {
  static const Result<const Library*> kLibrary = open();
  return kLibrary;
}

Result<const Library*> Library::open() {
  auto* library = new Library;  // never destroyed: its code must outlive every object made by it
  const std::string file = soname("nvinfer");
  std::string reason;
  for (const fs::path& path : candidates(file)) {
    if (path.is_absolute() && !fs::exists(path)) continue;
    library->infer_ = open_library(path);
    if (library->infer_ != nullptr) break;
    reason += (reason.empty() ? "" : "; ") + last_dl_error();
  }
  if (library->infer_ == nullptr) {
    return make_error(StatusCode::kBackendError, "TensorRT {} was not found: {}", compat::kMajor, reason)
        .with_hint("install TensorRT, or name its folder in TENSORRT_ROOT or LD_LIBRARY_PATH");
  }
  const auto version = symbol<Version>(library->infer_, "getInferLibVersion");
  if (version == nullptr) return missing_symbol("getInferLibVersion");
  library->version_ = version();
  library->release_ = library->version_text_ = compat::version_text(library->version_);
  if (const auto build = symbol<Version>(library->infer_, "getInferLibBuildVersion"); build != nullptr)
    library->version_text_ += fmt::format(".{}", build());
  if (library->version_ < compat::kFloor || library->version_ / 10000 != compat::kMajor) {
    return make_error(StatusCode::kBackendError, "TensorRT {} was found; tern needs {} or newer, below {}",
                      library->version_text_, compat::floor_text(), compat::kMajor + 1)
        .with_hint("install a newer TensorRT, or name its folder in TENSORRT_ROOT");
  }
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(version), &info) != 0 && info.dli_fname != nullptr)
    library->folder_ = fs::path(info.dli_fname).parent_path().string();
  return library;
}

void* Library::open_beside(const std::string& file) const {
  if (const fs::path path = fs::path(folder_) / file; !folder_.empty() && fs::exists(path)) return open_library(path);
  return open_library(file);
}

void Library::register_plugins() const {
  static std::once_flag once;
  std::call_once(once, [this] {
    void* library = open_beside(soname("nvinfer_plugin"));
    if (library == nullptr) return;
    const auto init = symbol<InitPlugins>(library, "initLibNvInferPlugins");
    if (init != nullptr) init(&trt_logger(), "");
  });
}

Result<std::unique_ptr<nvinfer1::IRuntime>> Library::create_runtime() const {
  register_plugins();
  const auto create = symbol<CreateInfer>(infer_, "createInferRuntime_INTERNAL");
  if (create == nullptr) return missing_symbol("createInferRuntime_INTERNAL");
  std::unique_ptr<nvinfer1::IRuntime> runtime(static_cast<nvinfer1::IRuntime*>(create(&trt_logger(), version_)));
  if (runtime == nullptr) return Status(StatusCode::kBackendError, "TensorRT's runtime could not be started");
  return runtime;
}

/// TensorRT opens its resources by name alone. A name that is open already is found, whatever folder it came from, so those beside
/// libnvinfer are opened here: one file up to some release of 10, later one for each compute capability.
void Library::open_builder_resources(int compute_capability) const {
  constexpr std::string_view kStem = "libnvinfer_builder_resource", kPerDevice = "_sm";
  const std::string own_device = fmt::format("{}{}", kPerDevice, compute_capability), ending = ".so." + release_;
  std::error_code error;
  for (fs::directory_iterator file(folder_, error), end; !error && file != end; file.increment(error)) {
    const std::string name = file->path().filename().string();
    if (!name.starts_with(kStem) || !name.ends_with(ending)) continue;
    const std::string_view variant =
        std::string_view(name).substr(kStem.size(), name.size() - kStem.size() - ending.size());
    if (!variant.starts_with(kPerDevice) || variant == own_device) static_cast<void>(open_library(file->path()));
  }
}

Result<std::unique_ptr<nvinfer1::IBuilder>> Library::create_builder(int compute_capability) const {
  register_plugins();
  const auto create = symbol<CreateInfer>(infer_, "createInferBuilder_INTERNAL");
  if (create == nullptr) return missing_symbol("createInferBuilder_INTERNAL");
  open_builder_resources(compute_capability);
  std::unique_ptr<nvinfer1::IBuilder> builder(static_cast<nvinfer1::IBuilder*>(create(&trt_logger(), version_)));
  if (builder == nullptr) {
    return Status(StatusCode::kBackendError, "TensorRT's builder could not be started")
        .with_hint("its libnvinfer_builder_resource files must lie beside libnvinfer");
  }
  return builder;
}

Result<std::unique_ptr<nvonnxparser::IParser>> Library::create_parser(nvinfer1::INetworkDefinition& network) const {
  void* library = open_beside(soname("nvonnxparser"));
  if (library == nullptr) {
    return make_error(StatusCode::kBackendError, "TensorRT's ONNX parser was not found: {}", last_dl_error())
        .with_hint(fmt::format("install it beside libnvinfer ({}; Debian: libnvonnxparsers{})", soname("nvonnxparser"),
                               compat::kMajor));
  }
  const auto create = symbol<CreateParser>(library, "createNvOnnxParser_INTERNAL");
  const auto version = symbol<Version>(library, "getNvOnnxParserVersion");
  if (create == nullptr || version == nullptr) return missing_symbol("createNvOnnxParser_INTERNAL");
  std::unique_ptr<nvonnxparser::IParser> parser(
      static_cast<nvonnxparser::IParser*>(create(&network, &trt_logger(), version())));
  if (parser == nullptr) return Status(StatusCode::kBackendError, "TensorRT's ONNX parser could not be started");
  return parser;
}

}  // namespace tern::trt_backend
