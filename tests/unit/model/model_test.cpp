// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Reading ONNX: what is accepted, what is refused, and what the refusal says.
#include "tern/model.h"

#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_rep.h"
#include "onnx_builder.h"

namespace tern {
namespace {

using test::OnnxBuilder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

OnnxBuilder relu() {
  OnnxBuilder b;
  b.input("x", {"batch", 3, 8, 8}).node("Relu", {"x"}, {"y"}, "act").output("y", {"batch", 3, 8, 8});
  return b;
}

std::vector<std::byte> as_bytes(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

// The failure of reading `bytes`, as text; fails the test when there is none, or one of another class.
std::string refusal(std::span<const std::byte> bytes, const ModelLimits& limits = {}) {
  const auto model = Model::from_bytes(bytes, "m.onnx", {}, limits);
  EXPECT_EQ(model.status().code(), StatusCode::kModelError) << model.status().to_string();
  EXPECT_EQ(model.status().where().substr(0, 6), "m.onnx");
  return model.status().to_string();
}
std::string refusal(const OnnxBuilder& builder, const ModelLimits& limits = {}) {
  return refusal(builder.bytes(), limits);
}

TEST(Model, SmallestModelIsRead) {
  const Model model = Model::from_bytes(relu().bytes(), "small.onnx").value();
  EXPECT_EQ(model.stem(), "small");
  EXPECT_TRUE(model.path().empty());
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(model.inputs()[0].shape, (Shape{Shape::kDynamic, 3, 8, 8}));
  EXPECT_THAT(model.inputs()[0].symbols, ElementsAre("batch", "", "", ""));
  EXPECT_EQ(model.parameter_count(), 0U);
}

TEST(Model, EveryPrefixIsRefusedOrWhole) {
  OnnxBuilder b = relu();
  b.weights("w", {2, 3}).metadata("task", "detect").metadata("names", "['a']");
  const auto bytes = b.bytes();
  const std::size_t without_metadata = [&] {
    onnx::ModelProto bare = b.model;
    bare.clear_metadata_props();
    return bare.ByteSizeLong();
  }();
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto model = Model::from_bytes(std::span(bytes).first(size), "m");
    if (model.ok()) {
      // Only where a file without (all of) its metadata would end.
      EXPECT_GE(size, without_metadata);
      ++accepted;
    } else {
      EXPECT_EQ(model.status().code(), StatusCode::kModelError) << size;
    }
  }
  EXPECT_LE(accepted, 2U);
  EXPECT_TRUE(Model::from_bytes(bytes, "m").ok());
}

TEST(Model, EveryFlippedByteIsRefusedOrRead) {
  OnnxBuilder b = relu();
  b.weights("w", {2}).metadata("names", "['a']");
  const auto bytes = b.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
      auto damaged = bytes;
      damaged[i] ^= static_cast<std::byte>(flip);
      const auto model = Model::from_bytes(damaged, "m");
      EXPECT_TRUE(model.ok() || model.status().code() == StatusCode::kModelError);
    }
  }
}

TEST(Model, TruncationIsCalledTruncation) {
  const auto bytes = relu().bytes();
  EXPECT_THAT(refusal(std::span(bytes).first(bytes.size() / 2)), HasSubstr("truncated"));
  onnx::ModelProto bare;
  bare.set_ir_version(8);
  const std::string text = bare.SerializeAsString();
  EXPECT_THAT(refusal(as_bytes(text)), HasSubstr("no graph"));
}

