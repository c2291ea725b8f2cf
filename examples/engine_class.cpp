// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// engine_class MODEL.onnx [CALIBRATION]: the class that many applications write around TensorRT by hand, on tern. The same program
// runs on the best backend of any machine: without a GPU it builds and runs on the CPU.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "tern/engine_name.h"
#include "tern/runtime.h"

class VisionEngine {
 public:
  /// ONNX in; int8 where `calibration` (X.calib.json or X.calib_cache, trusted) is given, else f16, else f32: the first that can be built.
  static VisionEngine convert_from_source(std::span<const std::byte> onnx, const std::string& stem,
                                          const std::string& calibration) {
    const tern::Model model = tern::Model::from_bytes(onnx, stem).value();
    auto runtime = tern::InferenceRuntime::create({.config = tern::RuntimeConfig::resolve().value()}).value();
    tern::BuildConfig config{.calibration = calibration};
    using enum tern::Precision;
    tern::Result<tern::CompiledEngine> built = tern::Status(tern::StatusCode::kConfigError, "nothing was tried");
    for (const tern::Precision precision : {calibration.empty() ? kF16 : kI8, kF16, kF32}) {
      config.precision = precision;
      if (precision != kI8) config.calibration.clear();
      built = runtime.compile_engine(model, config);
      if (built.ok() || built.status().code() == tern::StatusCode::kCalibrationCacheError)
        break;  // never a silent step past a bad cache
      std::fprintf(stderr, "%s\n", built.status().to_string().c_str());
    }
    return {std::move(runtime), built.value()};
  }

  const tern::Shape& input_shape() const { return engine_->input_shape(); }
  std::int64_t batch_size() const { return engine_->batch_size(); }
  std::string engine_filename(tern::Precision precision) const {
    tern::EngineName name = tern::EngineName::parse(entry_.engine.filename().string()).value();
    name.precision = precision;
    return name.format().value();
  }
  const std::vector<tern::Tensor>& run(const tern::TensorView& input) {
    if (const tern::Status status = runtime_.infer(handle_, {&input, 1}, outputs_); !status.ok())
      throw tern::Error(status);
    return outputs_;
  }
  const tern::Engine& engine() const { return *engine_; }

 private:
  VisionEngine(tern::InferenceRuntime runtime, const tern::CompiledEngine& built)
      : runtime_(std::move(runtime)),
        entry_(built.entry),
        handle_(runtime_.deserialize_engine(entry_).value()),
        engine_(runtime_.engine(handle_).value()) {}

  tern::InferenceRuntime runtime_;
  tern::EngineEntry entry_;
  tern::InferenceRuntime::Handle handle_;
  std::shared_ptr<tern::Engine> engine_;
  std::vector<tern::Tensor> outputs_;
};

int main(int argc, char** argv) try {
  if (argc != 2 && argc != 3) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string onnx{std::istreambuf_iterator<char>(file), {}};
  VisionEngine engine =
      VisionEngine::convert_from_source(std::as_bytes(std::span(onnx)), "example", argc == 3 ? argv[2] : "");
  tern::Shape shape = engine.input_shape();
  std::printf("%s, input %s, batch %lld\n", engine.engine_filename(engine.engine().precision()).c_str(),
              shape.to_string().c_str(), static_cast<long long>(engine.batch_size()));
  for (std::size_t i = 0; i < shape.rank(); ++i)
    shape[i] = std::max<std::int64_t>(shape[i], 1);
  tern::Tensor input = tern::Tensor::create(engine.engine().inputs()[0].dtype, shape).value();
  std::fill_n(static_cast<char*>(input.view().data()), input.bytes(), '\0');
  std::printf("gives %s\n", engine.run(input.view())[0].shape().to_string().c_str());
} catch (const tern::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return tern::error_class(error.status().code()).exit_code;
}
