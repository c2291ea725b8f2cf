// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "options.h"
#include "result_json.h"
#include "tern/contract.h"
#include "tern/inspect.h"
#include "tern/model.h"
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
    app.add_option("MODEL", model_, "ONNX file")->required();
    app.add_option("--json", json_, "Write it as JSON; - is standard output")->type_name("FILE")->group("Output");
    common_.declare_output(app);
    common_.declare_contract(app);
    common_.declare_thresholds(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_ASSIGN_OR_RETURN(const Contract::Overrides overrides, common_.overrides());
    TERN_ASSIGN_OR_RETURN(const Model model, Model::from_file(model_));
    std::optional<std::filesystem::path> file;
    if (common_.contract_file()) file = *common_.contract_file();
    // A model without a contract is still a model: what is known of it is printed before the failure.
    const Result<Contract> contract = Contract::resolve(model, file, overrides);
    print_model(console, model);
    if (contract.ok()) print_contract(console, *contract);
    if (json_) {
      TERN_ASSIGN_OR_RETURN(TextOutput output, TextOutput::open(*json_));
      TERN_RETURN_IF_ERROR(output.write_line(inspect_json(model, contract.ok() ? &*contract : nullptr)));
      TERN_RETURN_IF_ERROR(output.commit());
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
  std::optional<std::string> json_;
  CommonOptions common_;
};

}  // namespace

const CommandInfo kInspectCommand{
    "inspect", "Show a model's inputs, outputs and operators, and the contract in force with the origin of each field",
    "  tern inspect overhead-detect.onnx\n"
    "  tern inspect overhead-detect.onnx --json - | jq .contract.input",
    make_command<InspectCommand>};

}  // namespace tern