TEST(Model, OtherFilesAreNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "empty"},
      {"ftrt and the rest of a plan", "TensorRT engine"},
      {std::string("PK\x03\x04\x14\0\0\0", 8), "ZIP archive"},
      {std::string("\x80\x02}q\0", 5), "Python pickle"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "Git LFS pointer"},
      {"\n<!DOCTYPE HTML><html>", "HTML page"},
      {"<html lang=en>", "HTML page"},
      {"{\"error\": \"not found\"}", "JSON text"},
      {"<?xml version=\"1.0\"?><net name=\"m\">", "XML"},
      {"\x1f\x8b\x08", "gzip"},
      {std::string(64, '\0'), "all zeros"},
      {std::string("\x1c\0\0\0TFL3", 8), "TensorFlow Lite"},
      {"\x89PNG\r\n\x1a\n", "PNG image"},
      {"Not a model, but a note about one.", "plain text"},
  };
  for (const auto& [text, name] : cases) {
    EXPECT_THAT(refusal(as_bytes(text)), AllOf(HasSubstr("not an ONNX file"), HasSubstr(name)));
  }
}

TEST(Model, NoiseIsRefused) {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> noise(static_cast<std::size_t>(round % 200 + 1));
    for (std::byte& b : noise) {
      state = state * 1664525 + 1013904223;
      b = static_cast<std::byte>(state >> 24);
    }
    EXPECT_FALSE(Model::from_bytes(noise, "m").ok());
  }
}

TEST(Model, OpsetRules) {
  OnnxBuilder b = relu();
  b.model.clear_opset_import();
  EXPECT_THAT(refusal(b), HasSubstr("no opset"));

  b = relu();
  b.model.mutable_opset_import(0)->set_version(8);
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("opset 8"), HasSubstr("needs 9"), HasSubstr("version_converter")));
  b.model.mutable_opset_import(0)->set_version(9);
  EXPECT_TRUE(Model::from_bytes(b.bytes()).ok());
  b.model.mutable_opset_import(0)->set_version(99);  // newer than any we know
  EXPECT_EQ(Model::from_bytes(b.bytes()).value().opset(), 99);
  b.model.mutable_opset_import(0)->set_domain("ai.onnx");
  EXPECT_EQ(Model::from_bytes(b.bytes()).value().opset(), 99);
  b.model.mutable_opset_import(0)->set_version(std::int64_t{1} << 40);
  EXPECT_THAT(refusal(b), HasSubstr("opset"));

  b = relu();
  auto* second = b.model.add_opset_import();
  second->set_domain("ai.onnx");
  second->set_version(18);
  EXPECT_THAT(refusal(b), HasSubstr("two opsets"));

  b = relu();
  b.model.clear_ir_version();
  EXPECT_THAT(refusal(b), HasSubstr("IR version"));
}

TEST(Model, LimitsHold) {
  OnnxBuilder b;
  b.input("x0", {1});
  std::string last = "x0";
  for (int i = 1; i <= 20; ++i) {
    const std::string next = "x" + std::to_string(i);
    b.node("Relu", {std::string_view(last)}, {std::string_view(next)});
    last = next;
  }
  b.output(last, {1}).weights("w", {1}).weights("v", {1});
  EXPECT_TRUE(Model::from_bytes(b.bytes(), "m", {}, {.max_nodes = 20}).ok());
  EXPECT_THAT(refusal(b, {.max_nodes = 19}), AllOf(HasSubstr("more than 19 nodes"), HasSubstr("max_nodes")));
  EXPECT_TRUE(Model::from_bytes(b.bytes(), "m", {}, {.max_initializers = 2}).ok());
  EXPECT_THAT(refusal(b, {.max_initializers = 1}), HasSubstr("more than 1 initialisers"));
  EXPECT_THAT(refusal(b, {.max_file_bytes = 50}), HasSubstr("limit is 50"));
  EXPECT_THAT(refusal(b, {.max_name_bytes = 2}), HasSubstr("name has"));
}

// `depth` If nodes, each in a branch of the one before.
OnnxBuilder nested(int depth) {
  OnnxBuilder b;
  b.input("x", {1}).input("c", {}, onnx::TensorProto::BOOL);
  onnx::GraphProto* graph = &b.graph();
  for (int i = 0; i < depth; ++i) {
    onnx::NodeProto& node = *graph->add_node();
    OnnxBuilder::fill(node, "If", {"c"}, {"y" + std::to_string(i)});
    if (i > 0) graph->add_output()->set_name("y" + std::to_string(i));
    auto* attribute = node.add_attribute();
    attribute->set_name("then_branch");
    attribute->set_type(onnx::AttributeProto::GRAPH);
    graph = attribute->mutable_g();
  }
  OnnxBuilder::fill(*graph->add_node(), "Relu", {"x"}, {"z"});
  graph->add_output()->set_name("z");
  b.output("y0", {1});
  return b;
}

