// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Weights: stored data against type and shape, and data outside the ONNX file.
#include <filesystem>
#include <functional>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "model/model_rep.h"
#include "onnx_builder.h"
#include "tern/model.h"

namespace tern {
namespace {

using test::OnnxBuilder;
using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;
using Tensor = onnx::TensorProto;

OnnxBuilder with_tensor(const std::function<void(Tensor&)>& fill) {
  OnnxBuilder b;
  b.input("x", {1}).node("Relu", {"x"}, {"y"}).output("y", {1});
  Tensor& tensor = *b.graph().add_initializer();
  tensor.set_name("w");
  tensor.set_data_type(Tensor::FLOAT);
  fill(tensor);
  return b;
}

std::string refusal(const OnnxBuilder& builder) {
  const auto model = Model::from_bytes(builder.bytes(), "m");
  EXPECT_EQ(model.status().code(), StatusCode::kModelError) << model.status().to_string();
  return model.status().to_string();
}

TEST(ModelWeights, DataMustFitShapeAndType) {
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) {
                t.add_dims(3);
                t.set_raw_data(std::string(8, '\0'));
              })),
              AllOf(HasSubstr("initialiser 'w'"), HasSubstr("needs 12 bytes, but 8")));
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) {
                t.add_dims(3);
                t.add_float_data(1);
              })),
              HasSubstr("needs 3 values, but 1"));
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) { t.add_dims(3); })), HasSubstr("but 0"));
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) {
                t.add_dims(1);
                t.add_float_data(1);
                t.set_raw_data(std::string(4, '\0'));
              })),
              HasSubstr("stored twice"));
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) {
                t.add_dims(1);
                t.add_int64_data(1);
              })),
              HasSubstr("of another type"));
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) { t.add_dims(-1); })), HasSubstr("cannot have"));
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) {
                t.add_dims(std::int64_t{1} << 40);
                t.add_dims(std::int64_t{1} << 40);
              })),
              HasSubstr("fits no file"));
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) { t.set_data_type(0); })), HasSubstr("element type 0"));
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) { t.set_data_type(99); })), HasSubstr("newer ONNX"));
  EXPECT_THAT(refusal(with_tensor([](Tensor& t) { t.mutable_segment()->set_begin(0); })), HasSubstr("segments"));
}

TEST(ModelWeights, EveryTypeIsListed) {
  struct Case {
    int type;
    const char* name;
    std::optional<DType> dtype;
    std::size_t bytes_for_5;
  };
  const Case cases[] = {
      {1, "FLOAT", DType::kF32, 20},        {2, "UINT8", DType::kU8, 5},         {7, "INT64", DType::kI64, 40},
      {9, "BOOL", DType::kBool, 5},         {10, "FLOAT16", DType::kF16, 10},    {16, "BFLOAT16", DType::kBF16, 10},
      {15, "COMPLEX128", std::nullopt, 80}, {19, "FLOAT8E5M2", std::nullopt, 5}, {22, "INT4", std::nullopt, 3},
      {26, "INT2", std::nullopt, 2},        {27, "FLOAT6E2M3", std::nullopt, 4}};
  for (const Case& c : cases) {
    const Model model = Model::from_bytes(with_tensor([&](Tensor& t) {
                                            t.set_data_type(c.type);
                                            t.add_dims(5);
                                            t.set_raw_data(std::string(c.bytes_for_5, '\0'));
                                          }).bytes())
                            .value();
    const InitializerInfo& info = model.initializers().at(0);
    EXPECT_EQ(info.dtype_name, c.name);
    EXPECT_EQ(info.dtype, c.dtype);
    EXPECT_EQ(info.bytes, c.bytes_for_5);
    EXPECT_EQ(info.shape, Shape{5});
  }
  const Model text = Model::from_bytes(with_tensor([](Tensor& t) {
                                         t.set_data_type(Tensor::STRING);
                                         t.add_dims(2);
                                         t.add_string_data("ab");
                                         t.add_string_data("c");
                                       }).bytes())
                         .value();
  EXPECT_EQ(text.initializers().at(0).bytes, 3U);
  EXPECT_EQ(text.parameter_count(), 0U);
  const Model halves = Model::from_bytes(with_tensor([](Tensor& t) {
                                           t.set_data_type(Tensor::FLOAT16);
                                           t.add_dims(3);
                                           for (int i = 0; i < 3; ++i)
                                             t.add_int32_data(15360);
                                         }).bytes())
                           .value();
  EXPECT_EQ(halves.parameter_count(), 3U);
}

