// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// libtern_plan_runnerN.so, for Python's ctypes, so that bench/compare/frame_torch.py drives one plan in two ways, in one process, in
// turns: as a Python program would (tern_engine_*: the inference alone, on the caller's stream and memory), and as tern does
// (tern_frame_*: its frame path). The plan is a file of bench/gpu/plans.h.
#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "convert.h"
#include "library.h"
#include "plans.h"
#include "tern/export.h"
#include "tern/frame_path.h"

namespace {

using namespace tern;  // NOLINT(google-build-using-namespace): nothing but a list of C functions

thread_local std::string last_error;

/// `body`, or `failed` with the reason in last_error.
template <typename Value, typename Body>
Value guarded(Value failed, const Body& body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    last_error = error.what();
  } catch (...) {
    last_error = "an unknown exception";
  }
  return failed;
}

void expect(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("TensorRT refuses: ") + what);
}
void expect(const Status& status) {
  if (!status.ok()) throw Error(status);
}

/// The inference alone: TensorRT as its samples use it.
struct BareEngine {
  explicit BareEngine(const std::string& plan)
      : runtime(trt_backend::Library::get().value()->create_runtime().value()) {
    const EngineBlob blob = bench::load_plan(plan);
    engine.reset(runtime->deserializeCudaEngine(blob.bytes.data(), blob.bytes.size()));
    expect(engine != nullptr, "the plan");
    context.reset(engine->createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy::kSTATIC));
    expect(context != nullptr, "a context");
    for (std::int32_t i = 0; i < engine->getNbIOTensors(); ++i) {
      const char* const name = engine->getIOTensorName(i);
      const nvinfer1::Dims own = engine->getTensorShape(name);
      const bool is_open = std::any_of(own.d, own.d + own.nbDims, [](std::int64_t d) { return d < 0; });
      if (engine->getTensorIOMode(name) != nvinfer1::TensorIOMode::kINPUT || !is_open) continue;
      // A plan for one image has one shape.
      expect(context->setInputShape(name, engine->getProfileShape(name, 0, nvinfer1::OptProfileSelector::kOPT)), name);
    }
    for (std::int32_t i = 0; i < engine->getNbIOTensors(); ++i)
      ports += port(engine->getIOTensorName(i));
  }
  /// A line of text.
  [[nodiscard]] std::string port(const char* name) const {
    const bool is_input = engine->getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT;
    std::string line = fmt::format("{} {} {}", is_input ? "in" : "out", name,
                                   to_string(trt_backend::from_trt(engine->getTensorDataType(name)).value()));
    const nvinfer1::Dims dims = context->getTensorShape(name);
    for (std::int32_t d = 0; d < dims.nbDims; ++d)
      line += fmt::format(" {}", dims.d[d]);
    return line + "\n";
  }

  std::unique_ptr<nvinfer1::IRuntime> runtime;
  std::unique_ptr<nvinfer1::ICudaEngine> engine;
  std::unique_ptr<nvinfer1::IExecutionContext> context;
  std::string ports;
};

/// tern's frame path of a detector.
struct Frames {
  Frames(const std::string& model, const std::string& plan, bool cuda_graph)
      : backend(BackendRegistry::load().find("tensorrt").value()),
        contract(Contract::resolve(Model::from_file(model).value()).value()),
        contract_json(contract.to_json()) {
    LoadOptions options;
    options.cuda_graph = cuda_graph;
    path = backend->load(bench::load_plan(plan), options).value()->create_frame_path(contract, {}).value();
    if (path == nullptr) throw std::runtime_error("this model has no frame path");
  }

  std::shared_ptr<Backend> backend;
  Contract contract;
  std::string contract_json;
  std::unique_ptr<FramePath> path;
  std::vector<std::vector<Detection>> detections{1};
};

}  // namespace

extern "C" {

/// Why the last call of this thread failed.
TERN_API const char* tern_runner_error() {
  return last_error.c_str();
}

/// Null when it fails.
TERN_API void* tern_engine_open(const char* plan) {
  return guarded(static_cast<void*>(nullptr), [&]() -> void* { return new BareEngine(plan); });
}

/// A line for each input and output: "in NAME f32 1 3 640 640". Lives as long as the engine.
TERN_API const char* tern_engine_ports(const void* engine) {
  return static_cast<const BareEngine*>(engine)->ports.c_str();
}

/// GPU memory for an input or output, aligned to 256 bytes. 0, or 1 when it fails.
TERN_API int tern_engine_bind(void* engine, const char* name, void* memory) {
  return guarded(1, [&] {
    expect(static_cast<BareEngine*>(engine)->context->setTensorAddress(name, memory), name);
    return 0;
  });
}

/// 0, or 1 when it fails. `stream` is a cudaStream_t; may be captured after a first run.
TERN_API int tern_engine_enqueue(void* engine, void* stream) {
  return guarded(1, [&] {
    expect(static_cast<BareEngine*>(engine)->context->enqueueV3(static_cast<cudaStream_t>(stream)), "enqueueV3");
    return 0;
  });
}

TERN_API void tern_engine_close(void* engine) {
  delete static_cast<BareEngine*>(engine);
}

/// The frame path of a detector. Null when it fails.
TERN_API void* tern_frame_open(const char* model, const char* plan, int cuda_graph) {
  return guarded(static_cast<void*>(nullptr), [&]() -> void* { return new Frames(model, plan, cuda_graph != 0); });
}

/// The contract as JSON. Lives as long as the path.
TERN_API const char* tern_frame_contract(const void* frames) {
  return static_cast<const Frames*>(frames)->contract_json.c_str();
}

/// A BGR frame in host memory to at most `most` rows of x1, y1, x2, y2, score, class. How many; -1 when it fails.
TERN_API int tern_frame_run(void* frames, const void* pixels, int width, int height, float* rows, int most) {
  return guarded(-1, [&] {
    auto& self = *static_cast<Frames*>(frames);
    const ImageView image =
        ImageView::packed(static_cast<const std::uint8_t*>(pixels), width, height, PixelFormat::kBgr);
    expect(self.path->run({&image, 1}, {}, {}));
    expect(self.path->read({.detections = self.detections}));
    int count = 0;
    for (const Detection& d : self.detections[0]) {
      if (count == most) break;
      const float row[6]{d.x1, d.y1, d.x2, d.y2, d.score, static_cast<float>(d.class_id)};
      std::memcpy(rows + std::ptrdiff_t{6} * count++, row, sizeof(row));
    }
    return count;
  });
}

TERN_API void tern_frame_close(void* frames) {
  delete static_cast<Frames*>(frames);
}

}  // extern "C"