TEST(Model, NestingIsBounded) {
  EXPECT_EQ(Model::from_bytes(nested(16).bytes()).value().op_counts().front().second, 16U);
  EXPECT_THAT(refusal(nested(17)), HasSubstr("nested more than 16 deep"));
  EXPECT_THAT(refusal(nested(500)), HasSubstr("nested"));

  // Types within types, the other way to nest.
  OnnxBuilder b = relu();
  onnx::TypeProto* type = b.graph().add_value_info()->mutable_type();
  for (int i = 0; i < 200; ++i)
    type = type->mutable_sequence_type()->mutable_elem_type();
  EXPECT_THAT(refusal(b), HasSubstr("nested"));
}

// Empty messages cost two bytes in a file and hundreds in memory.
TEST(Model, StructureOutOfProportionIsRefused) {
  OnnxBuilder b = relu();
  std::string graph = b.graph().SerializeAsString();
  for (int i = 0; i < 3'000'000; ++i)
    graph += std::string("\x6a\x00", 2);  // value_info {}
  b.model.clear_graph();
  std::string file = b.model.SerializeAsString() + "\x3a";
  for (std::size_t size = graph.size(); size > 0; size >>= 7) {
    file += static_cast<char>((size & 0x7F) | (size > 0x7F ? 0x80 : 0));
  }
  file += graph;
  EXPECT_THAT(refusal(as_bytes(file)), HasSubstr("crafted"));
}

TEST(Model, NamesInMessagesAreHarmless) {
  OnnxBuilder b = relu();
  b.node("Add", {"x", "\x1b[2J\xffnothing" + std::string(4000, 'a')}, {"z"});
  const std::string text = refusal(b);
  EXPECT_THAT(text, HasSubstr("\\x1b[2J\\xffnothing"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.size(), 600U);
}

TEST(Model, NamesAreUtf8) {
  for (const char* bad : {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80"}) {
    OnnxBuilder b = relu();
    b.node("Relu", {"x"}, {bad});
    EXPECT_THAT(refusal(b), HasSubstr("not UTF-8"));
  }
  OnnxBuilder b = relu();
  b.node("Relu", {"x"}, {"größe\xf0\x9f\x98\x80"});
  EXPECT_TRUE(Model::from_bytes(b.bytes()).ok());
}

TEST(ModelGraph, TensorsAreMadeOnce) {
  OnnxBuilder b = relu();
  b.node("Neg", {"x"}, {"y"}, "again");
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("node 'again' ('Neg')"), HasSubstr("'y' is made twice")));
  b = relu();
  b.node("Neg", {"y"}, {"x"}, "back");
  EXPECT_THAT(refusal(b), HasSubstr("'x' is made twice"));
  b = relu();
  b.input("x", {1});
  EXPECT_THAT(refusal(b), HasSubstr("'x' is made twice"));
  b = relu();
  b.weights("w", {1}).weights("w", {1});
  EXPECT_THAT(refusal(b), HasSubstr("'w' is made twice"));
  b = relu();
  b.output("y", {1});
  EXPECT_THAT(refusal(b), HasSubstr("'y' is listed twice"));
}

