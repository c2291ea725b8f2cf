// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What the builder is told of a calibration: nothing that is not trusted, and the cache in the words of the TensorRT that runs.
#include "calibration.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibration_files.h"
#include "calibrator.h"
#include "graph_edit.h"
#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

using test::CalibrationFolder;
using test::convolutions;
using ::testing::HasSubstr;
using Ranges = PrecisionMeans::Ranges;

constexpr std::int32_t kVersion = 100600;

Result<Calibration> read(const Model& model, const std::string& file) {
  BuildConfig config;
  config.calibration = file;
  return read_calibration(model, config, kVersion);
}

TEST(ReadCalibration, no_calibration_is_none) {
  EXPECT_EQ(read(convolutions(), "")->source, Ranges::kNone);
}

TEST(ReadCalibration, a_cache_gets_the_header_of_the_tensorrt_that_runs_and_keeps_the_bits_of_its_scales) {
  const Model model = convolutions();
  const CalibrationFolder folder;
  folder.write(model);
  const std::string before = CalibrationFolder::text_of(folder.cache());
  const Calibration calibration = read(model, folder.cache()).value();
  EXPECT_EQ(calibration.source, Ranges::kCache);
  EXPECT_THAT(before, ::testing::StartsWith("TRT-8601-EntropyCalibration2\n"));
  EXPECT_THAT(calibration.cache, ::testing::StartsWith("TRT-100600-EntropyCalibration2\n"));
  EXPECT_EQ(calibration.cache.substr(calibration.cache.find('\n')), before.substr(before.find('\n')));
  EXPECT_EQ(CalibrationFolder::text_of(folder.cache()), before) << "the file is left as it is";
  ASSERT_EQ(calibration.notes.size(), 2U);
  EXPECT_THAT(calibration.notes[1],
              HasSubstr("TRT-8601-EntropyCalibration2 was read as TRT-100600-EntropyCalibration2"));
  EXPECT_EQ(calibration.ranges.size(), plan_quantization(model)->tensors.size());
}

// TensorRT 10.6 found no kernel for the first convolution whose activation had no scale.
TEST(ReadCalibration, tensors_between_those_of_the_cache_get_the_scales_that_follow) {
  test::OnnxBuilder b;
  b.weights("w0", {8, 3, 3, 3}, 0.04F).weights("w1", {8, 8, 3, 3}, 0.007F).weights("w2", {8, 16, 1, 1}, 0.01F);
  b.weights("w3", {8, 8, 1, 1}, 0.01F).input("x", {1, 3, 32, 32});
  b.node("Conv", {"x", "w0"}, {"a"}).node("Relu", {"a"}, {"a_relu"});
  b.node("Conv", {"a_relu", "w1"}, {"b"}).node("Relu", {"b"}, {"b_relu"});
  b.node("MaxPool", {"a_relu"}, {"pooled"}).attribute("kernel_shape", {std::int64_t{3}, std::int64_t{3}});
  b.node("Concat", {"pooled", "b_relu"}, {"both"}).attribute("axis", std::int64_t{1});
  b.node("Conv", {"both", "w2"}, {"c"}).node("Conv", {"c", "w3"}, {"y"}).output("y", {1, 8, 28, 28});
  const Model model = Model::from_bytes(b.bytes(), "convolutions").value();
  const CalibrationFolder folder;
  folder.write(model);
  const Calibration calibration = read(model, folder.cache()).value();
  const auto cache = TensorrtCache::parse(calibration.cache, "cache").value();
  ASSERT_EQ(TensorrtCache::from_file(folder.cache())->find("pooled"), nullptr);
  ASSERT_NE(cache.find("pooled"), nullptr);
  EXPECT_EQ(*cache.find("pooled"), *cache.find("a_relu"));
  EXPECT_EQ(cache.find("b_relu"), nullptr) << "nothing is known of what it is made from";
  EXPECT_FALSE(calibration.ranges.contains("pooled")) << "Q/DQ pairs stand where the plan says";
  EXPECT_THAT(calibration.notes.back(), HasSubstr("1 more tensors"));
}

TEST(ReadCalibration, a_passport_gives_ranges_alone) {
  const Model model = convolutions();
  const CalibrationFolder folder;
  folder.write(model);
  const Calibration calibration = read(model, folder.passport()).value();
  EXPECT_EQ(calibration.source, Ranges::kPassport);
  EXPECT_TRUE(calibration.cache.empty());
  EXPECT_FLOAT_EQ(calibration.ranges.at("x"), 2.0F);
}

