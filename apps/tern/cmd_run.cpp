// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "npz.h"
#include "options.h"
#include "tern/engine.h"
#include "tern/model.h"

namespace tern {
namespace {

std::string list_names(const std::vector<ValueInfo>& values) {
  std::string text;
  for (const ValueInfo& value : values)
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", value.name);
  return text;
}

// The dtype as NumPy names it, for hints.
std::string numpy_name(DType dtype) {
  const std::string_view name = to_string(dtype);
  const std::string_view bits = name.substr(1);
  if (dtype == DType::kBool) return "numpy.bool_";
  if (dtype == DType::kBF16) return "ml_dtypes.bfloat16";
  return fmt::format("numpy.{}{}", name[0] == 'f' ? "float" : name[0] == 'u' ? "uint" : "int", bits);
}

Status check_input(const ValueInfo& wanted, const Tensor& found) {
  if (found.dtype() != wanted.dtype) {
    return make_error(StatusCode::kInputError, "input '{}' takes {}, the array has {}", wanted.name,
                      to_string(wanted.dtype), to_string(found.dtype()))
        .with_hint(fmt::format("array.astype({})", numpy_name(wanted.dtype)));
  }
  if (!wanted.shape.accepts(found.shape())) {
    return make_error(StatusCode::kInputError, "input '{}' takes shape {}, the array has {}", wanted.name,
                      wanted.shape.to_string(), found.shape().to_string());
  }
  return {};
}

std::ptrdiff_t count_nonfinite(const Tensor& tensor) {
  std::ptrdiff_t count = 0;
  if (tensor.dtype() == DType::kF32)
    count = std::ranges::count_if(tensor.as<float>(), [](float v) { return !std::isfinite(v); });
  if (tensor.dtype() == DType::kF64)
    count = std::ranges::count_if(tensor.as<double>(), [](double v) { return !std::isfinite(v); });
  return count;
}

class RunCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("MODEL", model_, "ONNX file")->required();
    app.add_option("--inputs", inputs_, "Arrays by input name (.npz), or the only input (.npy)")
        ->required()
        ->type_name("FILE");
    app.add_option("--outputs", outputs_, "Where the outputs go: .npz, or .npy for a model with one output")
        ->required()
        ->type_name("FILE");
    common_.declare_output(app);
    common_.declare_engine(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), std::nullopt);
    TERN_ASSIGN_OR_RETURN(const TaskOptions options, common_.task_options());
    TERN_ASSIGN_OR_RETURN(const Model model, Model::from_file(model_));
    TERN_RETURN_IF_ERROR(check_outputs(model));
    TERN_ASSIGN_OR_RETURN(const NamedTensors inputs, read_inputs(model));
    TERN_ASSIGN_OR_RETURN(const InferenceRuntime::Handle handle,
                          open_engine(model, inputs, options, environment, console));
    TERN_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine, options.runtime->engine(handle));
    std::vector<TensorView> views;
    for (const TensorSpec& input : engine->inputs())
      views.push_back(inputs.at(input.name).view());
    WaitOptions wait;
    wait.stop = environment.stop;
    std::vector<Tensor> tensors;
    const auto start = std::chrono::steady_clock::now();
    TERN_RETURN_IF_ERROR(options.runtime->infer(handle, views, tensors, wait));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    TERN_ASSIGN_OR_RETURN(engine, options.runtime->engine(handle));  // a fault may have brought another backend
    NamedTensors outputs;
    std::vector<std::vector<std::string>> rows{{"output", "type", "shape"}};
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const std::string& name = engine->outputs()[i].name;
      Tensor& output = tensors[i];
      if (const std::ptrdiff_t bad = count_nonfinite(output); bad > 0) {
        console.warn(fmt::format("output '{}' has {} NaN or infinite values", name, bad));
      }
      rows.push_back({name, std::string(to_string(output.dtype())), output.shape().to_string()});
      outputs.emplace(name, std::move(output));
    }
    TERN_RETURN_IF_ERROR(write_arrays(outputs_, outputs));
    console.print(format_table(rows));
    console.print(fmt::format("\n{:.2f} ms on {} {} ({} threads), engine {}; wrote {}", took.count(), engine->backend(),
                              to_string(engine->precision()), engine->threads(), engine->id(), outputs_));
    return {};
  }

 private:
  Status check_outputs(const Model& model) const {
    const std::string extension = std::filesystem::path(outputs_).extension().string();
    if (extension != ".npz" && extension != ".npy") {
      return make_error(StatusCode::kConfigError, "--outputs {}: the name ends in neither .npz nor .npy", outputs_);
    }
    if (extension == ".npy" && model.outputs().size() != 1) {
      return make_error(StatusCode::kConfigError, "--outputs {}: the model has {} outputs ({}), an .npy file holds one",
                        outputs_, model.outputs().size(), list_names(model.outputs()))
          .with_hint("write an .npz file");
    }
    return {};
  }

  // The arrays under the names of the model's inputs, every one of them right.
  Result<NamedTensors> read_inputs(const Model& model) const {
    TERN_ASSIGN_OR_RETURN(NamedTensors arrays, read_arrays(inputs_));
    if (arrays.size() == 1 && arrays.begin()->first.empty()) {
      if (model.inputs().size() != 1) {
        return make_error(StatusCode::kInputError, "the model has {} inputs ({}), an .npy file holds one",
                          model.inputs().size(), list_names(model.inputs()))
            .at(inputs_)
            .with_hint("numpy.savez(path, **{name: array})");
      }
      auto node = arrays.extract("");
      node.key() = model.inputs().front().name;
      arrays.insert(std::move(node));
    }
    for (const ValueInfo& input : model.inputs()) {
      const auto found = arrays.find(input.name);
      if (found == arrays.end()) {
        return make_error(StatusCode::kInputError, "there is no array for input '{}'", input.name)
            .at(inputs_)
            .with_hint(fmt::format("the model takes {}", list_names(model.inputs())));
      }
      if (const Status status = check_input(input, found->second); !status.ok()) return status.at(inputs_);
    }
    for (const auto& [name, tensor] : arrays) {
      const auto same = [&](const ValueInfo& input) { return input.name == name; };
      if (std::ranges::none_of(model.inputs(), same)) {
        return make_error(StatusCode::kInputError, "the model has no input '{}'", name)
            .at(inputs_)
            .with_hint(fmt::format("the model takes {}", list_names(model.inputs())));
      }
    }
    return arrays;
  }

  // Built for the very shapes that came.
  static Result<InferenceRuntime::Handle> open_engine(const Model& model, const NamedTensors& inputs,
                                                      const TaskOptions& options, const Environment& environment,
                                                      const Console& console) {
    BuildConfig config = options.build;
    config.precision = options.precision;
    config.threads = options.threads;
    config.hint = options.hint;
    config.isolation = options.isolation;
    config.timeout = options.build_timeout;
    for (const ValueInfo& input : model.inputs()) {
      const Shape& shape = inputs.at(input.name).shape();
      if (!input.shape.is_static()) config.profiles.push_back({input.name, shape, shape, shape});
    }
    CompileOptions compile;
    compile.backend = options.backend;
    compile.allow_build = options.allow_build;
    compile.progress = compile_progress(std::make_shared<ProgressBar>(console));
    compile.stop = environment.stop;
    EngineOptions load;
    load.load = {.threads = options.threads, .hint = options.hint, .device = config.device, .logger = options.logger};
    return options.runtime->open(model, config, compile, load);
  }

  std::string model_, inputs_, outputs_;
  CommonOptions common_;
};

}  // namespace

const CommandInfo kRunCommand{"run", "Run a model on raw arrays, without pre- and postprocessing",
                              "  tern run overhead-detect.onnx --inputs images.npy --outputs out.npz\n"
                              "  python3 -c \"import numpy; numpy.savez('in.npz', images=numpy.zeros((1, 3, 640, 640), "
                              "'f4'))\"",
                              make_command<RunCommand>};

}  // namespace tern