TEST(ModelGraph, EverythingUsedIsMade) {
  OnnxBuilder b = relu();
  b.node("Add", {"y", "ghost"}, {"z"}, "sum");
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("node 'sum' ('Add')"), HasSubstr("nothing makes the tensor 'ghost'")));
  b = relu();
  b.output("phantom", {1});
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("output 'phantom'"), HasSubstr("nothing makes")));
  b = relu();
  b.node("Resize", {"y", "", "", ""}, {"z"});  // optional inputs that are not given
  EXPECT_TRUE(Model::from_bytes(b.bytes()).ok());
  b = relu();
  b.graph().clear_output();
  EXPECT_THAT(refusal(b), HasSubstr("no outputs"));
  b = relu();
  b.graph().mutable_node(0)->clear_op_type();
  EXPECT_THAT(refusal(b), HasSubstr("without an operator"));
}

TEST(ModelGraph, CirclesAreRefused) {
  OnnxBuilder b = relu();
  b.node("Add", {"y", "q"}, {"p"}, "one").node("Neg", {"p"}, {"q"}, "two");
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("circle"), HasSubstr("node 'one'")));
  b = relu();
  b.node("Add", {"y", "p"}, {"p"}, "self");
  EXPECT_THAT(refusal(b), HasSubstr("circle"));
  // Through a subgraph that uses what its own node makes.
  b = nested(1);
  b.graph().mutable_node(0)->mutable_attribute(0)->mutable_g()->mutable_node(0)->set_input(0, "y0");
  EXPECT_THAT(refusal(b), HasSubstr("circle"));
}

TEST(ModelGraph, NodesOutOfOrderAreSorted) {
  OnnxBuilder b;
  b.input("x", {1}).output("d", {1});
  b.node("Neg", {"c"}, {"d"}).node("Abs", {"b"}, {"c"}).node("Relu", {"x"}, {"a"}).node("Exp", {"a"}, {"b"});
  const Model model = Model::from_bytes(b.bytes()).value();
  const auto& nodes = model.rep().proto.graph().node();
  ASSERT_EQ(nodes.size(), 4);
  EXPECT_EQ(nodes[0].op_type() + nodes[1].op_type() + nodes[2].op_type() + nodes[3].op_type(), "ReluExpAbsNeg");
  // Backends get the sorted graph, and it is the same model but for the order.
  const Model again = Model::from_bytes(model.self_contained_bytes().value()).value();
  EXPECT_EQ(again.rep().proto.graph().node(0).op_type(), "Relu");
  EXPECT_NE(again.content_hash(), model.content_hash());
}

// Random acyclic graphs in random order come out in topological order.
TEST(ModelGraph, SortingIsRightForRandomGraphs) {
  std::uint32_t state = 7;
  const auto random = [&](std::size_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int round = 0; round < 100; ++round) {
    const std::size_t count = 1 + random(30);
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i)
      order[i] = i;
    for (std::size_t i = count - 1; i > 0; --i)
      std::swap(order[i], order[random(i + 1)]);
    OnnxBuilder b;
    b.input("t0", {1}).output("t" + std::to_string(count), {1});
    for (const std::size_t i : order) {
      b.node("Add", {"t" + std::to_string(random(i + 1)), "t" + std::to_string(random(i + 1))},
             {"t" + std::to_string(i + 1)});
    }
    const Model model = Model::from_bytes(b.bytes()).value();
    std::set<std::string> made{"t0"};
    for (const auto& node : model.rep().proto.graph().node()) {
      for (const auto& input : node.input())
        EXPECT_TRUE(made.contains(input));
      made.insert(node.output(0));
    }
    EXPECT_EQ(made.size(), count + 1);
  }
}

TEST(ModelGraph, SubgraphsSeeOuterTensors) {
  OnnxBuilder b = nested(2);  // the innermost Relu takes 'x' of the main graph
  EXPECT_TRUE(Model::from_bytes(b.bytes()).ok());
  b.graph().mutable_node(0)->mutable_attribute(0)->mutable_g()->mutable_node(0)->set_input(0, "unknown");
  EXPECT_THAT(refusal(b), HasSubstr("nothing makes the tensor 'unknown'"));
  // What a subgraph makes is not seen outside.
  b = nested(1);
  b.node("Neg", {"z"}, {"w"}, "outside");
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("outside"), HasSubstr("'z'")));
  // A node made later, used in a subgraph, is moved before it.
  b = nested(1);
  b.graph().mutable_node(0)->mutable_attribute(0)->mutable_g()->mutable_node(0)->set_input(0, "late");
  b.node("Neg", {"x"}, {"late"});
  EXPECT_EQ(Model::from_bytes(b.bytes()).value().rep().proto.graph().node(0).op_type(), "Neg");
}

