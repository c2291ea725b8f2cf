// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The JSON form of contracts, its hash and its published schema.
#include <filesystem>
#include <regex>
#include <set>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "json_schema.h"
#include "model/contract_fields.h"
#include "tern/contract.h"
#include "tern/model.h"

namespace tern {
namespace {

using nlohmann::json;
using test::valid;
using ::testing::HasSubstr;

const std::filesystem::path kSource = TERN_SOURCE_DIR;

Contract random_contract(std::uint32_t& state) {
  const auto random = [&](int below) {
    state = state * 1664525 + 1013904223;
    return static_cast<int>((state >> 8) % static_cast<std::uint32_t>(below));
  };
  const auto real = [&] { return (random(1 << 20) + 1) / 1048576.0; };
  Contract c;
  c.output.kind = static_cast<OutputKind>(random(4));
  const bool detector = c.output.kind == OutputKind::kYolo || c.output.kind == OutputKind::kEnd2End;
  c.task = detector ? Task::kDetect : c.output.kind == OutputKind::kSegmentation ? Task::kSegment : Task::kClassify;
  c.input.tensor = "in" + std::to_string(random(10));
  c.output.tensor = "ö" + std::to_string(random(10));
  c.input.width = random(2000);
  c.input.height = random(2000);
  c.input.resize = static_cast<ResizeRule>(random(4));
  c.input.pad_side = static_cast<PadSide>(random(2));
  c.input.rounding = static_cast<Rounding>(random(3));
  c.input.interpolation = static_cast<Interpolation>(random(3));
  c.input.color = static_cast<ColorOrder>(random(3));
  c.input.layout = static_cast<TensorLayout>(random(2));
  c.input.dtype = std::array{DType::kF32, DType::kF16, DType::kU8}[static_cast<std::size_t>(random(3))];
  c.input.scale = real();
  for (int i = 0; i < c.input.color_channels(); ++i) {
    c.input.mean[static_cast<std::size_t>(i)] = real() * c.input.scale * 255;
    c.input.std[static_cast<std::size_t>(i)] = real();
  }
  c.input.mask_channel = c.task == Task::kClassify && random(2) == 1;
  c.output.classes = 2 + random(5);
  for (int i = 0; i < c.output.classes; ++i)
    c.output.names.push_back("name \"" + std::to_string(random(1000)) + "\"");
  c.output.logits = !detector && random(2) == 1;
  c.output.score_threshold = static_cast<float>(real());
  c.output.nms_iou = static_cast<float>(real());
  c.output.class_aware_nms = random(2) == 1;
  c.output.max_detections = 1 + random(1000);
  c.output.return_to_input_size = random(2) == 1;
  return c;
}

TEST(ContractJson, RoundTripsExactly) {
  std::uint32_t state = 3;
  for (int round = 0; round < 500; ++round) {
    const Contract c = random_contract(state);
    const Contract again = Contract::from_json(c.to_json(), "test").value();
    EXPECT_EQ(again.to_json(), c.to_json());
    EXPECT_EQ(again.hash(), c.hash());
    EXPECT_EQ(again.input.scale, c.input.scale);
    EXPECT_EQ(again.output.score_threshold, c.output.score_threshold);
    EXPECT_EQ(again.origins.size(), contract_fields().size());
  }
}

TEST(ContractJson, IsCanonical) {
  Contract c;
  c.input.tensor = "images";
  c.output = {.tensor = "out", .classes = 1, .names = {"a"}, .score_threshold = 0.3F};
  c.input.mean[0] = -0.0;
  EXPECT_EQ(Contract::from_json(c.to_json(), "t").value().to_json(),
            R"({"input":{"color":"rgb","dtype":"f32","height":0,"interpolation":"bilinear","layout":"nchw",)"
            R"("mask_channel":false,"max_side":0,"mean":[0.0,0.0,0.0,0.0],"min_side":1,"pad_side":"center",)"
            R"("pad_value":114,"resize":"letterbox","rounding":"round","scale":0.00392156862745098,)"
            R"("std":[1.0,1.0,1.0,1.0],"tensor":"images","width":0},"output":{"class_aware_nms":true,"classes":1,)"
            R"("kind":"yolo","logits":false,"max_detections":300,"names":["a"],"nms_iou":0.45,)"
            R"("return_to_input_size":true,"score_threshold":0.3,"tensor":"out"},"task":"detect"})");
}

TEST(ContractJson, EveryFieldChangesTheHash) {
  Contract c;
  c.input.tensor = "images";
  c.output = {.tensor = "out", .classes = 2, .names = {"a", "b"}};
  const json other = json::parse(R"({"task": "segment", "input": {"tensor": "x", "width": 1, "height": 1, "min_side": 2,
    "max_side": 9, "resize": "none", "pad_value": 0, "pad_side": "bottom_right", "rounding": "ceil",
    "interpolation": "area", "color": "bgr", "scale": 1, "mean": [1], "std": [2], "layout": "nhwc", "dtype": "f16",
    "mask_channel": true}, "output": {"tensor": "x", "kind": "end2end", "classes": 3, "names": ["c"], "logits": true,
    "score_threshold": 0.5, "nms_iou": 0.5, "class_aware_nms": false, "max_detections": 5,
    "return_to_input_size": false}})");
  std::set<std::string> hashes{c.hash()};
  for (const ContractField& field : contract_fields()) {
    Contract changed = c;
    const std::string pointer = "/" + std::regex_replace(std::string(field.path), std::regex("\\."), "/");
    ASSERT_TRUE(field.read(other.at(json::json_pointer(pointer)), changed).ok()) << field.path;
    EXPECT_TRUE(hashes.insert(changed.hash()).second) << field.path;
  }
}

