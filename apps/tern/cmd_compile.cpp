// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include <CLI/CLI.hpp>

#include "base/byte_size.h"
#include "base/error.h"
#include "command.h"
#include "compile_request.h"
#include "golden_folder.h"
#include "result_json.h"
#include "text_output.h"

namespace tern {
namespace {

class CompileCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    request_.declare(app);
    app.add_option("-o,--output", output_, "Write the engine and its files into this folder instead of the store")
        ->type_name("DIR");
    app.add_option("--golden", golden_,
                   "Prove the engine with these images (labels, as tern eval takes them, are used too); default: noise")
        ->type_name("DIR");
    app.add_option("--json", json_, "Write what was built as JSON to FILE, or - for standard output")
        ->type_name("FILE");
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, request_.common().quiet(), json_);
    TERN_RETURN_IF_ERROR(request_.resolve());
    InferenceRuntime& runtime = *request_.options().runtime;
    CompileOptions options;
    options.backend = request_.options().backend;
    options.contract = request_.contract();
    options.allow_build = request_.options().allow_build;
    if (output_) options.output_dir = *output_;
    GoldenFolder golden;
    if (golden_) {
      if (request_.contract() == nullptr) {
        return Status(StatusCode::kConfigError, "golden images need a contract that says how they become the input")
            .at("--golden")
            .with_hint("tern inspect " + request_.model_file());
      }
      TERN_ASSIGN_OR_RETURN(golden, GoldenFolder::read(*golden_, *request_.contract()));
      options.golden = golden.images();
    }
    options.progress = compile_progress(std::make_shared<ProgressBar>(console));
    options.stop = environment.stop;
    const auto start = std::chrono::steady_clock::now();
    TERN_ASSIGN_OR_RETURN(const CompiledEngine compiled,
                          runtime.compile_engine(request_.model(), request_.config(), options));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    TERN_ASSIGN_OR_RETURN(const GatedEngine gated, gate_files(compiled.entry));
    return show(console, compiled, gated.manifest, took.count());
  }

 private:
  Status show(const Console& console, const CompiledEngine& compiled, const EngineManifest& manifest, double seconds) {
    const std::string proof =
        manifest.golden.frames == 0
            ? std::string("none")
            : fmt::format("{} frames of {}, {}", manifest.golden.frames, manifest.golden.source,
                          manifest.golden.independent ? "reference " + manifest.golden.reference : "integrity only");
    std::string layers;
    for (const auto& [precision, count] : manifest.layers)
      layers += fmt::format("{}{} {}", layers.empty() ? "" : ", ", count, precision);
    console.print(compiled.entry.engine.string());
    console.print(fmt::format("{} in {:.2f} s: {} {}, {}, {}", compiled.was_hit ? "found" : "built", seconds,
                              manifest.backend, manifest.backend_version, to_string(manifest.precision),
                              format_byte_size(manifest.size)));
    if (!layers.empty()) console.print("layers    " + layers);
    console.print("golden    " + proof);
    if (manifest.choice) console.print("chosen    " + manifest.choice->to_string());
    console.print("key       " + compiled.key.hash());
    if (!json_) return {};
    Json line;
    line["engine"] = compiled.entry.engine.string();
    line["hit"] = compiled.was_hit;
    line["seconds"] = rounded(seconds, 3);
    line["key"] = compiled.key.hash();
    line["backend"] = manifest.backend;
    line["backend_version"] = manifest.backend_version;
    line["precision"] = to_string(manifest.precision);
    line["bytes"] = manifest.size;
    line["layers"] = manifest.layers;
    line["golden"] = {{"frames", manifest.golden.frames},
                      {"source", manifest.golden.source},
                      {"reference", manifest.golden.reference},
                      {"independent", manifest.golden.independent}};
    return TextOutput::write(*json_, to_line(line));
  }

  CompileRequest request_;
  std::optional<std::string> output_, golden_, json_;
};

}  // namespace

const CommandInfo kCompileCommand{
    "compile", "Build an engine, prove it, and keep it in the store",
    "  tern compile overhead-detect.onnx\n"
    "  tern compile overhead-detect.onnx build.json --profile images=1x3x640x640:4x3x640x640:8x3x640x640\n"
    "  tern compile overhead-detect.onnx --golden data/validation --sign-key robot.key -o engines",
    [] { return std::unique_ptr<Command>(std::make_unique<CompileCommand>()); }};

}  // namespace tern