TEST(ModelWeights, TensorsInNodesAreChecked) {
  OnnxBuilder b = with_tensor([](Tensor& t) { t.add_dims(0); });
  b.node("Constant", {}, {"k"}, "const");
  auto* attribute = b.graph().mutable_node(1)->add_attribute();
  attribute->set_name("value");
  attribute->mutable_t()->set_data_type(Tensor::FLOAT);
  attribute->mutable_t()->add_dims(2);
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("node 'const' ('Constant')"), HasSubstr("'value'"), HasSubstr("but 0")));
  attribute->mutable_t()->set_raw_data(std::string(8, '\0'));
  EXPECT_TRUE(Model::from_bytes(b.bytes()).ok());
  attribute->mutable_sparse_tensor();
  EXPECT_THAT(refusal(b), HasSubstr("sparse"));
  OnnxBuilder sparse = with_tensor([](Tensor& t) { t.add_dims(0); });
  sparse.graph().add_sparse_initializer()->mutable_values()->set_name("sp");
  EXPECT_THAT(refusal(sparse), AllOf(HasSubstr("'sp'"), HasSubstr("sparse")));
}

// A model folder of its own for each test.
class ExternalWeights : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tern-model-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directory(root_ / "model");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const fs::path& path, std::string_view text) { ASSERT_TRUE(write_file(root_ / path, text).ok()); }

  static void refer(Tensor& tensor, const std::string& location, const std::string& offset = "",
                    const std::string& length = "") {
    tensor.set_data_location(Tensor::EXTERNAL);
    const auto add = [&](const std::string& key, const std::string& value) {
      auto* entry = tensor.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    };
    if (!location.empty()) add("location", location);
    if (!offset.empty()) add("offset", offset);
    if (!length.empty()) add("length", length);
  }

  // A model whose 'w' (two floats) lies at `location`.
  static OnnxBuilder referring(const std::string& location, const std::string& offset = "",
                               const std::string& length = "") {
    return with_tensor([&](Tensor& t) {
      t.add_dims(2);
      refer(t, location, offset, length);
    });
  }

  Result<Model> load(const OnnxBuilder& builder, const ModelLimits& limits = {}, const fs::path& name = "m.onnx") {
    const auto bytes = builder.bytes();
    EXPECT_TRUE(write_file(root_ / "model" / name, bytes).ok());
    return Model::from_file(root_ / "model" / name, limits);
  }
  std::string why(const OnnxBuilder& builder, const ModelLimits& limits = {}) {
    const auto model = load(builder, limits);
    EXPECT_EQ(model.status().code(), StatusCode::kModelError) << model.status().to_string();
    EXPECT_THAT(model.status().where(), AllOf(HasSubstr("m.onnx"), HasSubstr("initialiser 'w'")));
    return model.status().to_string();
  }

  fs::path root_;
  const std::string eight_ = "abcdefgh";
};

TEST_F(ExternalWeights, AreReadAndPutInside) {
  fs::create_directories(root_ / "model" / "sub");
  write("model/sub/w.bin", "0123" + eight_ + "tail");
  const Model model = load(referring("./sub//w.bin", "4", "8")).value();
  EXPECT_EQ(model.rep().proto.graph().initializer(0).raw_data(), eight_);
  EXPECT_TRUE(model.initializers()[0].external);
  EXPECT_EQ(model.initializers()[0].bytes, 8U);
  EXPECT_EQ(model.parameter_count(), 2U);
  // The bytes for backends need no file.
  const Model inside = Model::from_bytes(model.self_contained_bytes().value()).value();
  EXPECT_FALSE(inside.initializers()[0].external);
  EXPECT_EQ(inside.rep().proto.graph().initializer(0).raw_data(), eight_);
}