TEST(ContractJson, WholeContractsNeedEveryField) {
  Contract c;
  c.input.tensor = "images";
  c.output = {.tensor = "out", .classes = 1, .names = {"a"}};
  const json whole = json::parse(c.to_json());
  for (const ContractField& field : contract_fields()) {
    json less = whole;
    const std::size_t dot = field.path.find('.');
    if (dot == std::string_view::npos) {
      less.erase(std::string(field.path));
    } else {
      less[std::string(field.path.substr(0, dot))].erase(std::string(field.path.substr(dot + 1)));
    }
    const Status status = Contract::from_json(less.dump(), "manifest").status();
    EXPECT_EQ(status.code(), StatusCode::kContractError);
    EXPECT_THAT(status.to_string(), HasSubstr("manifest: the field '" + std::string(field.path) + "' is missing"));
  }
  json wrong = whole;
  wrong["output"]["classes"] = 2;
  EXPECT_THAT(Contract::from_json(wrong.dump(), "manifest").status().to_string(), HasSubstr("1 names"));
}

json schema() {
  return json::parse(read_text_file(kSource / "docs/schemas/model.tern.schema.json", 1 << 20).value());
}

// Whether the parser takes each field of the file on its own.
bool parses(const json& file) {
  const auto given = read_contract_json(file.dump(), {});
  if (!given.ok()) return false;
  Contract scratch;
  for (const auto& [path, value] : given.value()) {
    if (!find_contract_field(path)->read(value.value, scratch).ok()) return false;
  }
  return true;
}

TEST(ContractSchema, ListsTheFieldsOfTheParser) {
  const json s = schema();
  std::set<std::string> in_schema{"task"};
  for (const char* section : {"input", "output"}) {
    for (const auto& [name, rule] : s["properties"][section]["properties"].items()) {
      in_schema.insert(std::string(section) + "." + name);
      EXPECT_TRUE(rule.contains("description")) << name;
    }
  }
  std::set<std::string> in_parser;
  for (const std::string_view path : contract_paths())
    in_parser.emplace(path);
  EXPECT_EQ(in_schema, in_parser);
}

TEST(ContractSchema, JudgesLikeTheParser) {
  const json s = schema();
  const json candidates = json::parse(R"(["x", "", 0, 1, -1, 0.5, 1.5, 255, 256, 640, 640.0, 32768, 32769, 65536, 65537,
    10000, 10001, 1e6, 1000001, -1e6, 1e300, true, false, null, [], [0], [1], [0.5, 1, 2], [1, 2, 3, 4], [1, 2, 3, 4, 5],
    [1e7], [-1e7], ["a"], [""], ["a", 1], [null], {}, "1/255", "0.5", "1//2", "1e", "1/", "/2", ".5/2.e1", "inf", "rgb", "bgr", "gray", "RGB", "letterbox",
    "stretch", "none", "center_crop", "center", "bottom_right", "round", "floor", "ceil", "bilinear", "nearest", "area",
    "nchw", "nhwc", "f32", "f16", "u8", "i8", "detect", "segment", "classify", "pose", "yolo", "end2end", "segmentation",
    "classification"])");
  int accepted = 0;
  const auto compare = [&](const json& file) {
    const bool ok = parses(file);
    EXPECT_EQ(valid(s, file), ok) << file.dump();
    accepted += ok ? 1 : 0;
  };
  for (const json& value : candidates) {
    compare({{"task", value}});
    compare({{"unknown", value}});
    compare({{"input", value}});
    for (const char* section : {"input", "output"}) {
      for (const auto& [name, rule] : s["properties"][section]["properties"].items())
        compare({{section, {{name, value}}}});
      compare({{section, {{"unknown", value}}}});
    }
  }
  EXPECT_GT(accepted, 150);
}

TEST(ContractSchema, ExamplesInTheDocumentationAreValid) {
  const std::string page = read_text_file(kSource / "docs/contract.md", 1 << 20).value();
  const std::size_t begin = page.find("```json\n") + 8;
  const json example = json::parse(page.substr(begin, page.find("```", begin) - begin));
  EXPECT_TRUE(valid(schema(), example));
  EXPECT_TRUE(parses(example));
  const Model model = Model::from_file(kSource / "models/overhead-detect.onnx").value();
  const auto path = std::filesystem::temp_directory_path() / ("tern-example-" + std::to_string(::getpid()) + ".json");
  ASSERT_TRUE(write_file(path, example.dump()).ok());
  EXPECT_TRUE(Contract::resolve(model, path).ok());
  std::filesystem::remove(path);
  // Every field is explained.
  for (const std::string_view field : contract_paths()) {
    EXPECT_THAT(page, HasSubstr("`" + std::string(field.substr(field.find('.') + 1)) + "`")) << field;
  }
}

}  // namespace
}  // namespace tern
