// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "options.h"
#include "result_json.h"
#include "tern/contract.h"
#include "tern/gate.h"
#include "tern/inspect.h"
#include "tern/model.h"
#include "tern/runtime.h"
#include "text_output.h"

namespace tern {
namespace {

std::string dimensions(const ValueInfo& value) {
  std::string text;
  for (std::size_t i = 0; i < value.shape.rank(); ++i) {
    const bool open = value.shape[i] == Shape::kDynamic;
    const std::string symbol = i < value.symbols.size() ? value.symbols[i] : std::string();
    text += fmt::format("{}{}", i > 0 ? " x " : "",
                        open ? (symbol.empty() ? "?" : symbol) : std::to_string(value.shape[i]));
  }
  return text.empty() ? "scalar" : text;
}

std::string origin_text(const FieldOrigin& origin) {
  const std::string source(to_string(origin.source));
  return origin.detail.empty() ? source : origin.detail;
}

// {"input": {"color": "rgb"}} as ("input.color", "rgb") rows.
void flatten(const Json& json, const std::string& prefix, std::vector<std::pair<std::string, std::string>>& rows) {
  for (const auto& [key, value] : json.items()) {
    const std::string path = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object()) {
      flatten(value, path, rows);
    } else {
      rows.emplace_back(path, value.is_string() ? value.get<std::string>() : to_line(value));
    }
  }
}

class InspectCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("MODEL", model_, "ONNX file, or a stored engine (X.engine)")->required();
    app.add_option("--backend", backend_,
                   "Compile the model on this backend too, and show what runs its nodes and in which precision")
        ->type_name("NAME")
        ->group("Engine");
    app.add_option("--json", json_, "Write it as JSON; - is standard output")->type_name("FILE")->group("Output");
    common_.declare_output(app);
    common_.declare_contract(app);
    common_.declare_thresholds(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    if (std::filesystem::path(model_).extension() == ".engine") return show_engine(console);
    TERN_ASSIGN_OR_RETURN(const Contract::Overrides overrides, common_.overrides());
    TERN_ASSIGN_OR_RETURN(const Model model, Model::from_file(model_));
    std::optional<std::filesystem::path> file;
    if (common_.contract_file()) file = *common_.contract_file();
    // A model without a contract is still a model: what is known of it is printed before the failure.
    const Result<Contract> contract = Contract::resolve(model, file, overrides);
    print_model(console, model);
    if (contract.ok()) print_contract(console, *contract);
    if (backend_) TERN_RETURN_IF_ERROR(print_placement(console, model, contract, environment.stop));
    if (json_) {
      TERN_RETURN_IF_ERROR(TextOutput::write(*json_, inspect_json(model, contract.ok() ? &*contract : nullptr)));
    }
    return contract.status();
  }

 private:
  static void print_model(const Console& console, const Model& model) {
    console.print(fmt::format("{}: opset {}, IR {}, made by {}", model.path().string(), model.opset(),
                              model.ir_version(), model.producer().empty() ? "unknown" : model.producer()));
    console.print(fmt::format("sha256 {}", model.content_hash()));
    std::vector<std::vector<std::string>> rows{{"", "name", "type", "shape"}};
    for (const ValueInfo& value : model.inputs())
      rows.push_back({"input", value.name, std::string(to_string(value.dtype)), dimensions(value)});
    for (const ValueInfo& value : model.outputs())
      rows.push_back({"output", value.name, std::string(to_string(value.dtype)), dimensions(value)});
    console.print("\n" + format_table(rows) + "\n");
    std::string ops;
    std::size_t nodes = 0;
    for (const auto& [op, count] : model.op_counts()) {
      ops += fmt::format("{}{} {}", ops.empty() ? "" : ", ", count, op);
      nodes += count;
    }
    console.print(fmt::format("{:.2f} million parameters in {} tensors",
                              static_cast<double>(model.parameter_count()) / 1e6, model.initializers().size()));
    console.print(fmt::format("{} nodes: {}", nodes, ops));
  }