TEST_F(ExternalWeights, MayBeConstantsToo) {
  write("model/w.bin", eight_);
  OnnxBuilder b = with_tensor([](Tensor& t) { t.add_dims(0); });
  b.node("Constant", {}, {"k"});
  auto* attribute = b.graph().mutable_node(1)->add_attribute();
  attribute->set_name("value");
  attribute->mutable_t()->set_data_type(Tensor::FLOAT);
  attribute->mutable_t()->add_dims(2);
  refer(*attribute->mutable_t(), "w.bin");
  const Model model = load(b).value();
  EXPECT_EQ(model.rep().proto.graph().node(1).attribute(0).t().raw_data(), eight_);
}

TEST_F(ExternalWeights, StayInTheModelsFolder) {
  write("secret.bin", eight_);
  write("model/w.bin", eight_);
  EXPECT_THAT(why(referring("../secret.bin")), HasSubstr("leads out of the model's folder"));
  EXPECT_THAT(why(referring("sub/../../secret.bin")), HasSubstr("leads out of the model's folder"));
  EXPECT_THAT(why(referring("sub/../w.bin")), HasSubstr("leads out"));
  EXPECT_THAT(why(referring((root_ / "secret.bin").string())), HasSubstr("absolute"));
  EXPECT_THAT(why(referring(std::string("w.bin\0x", 7))), HasSubstr("zero byte"));
  EXPECT_THAT(why(referring("..")), HasSubstr("leads out"));
  EXPECT_THAT(why(referring(".")), HasSubstr("is no file"));
  EXPECT_THAT(why(referring(std::string(5000, 'a'))), HasSubstr("too long"));
  fs::create_symlink("../secret.bin", root_ / "model" / "link.bin");
  EXPECT_THAT(why(referring("link.bin")), HasSubstr("symbolic link"));
  fs::create_symlink("w.bin", root_ / "model" / "inner.bin");
  EXPECT_THAT(why(referring("inner.bin")), HasSubstr("symbolic link"));
  fs::create_directory_symlink("..", root_ / "model" / "up");
  EXPECT_THAT(why(referring("up/secret.bin")), HasSubstr("symbolic link"));
}