TEST(ModelGraph, FunctionsAreChecked) {
  OnnxBuilder b = relu();
  onnx::FunctionProto& function = *b.model.add_functions();
  function.set_name("F");
  function.set_domain("local");
  function.add_input("a");
  function.add_output("b");
  OnnxBuilder::fill(*function.add_node(), "Neg", {"a"}, {"b"});
  EXPECT_TRUE(Model::from_bytes(b.bytes()).ok());
  function.mutable_node(0)->set_input(0, "x");  // outer tensors are not seen
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("function 'F'"), HasSubstr("'x'")));
}

TEST(ModelGraph, OldStyleInitialisersAreNoInputs) {
  OnnxBuilder b = relu();
  b.input("w", {2}).weights("w", {2});
  const Model model = Model::from_bytes(b.bytes()).value();
  ASSERT_EQ(model.inputs().size(), 1U);
  EXPECT_EQ(model.inputs()[0].name, "x");
  EXPECT_EQ(model.initializers().size(), 1U);
}

TEST(ModelValues, TypesAndShapes) {
  OnnxBuilder b = relu();
  b.graph().mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_FALSE(Model::from_bytes(b.bytes()).value().outputs()[0].has_shape);
  EXPECT_TRUE(Model::from_bytes(b.bytes()).value().inputs()[0].has_shape);

  b = relu();
  b.input("n", {-1, 5});
  EXPECT_EQ(Model::from_bytes(b.bytes()).value().inputs()[1].shape, (Shape{Shape::kDynamic, 5}));

  for (const auto& [type, name] : {std::pair(8, "STRING"), std::pair(14, "COMPLEX64"), std::pair(22, "INT4"),
                                   std::pair(17, "FLOAT8E4M3FN"), std::pair(0, "type 0"), std::pair(77, "type 77")}) {
    b = relu();
    b.input("odd", {1}, type);
    EXPECT_THAT(refusal(b), AllOf(HasSubstr("input 'odd'"), HasSubstr(name)));
    b = relu();
    b.graph().mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(type);
    EXPECT_THAT(refusal(b), AllOf(HasSubstr("output 'y'"), HasSubstr(name)));
  }
  b = relu();
  b.graph().add_input()->set_name("seq");
  b.graph().mutable_input(1)->mutable_type()->mutable_sequence_type();
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("input 'seq'"), HasSubstr("not a tensor")));
  b = relu();
  b.input("deep", {1, 1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("input 'deep'"), HasSubstr("9 dimensions")));
}

TEST(ModelValues, MetadataKeysThatDisagree) {
  OnnxBuilder b = relu();
  b.metadata("k", "1").metadata("k", "1");
  EXPECT_EQ(Model::from_bytes(b.bytes()).value().metadata().at("k"), "1");
  b.metadata("k", "2");
  EXPECT_THAT(refusal(b), AllOf(HasSubstr("'k'"), HasSubstr("twice")));
}

TEST(ModelValues, OperatorsAreCounted) {
  OnnxBuilder b = nested(2);
  b.node("Relu", {"x"}, {"r"}).node("Custom", {"x"}, {"s"});
  b.graph().mutable_node(b.graph().node_size() - 1)->set_domain("acme");
  const Model model = Model::from_bytes(b.bytes()).value();
  using Entry = std::pair<std::string, std::size_t>;
  EXPECT_THAT(model.op_counts(), ElementsAre(Entry("If", 2), Entry("Relu", 2), Entry("acme::Custom", 1)));
}

}  // namespace
}  // namespace tern
