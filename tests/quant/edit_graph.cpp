// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// edit_graph MODEL.onnx OUT.onnx EDIT...: applies edits in turn, for the tests that read the result with other tools. An EDIT is
//   fold | expose=T,T,... | plan=TARGET | quantize=TARGET | quantize_float_weights=TARGET | f16 |
//   exclude=NODE | reduce_range | share_scales | ranges=FILE.json
// where `ranges` ({"tensor": range}) `exclude`, `reduce_range` and `share_scales` hold for the edits behind them. Prints the plan as lines `layer NODE`,
// `float NODE: REASON`, `tensor NAME`, and `f32 NODE: REASON`.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tern/quantize.h"

namespace {

using namespace tern;

struct State {
  Model model;
  TensorRanges ranges{};
  std::vector<std::string> exclude{};
  bool share_scales = false, reduce_range = false;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return parts;
}

void print(const QuantizationPlan& plan) {
  for (const auto& layer : plan.layers)
    std::cout << "layer " << layer.node << '\n';
  for (const auto& layer : plan.float_layers)
    std::cout << "float " << layer.node << ": " << layer.reason << '\n';
  for (const auto& tensor : plan.tensors)
    std::cout << "tensor " << tensor << '\n';
}

QuantizeOptions options_of(const State& state, std::string_view target) {
  return {.target = parse_quant_target(target).value(),
          .exclude_nodes = state.exclude,
          .share_scales = state.share_scales,
          .reduce_range = state.reduce_range};
}

void quantize_as(State& state, std::string_view target, WeightStorage weights) {
  QuantizeOptions options = options_of(state, target);
  options.weights = weights;
  QuantizationSummary summary;
  state.model = quantize(state.model, state.ranges, options, &summary).value();
  print(summary.plan);
}

void apply(State& state, std::string_view edit) {
  const std::string_view name = edit.substr(0, edit.find('='));
  const std::string_view value = name.size() < edit.size() ? edit.substr(name.size() + 1) : std::string_view();
  if (name == "ranges") {
    std::ifstream file{std::string(value)};
    const nlohmann::json parsed = nlohmann::json::parse(file);
    state.ranges.clear();
    for (const auto& [tensor, range] : parsed.items())
      state.ranges.emplace(tensor, range.get<float>());
  } else if (name == "exclude") {
    state.exclude.emplace_back(value);
  } else if (name == "share_scales") {
    state.share_scales = true;
  } else if (name == "reduce_range") {
    state.reduce_range = true;
  } else if (name == "fold") {
    state.model = fold_batch_norm(state.model).value();
  } else if (name == "expose") {
    state.model = expose_tensors(state.model, value.empty() ? float_tensors(state.model) : split(value)).value();
  } else if (name == "plan") {
    print(plan_quantization(state.model, options_of(state, value)).value());
  } else if (name == "quantize") {
    quantize_as(state, value, WeightStorage::kInt8);
  } else if (name == "quantize_float_weights") {
    quantize_as(state, value, WeightStorage::kFloat);
  } else if (name == "f16") {
    F16Options options;
    options.ranges = state.ranges;
    options.exclude_nodes = state.exclude;
    F16Summary summary;
    state.model = convert_to_f16(state.model, options, &summary).value();
    std::cout << "f16 " << summary.f16_nodes << " casts " << summary.casts << '\n';
    for (const auto& node : summary.f32_nodes)
      std::cout << "f32 " << node.node << ": " << node.reason << '\n';
  } else {
    throw Error(Status(StatusCode::kConfigError, "no edit " + std::string(edit)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 3) throw Error(Status(StatusCode::kConfigError, "edit_graph MODEL.onnx OUT.onnx EDIT..."));
    State state{Model::from_file(argv[1]).value()};
    for (int i = 3; i < argc; ++i)
      apply(state, argv[i]);
    const auto bytes = state.model.self_contained_bytes().value();
    std::ofstream(argv[2], std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "edit_graph: %s\n", error.what());
    return error_class(error.status().code()).exit_code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "edit_graph: %s\n", error.what());
    return 1;
  }
}