TEST_F(ExternalWeights, AreRegularFiles) {
  fs::create_directory(root_ / "model" / "folder");
  EXPECT_THAT(why(referring("folder")), HasSubstr("no regular file"));
  ASSERT_EQ(::mkfifo((root_ / "model" / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(why(referring("pipe")), HasSubstr("no regular file"));  // and does not wait for a writer
  EXPECT_THAT(why(referring("missing.bin")), AllOf(HasSubstr("missing.bin"), HasSubstr("beside the model")));
  write("model/w.bin", eight_);
  EXPECT_THAT(why(referring("w.bin/x")), HasSubstr("through a symbolic link or a file"));
}

TEST_F(ExternalWeights, RangesMustFit) {
  write("model/w.bin", eight_ + "xx");
  EXPECT_THAT(why(referring("w.bin", "4", "8")), AllOf(HasSubstr("has 10 bytes"), HasSubstr("from byte 4")));
  EXPECT_THAT(why(referring("w.bin", "11", "8")), HasSubstr("from byte 11"));
  EXPECT_THAT(why(referring("w.bin", "18446744073709551615", "8")), HasSubstr("from byte"));
  EXPECT_THAT(why(referring("w.bin", "0", "7")), HasSubstr("has 7 bytes, but shape and type need 8"));
  EXPECT_THAT(why(referring("w.bin")), HasSubstr("has 10 bytes from byte 0"));
  EXPECT_TRUE(load(referring("w.bin", "2")).ok());
  for (const char* bad : {"-1", "0x10", "1 ", "", "99999999999999999999"}) {
    OnnxBuilder b = referring("w.bin");
    auto* entry = b.graph().mutable_initializer(0)->add_external_data();
    entry->set_key("offset");
    entry->set_value(bad);
    EXPECT_THAT(why(b), HasSubstr("not a number of bytes")) << bad;
  }
  EXPECT_THAT(why(referring("")), HasSubstr("without a location"));
}

TEST_F(ExternalWeights, AreBounded) {
  write("model/w.bin", eight_);
  EXPECT_THAT(why(referring("w.bin"), {.max_external_bytes = 7}), HasSubstr("more than 7 bytes"));
  // The same eight bytes under many names.
  OnnxBuilder b;
  b.input("x", {1}).node("Relu", {"x"}, {"y"}).output("y", {1});
  for (int i = 0; i < 5; ++i) {
    Tensor& tensor = *b.graph().add_initializer();
    tensor.set_name("w" + std::to_string(i));
    tensor.set_data_type(Tensor::FLOAT);
    tensor.add_dims(2);
    refer(tensor, "w.bin");
  }
  EXPECT_THAT(load(b).status().to_string(), HasSubstr("over and over"));
  b.graph().mutable_initializer()->RemoveLast();
  EXPECT_TRUE(load(b).ok());
}

TEST_F(ExternalWeights, MixedStorageIsRefused) {
  write("model/w.bin", eight_);
  OnnxBuilder b = referring("w.bin");
  b.graph().mutable_initializer(0)->set_raw_data(eight_);
  EXPECT_THAT(why(b), HasSubstr("external data and others too"));
  b = referring("w.bin");
  b.graph().mutable_initializer(0)->set_data_type(Tensor::STRING);
  EXPECT_THAT(why(b), HasSubstr("external data and others too"));
}

TEST_F(ExternalWeights, NeedAFolder) {
  write("model/w.bin", eight_);
  const auto bytes = referring("w.bin").bytes();
  EXPECT_THAT(Model::from_bytes(bytes).status().to_string(), HasSubstr("read from bytes"));
  EXPECT_TRUE(Model::from_bytes(bytes, "m", root_ / "model").ok());
}

TEST_F(ExternalWeights, HashCoversWeightsAndNotTheFilesName) {
  write("model/w.bin", eight_);
  const std::string first = load(referring("w.bin")).value().content_hash();
  EXPECT_EQ(load(referring("w.bin"), {}, "renamed.onnx").value().content_hash(), first);
  EXPECT_EQ(Model::from_bytes(referring("w.bin").bytes(), "x", root_ / "model").value().content_hash(), first);
  fs::rename(root_ / "model", root_ / "moved");
  EXPECT_EQ(Model::from_file(root_ / "moved" / "m.onnx").value().content_hash(), first);
  for (std::size_t i = 0; i < eight_.size(); ++i) {
    std::string changed = eight_;
    changed[i] ^= 1;
    write("moved/w.bin", changed);
    EXPECT_NE(Model::from_file(root_ / "moved" / "m.onnx").value().content_hash(), first) << i;
  }
}

TEST_F(ExternalWeights, SelfContainedBytesAreMadeOnceFromAnyThread) {
  write("model/w.bin", eight_);
  const Model model = load(referring("w.bin")).value();
  std::vector<const std::byte*> seen(8);
  std::vector<std::thread> threads;
  for (auto& place : seen) {
    threads.emplace_back([&place, model] { place = model.self_contained_bytes().value().data(); });
  }
  for (auto& thread : threads)
    thread.join();
  for (const std::byte* data : seen)
    EXPECT_EQ(data, seen.front());
}

TEST_F(ExternalWeights, ModelFilesAreRegularFiles) {
  EXPECT_EQ(Model::from_file(root_ / "model").status().code(), StatusCode::kIoError);
  EXPECT_EQ(Model::from_file(root_ / "none.onnx").status().code(), StatusCode::kIoError);
  ASSERT_EQ(::mkfifo((root_ / "pipe.onnx").c_str(), 0600), 0);
  EXPECT_EQ(Model::from_file(root_ / "pipe.onnx").status().code(), StatusCode::kIoError);
  EXPECT_EQ(Model::from_file("/dev/zero").status().code(), StatusCode::kIoError);
  write("big.onnx", std::string(100, 'x'));
  EXPECT_THAT(Model::from_file(root_ / "big.onnx", {.max_file_bytes = 99}).status().to_string(),
              AllOf(HasSubstr("ModelError"), HasSubstr("big.onnx"), HasSubstr("limit is 99")));
}

}  // namespace
}  // namespace tern