  static std::string counts(const std::map<std::string, int>& numbers) {
    std::string text;
    for (const auto& [name, count] : numbers)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
    return text.empty() ? "the backend does not tell" : text;
  }

  Status print_placement(const Console& console, const Model& model, const Result<Contract>& contract,
                         std::stop_token stop) const {
    TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Backend> backend, BackendRegistry::load().find(*backend_));
    BuildConfig config;
    config.max_batch = 1;
    if (contract.ok()) config = with_task_profile(config, model, *contract);
    TERN_ASSIGN_OR_RETURN(const EngineBlob blob, backend->compile(model, config, {}, std::move(stop)));
    console.print(fmt::format("\n{} {}, {}", blob.backend, blob.backend_version, to_string(blob.precision)));
    console.print("layers by precision  " + counts(blob.layers));
    console.print("nodes by provider    " + counts(blob.providers));
    return {};
  }

  Status show_engine(const Console& console) const {
    if (json_) {
      return Status(StatusCode::kConfigError, "an engine's manifest is JSON already")
          .at("--json")
          .with_hint("read " + EngineEntry{model_}.manifest().string());
    }
    TERN_ASSIGN_OR_RETURN(const GatedEngine gated, gate_files(EngineEntry{model_}));
    const EngineManifest& manifest = gated.manifest;
    std::vector<std::vector<std::string>> rows{{"engine", manifest.name}};
    rows.push_back(
        {"made by", fmt::format("{} {}, {}", manifest.backend, manifest.backend_version, manifest.built_at)});
    rows.push_back({"precision", std::string(to_string(manifest.precision))});
    rows.push_back({"layers", counts(manifest.layers)});
    for (const TensorSpec& spec : manifest.inputs)
      rows.push_back({"input", fmt::format("{} {} {}", spec.name, to_string(spec.dtype), spec.shape.to_string())});
    for (const TensorSpec& spec : manifest.outputs)
      rows.push_back({"output", fmt::format("{} {} {}", spec.name, to_string(spec.dtype), spec.shape.to_string())});
    rows.push_back({"golden", manifest.golden.frames == 0
                                  ? std::string("no frames")
                                  : fmt::format("{} frames of {}, {}", manifest.golden.frames, manifest.golden.source,
                                                manifest.golden.independent ? "reference " + manifest.golden.reference
                                                                            : "integrity only")});
    rows.push_back({"chosen", manifest.choice ? manifest.choice->to_string() : "by name, or nothing to choose from"});
    for (const auto& [field, value] : manifest.key.fields)
      rows.push_back({"key " + field, value});
    console.print(format_table(rows));
    return {};
  }

  static void print_contract(const Console& console, const Contract& contract) {
    std::vector<std::pair<std::string, std::string>> fields;
    flatten(Json::parse(contract.to_json()), "", fields);
    std::vector<std::vector<std::string>> rows{{"contract", "value", "from"}};
    for (const auto& [path, value] : fields) {
      const auto origin = contract.origins.find(path);
      rows.push_back({path, value, origin == contract.origins.end() ? "" : origin_text(origin->second)});
    }
    console.print("\n" + format_table(rows));
    console.print(fmt::format("contract hash {}", contract.hash()));
  }

  std::string model_;
  std::optional<std::string> backend_, json_;
  CommonOptions common_;
};

}  // namespace

const CommandInfo kInspectCommand{
    "inspect", "Show a model's inputs, outputs and operators, and the contract in force with the origin of each field",
    "  tern inspect overhead-detect.onnx\n"
    "  tern inspect overhead-detect.onnx --json - | jq .contract.input\n"
    "  tern inspect overhead-detect.onnx --backend onnxruntime\n"
    "  tern inspect ~/.cache/tern/engines/*/overhead-detect*.engine",
    make_command<InspectCommand>};

}  // namespace tern
