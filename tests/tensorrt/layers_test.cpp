// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "layers.h"

#include <gtest/gtest.h>

namespace tern::trt_backend {
namespace {

std::string layer(const std::string& type, const std::string& input, const std::string& output,
                  const std::string& name = "conv1") {
  return R"({"Name": ")" + name + R"(", "LayerType": ")" + type +
         R"(", "Inputs": [{"Name": "x", "Format/Datatype": ")" + input +
         R"("}], "Outputs": [{"Name": "y", "Format/Datatype": ")" + output + R"("}]})";
}

TEST(LayerPrecision, is_read_from_every_way_tensorrt_writes_a_format) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"Row major linear FP32", "f32"},
      {"Float", "f32"},
      {"Channel major FP16 format where channel % 8 == 0", "f16"},
      {"Half", "f16"},
      {"Row major linear BFloat16 format", "bf16"},
      {"BFloat16", "bf16"},
      {"Thirty-two wide channel vectorized row major Int8 format", "i8"},
      {"Channel major INT8 format where channel == 4 and column stride % 32 == 0", "i8"},
      {"Row major linear FP8 format", "fp8"},
      {"Int32", "other"},
      {"Row major linear UInt8 format", "other"},
      {"N/A due to dynamic shapes", "other"},
      {"", "other"}};
  for (const auto& [format, expected] : cases)
    EXPECT_EQ(layer_precision(layer("CaskConvolution", format, format)), expected) << format;
}

TEST(LayerPrecision, is_that_of_the_narrowest_input_else_of_the_output) {
  EXPECT_EQ(layer_precision(layer("CaskConvolution", "Int8", "Half")), "i8");
  EXPECT_EQ(layer_precision(layer("Quantize", "Float", "Int8")), "f32");
  EXPECT_EQ(layer_precision(layer("Gather", "Int32", "Half")), "f16");
}

TEST(LayerPrecision, layers_that_move_data_have_none) {
  for (const char* type : {"Reformat", "NoOp", "Constant", "Signal", "Wait", "Shuffle"})
    EXPECT_EQ(layer_precision(layer(type, "Float", "Half")), std::nullopt) << type;
}

TEST(LayerPrecision, a_fused_block_with_f32_around_it_may_hide_another) {
  EXPECT_EQ(layer_precision(layer("Myelin", "Float", "Float")), "fused");
  EXPECT_EQ(layer_precision(layer("kgen", "Float", "Float", "{ForeignNode[a...b]}")), "fused");
  EXPECT_EQ(layer_precision(layer("Myelin", "Half", "Float")), "f16");
}

TEST(LayerPrecision, anything_else_is_other_and_never_a_crash) {
  for (const char* text : {"", "null", "[]", "conv1", "{", "{}", R"({"Inputs": 1})", R"({"Inputs": [1, null, []]})",
                           R"({"Inputs": [{"Format/Datatype": 5}]})", R"({"LayerType": [], "Name": {}})"})
    EXPECT_EQ(layer_precision(text), "other") << text;
  const std::string whole = layer("CaskConvolution", "Half", "Half");
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(layer_precision(std::string_view(whole).substr(0, length)), "other") << length;
}

TEST(EnginePrecision, is_the_lowest_that_any_layer_got) {
  EXPECT_EQ(engine_precision({{"i8", 1}, {"f16", 5}, {"f32", 50}}), Precision::kI8);
  EXPECT_EQ(engine_precision({{"f16", 1}, {"f32", 50}, {"fused", 1}}), Precision::kF16);
  EXPECT_EQ(engine_precision({{"bf16", 1}, {"f32", 50}}), Precision::kBF16);
  EXPECT_EQ(engine_precision({{"f32", 50}, {"other", 3}}), Precision::kF32);
}

TEST(EnginePrecision, is_unknown_where_it_cannot_be_told) {
  EXPECT_EQ(engine_precision({}), std::nullopt);
  EXPECT_EQ(engine_precision({{"other", 3}}), std::nullopt);
  EXPECT_EQ(engine_precision({{"f32", 3}, {"fused", 1}}), std::nullopt);
}

TEST(BuiltPrecision, is_what_the_layers_show) {
  EXPECT_EQ(built_precision(Precision::kI8, {{"i8", 1}, {"f16", 5}, {"f32", 3}}), Precision::kI8);
  EXPECT_EQ(built_precision(Precision::kI8, {{"f16", 5}, {"f32", 3}}), Precision::kF16);
  EXPECT_EQ(built_precision(Precision::kF16, {{"f32", 3}}), Precision::kF32);
  EXPECT_EQ(built_precision(Precision::kF32, {{"f32", 3}}), Precision::kF32);
}

TEST(BuiltPrecision, is_what_was_asked_for_where_they_do_not_tell_but_for_i8) {
  EXPECT_EQ(built_precision(Precision::kF16, {{"f32", 3}, {"fused", 1}}), Precision::kF16);
  EXPECT_EQ(built_precision(Precision::kI8, {{"f32", 3}, {"fused", 1}}), Precision::kF32);
  EXPECT_EQ(built_precision(Precision::kI8, {}), Precision::kF32);
}

TEST(BuiltPrecision, mixed_is_anything_below_f32) {
  EXPECT_EQ(built_precision(Precision::kMixed, {{"i8", 1}, {"f16", 5}}), Precision::kMixed);
  EXPECT_EQ(built_precision(Precision::kMixed, {{"f16", 5}}), Precision::kMixed);
  EXPECT_EQ(built_precision(Precision::kMixed, {{"f32", 5}}), Precision::kF32);
}

// The build and each load of an engine see the same layers and must call them the same, or the load is refused.
TEST(BuiltPrecision, is_the_same_when_the_engine_is_loaded) {
  for (const Precision asked : {Precision::kF32, Precision::kF16, Precision::kI8, Precision::kMixed}) {
    for (const LayerPrecisions& layers : {LayerPrecisions{},
                                          {{"other", 2}},
                                          {{"fused", 1}, {"f32", 2}},
                                          {{"f32", 2}},
                                          {{"f16", 1}},
                                          {{"i8", 1}, {"f32", 2}}}) {
      const Precision built = built_precision(asked, layers);
      EXPECT_EQ(built_precision(built, layers), built)
          << to_string(asked) << ", " << layers.size() << " kinds of layers";
    }
  }
}

}  // namespace
}  // namespace tern::trt_backend
