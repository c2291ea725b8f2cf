// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/model_identity.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "onnx_builder.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

Model restored(const Model& model) {
  const auto bytes = model.self_contained_bytes().value();
  return restore_model({bytes.begin(), bytes.end()}, identity_of(model)).value();
}

TEST(ModelIdentity, a_model_with_weights_beside_it_keeps_its_hash_and_names) {
  std::string name = (fs::temp_directory_path() / "tern-identity-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const fs::path folder = name;
  test::OnnxBuilder b;
  b.input("x", {1, 2}).node("Add", {"x", "w"}, {"y"}).output("y", {1, 2}).weights("w", {2});
  auto* tensor = b.graph().mutable_initializer(0);
  tensor->clear_raw_data();
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = tensor->add_external_data();
  entry->set_key("location");
  entry->set_value("w.bin");
  ASSERT_TRUE(write_file(folder / "w.bin", "abcdefgh").ok());
  ASSERT_TRUE(write_file(folder / "my model.onnx", b.bytes()).ok());

  const Model model = Model::from_file(folder / "my model.onnx").value();
  const Model twin = restored(model);
  fs::remove_all(folder);
  EXPECT_EQ(twin.content_hash(), model.content_hash());
  EXPECT_EQ(twin.stem(), "my model");
  EXPECT_EQ(twin.path(), model.path());
  EXPECT_EQ(twin.parameter_count(), 2U);
  const auto bytes = model.self_contained_bytes().value(), same = twin.self_contained_bytes().value();
  EXPECT_TRUE(std::ranges::equal(bytes, same));
  EXPECT_EQ(identity_of(twin).label, "my model.onnx");
}

TEST(ModelIdentity, a_model_from_bytes_keeps_its_name) {
  test::OnnxBuilder b;
  b.input("x", {1, 2}).node("Relu", {"x"}, {"y"}).output("y", {1, 2});
  const Model model = Model::from_bytes(b.bytes(), "some.thing.onnx").value();
  const Model twin = restored(model);
  EXPECT_EQ(twin.stem(), "some.thing");
  EXPECT_TRUE(twin.path().empty());
  EXPECT_EQ(twin.content_hash(), model.content_hash());
}

TEST(ModelIdentity, limits_that_let_a_model_in_are_not_asked_twice) {
  test::OnnxBuilder b;
  const std::string long_name(10'000, 'n');
  b.input("x", {1, 2}).node("Relu", {"x"}, {"y"}, long_name).output("y", {1, 2});
  EXPECT_FALSE(Model::from_bytes(b.bytes()).ok());
  const Model model = Model::from_bytes(b.bytes(), "m", {}, {.max_name_bytes = 1U << 20}).value();
  EXPECT_EQ(restored(model).node_names("Relu"), std::vector<std::string>{long_name});
}

TEST(ModelIdentity, bytes_that_are_no_model_are_refused_under_the_models_name) {
  const auto model = restore_model(std::vector<std::byte>(10), {"", "m.onnx", "m", ""});
  EXPECT_EQ(model.status().code(), StatusCode::kModelError);
  EXPECT_EQ(model.status().where(), "m.onnx");
}

}  // namespace
}  // namespace tern