TEST(ReadCalibration, less_than_95_percent_of_the_tensors_is_refused_with_the_missing_ones) {
  const Model model = convolutions();
  const CalibrationFolder folder;
  folder.write(model, 1);
  for (const std::string& file : {folder.cache(), folder.passport()}) {
    const Status status = read(model, file).status();
    EXPECT_EQ(status.code(), StatusCode::kCalibrationCacheError) << status.to_string();
    EXPECT_THAT(status.message(), HasSubstr("tensors that int8 needs one for"));
    EXPECT_FALSE(status.hint().empty());
  }
  EXPECT_THAT(read(model, folder.cache()).status().message(), HasSubstr("'x'"));
}

TEST(ReadCalibration, what_is_not_trusted_is_refused) {
  const Model model = convolutions();
  const CalibrationFolder folder;
  folder.write(model);
  test::OnnxBuilder b;
  b.weights("w0", {16, 3, 3, 3}, 0.05F).input("x", {1, 3, 32, 32}).node("Conv", {"x", "w0"}, {"y"});
  b.output("y", {1, 16, 30, 30});
  const Model other = Model::from_bytes(b.bytes(), "convolutions").value();
  EXPECT_EQ(read(other, folder.cache()).status().code(), StatusCode::kCalibrationCacheError) << "of another model";
  std::string text = CalibrationFolder::text_of(folder.cache());
  text.back() == '\n' ? text[text.size() - 2] ^= 1 : text.back() ^= 1;
  std::ofstream(folder.cache(), std::ios::binary) << text;
  EXPECT_EQ(read(model, folder.cache()).status().code(), StatusCode::kCalibrationCacheError)
      << "not what its sidecar says";
  std::filesystem::remove(folder.cache() + ".sha256");
  EXPECT_EQ(read(model, folder.cache()).status().code(), StatusCode::kCalibrationCacheError) << "a bare cache";
  EXPECT_FALSE(read(model, "/nonexistent/a.calib.json").ok());
  EXPECT_EQ(read(model, "model.onnx").status().code(), StatusCode::kConfigError);
}

TEST(EditGraph, gives_tensorrt_what_the_plan_says) {
  const Model model = convolutions();
  const CalibrationFolder folder;
  folder.write(model);
  const TensorRanges ranges = read(model, folder.passport())->ranges;
  const auto ops = [&](const PrecisionPlan& plan) {
    const auto counts = edit_graph(model, plan, ranges).value().op_counts();
    return std::map<std::string, std::size_t>(counts.begin(), counts.end());
  };
  EXPECT_EQ(ops({}).size(), model.op_counts().size());
  const auto quantised = ops({.precision = Precision::kI8, .insert_qdq = true});
  EXPECT_GT(quantised.at("QuantizeLinear"), 0U);
  EXPECT_FALSE(quantised.contains("Cast"));
  const auto both = ops({.precision = Precision::kMixed, .insert_qdq = true, .convert_to_f16 = true});
  EXPECT_GT(both.at("QuantizeLinear"), 0U);
  const Model half = edit_graph(model, {.precision = Precision::kF16, .convert_to_f16 = true}, {}).value();
  EXPECT_TRUE(std::ranges::any_of(half.initializers(), [](const auto& info) { return info.dtype == DType::kF16; }));
  EXPECT_EQ(half.inputs()[0].dtype, DType::kF32) << "inputs keep their type";
}

TEST(CacheCalibrator, answers_from_the_cache_and_notes_every_request_for_images) {
  const auto calibrator = CacheCalibrator::create("TRT-100600-EntropyCalibration2\nx: 3c010a14\n");
  if (compat::kMajor >= 11) {
    EXPECT_EQ(calibrator, nullptr);
    return;
  }
#if TERN_TENSORRT_MAJOR == 10
  auto& as_tensorrt = dynamic_cast<nvinfer1::IInt8EntropyCalibrator2&>(*calibrator);
  std::size_t length = 0;
  const void* cache = as_tensorrt.readCalibrationCache(length);
  EXPECT_EQ(std::string(static_cast<const char*>(cache), length), "TRT-100600-EntropyCalibration2\nx: 3c010a14\n");
  EXPECT_EQ(as_tensorrt.getBatchSize(), 1);
  EXPECT_FALSE(calibrator->was_asked_for_images());
  as_tensorrt.writeCalibrationCache("junk", 4);
  EXPECT_EQ(as_tensorrt.readCalibrationCache(length), cache) << "what TensorRT would write is let go";
  void* bindings[1] = {nullptr};
  const char* names[1] = {"x"};
  EXPECT_FALSE(as_tensorrt.getBatch(bindings, names, 1));
  EXPECT_TRUE(calibrator->was_asked_for_images());
#endif
}

}  // namespace
}  // namespace tern::trt_backend
