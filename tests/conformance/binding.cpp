// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "backend_suite.h"

namespace tern::conformance {
namespace {

TEST_P(BackendConformance, computes_exactly_what_the_model_says) {
  const auto engine = build(tiny_model("affine"));
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  std::array<float, 4> x{0, 1, -3, 1024};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 4})).ok());
  ASSERT_TRUE(context->infer().ok());
  const TensorView y = context->output(0).value();
  EXPECT_EQ(y.shape(), (Shape{1, 4}));
  EXPECT_EQ(values(y), (std::vector<float>{1, 3, -5, 2049}));
}

TEST_P(BackendConformance, carries_several_inputs_and_outputs_of_their_types) {
  const auto engine = build(tiny_model("two_ports"));
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  std::array<float, 6> x{1, 2, 3, 4, 5, 6};
  std::array<std::int32_t, 6> k{10, 20, 30, 40, 50, 60};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {2, 3})).ok());
  ASSERT_TRUE(context->bind_input(1, TensorView(k.data(), DType::kI32, {2, 3})).ok());
  ASSERT_TRUE(context->infer().ok());
  EXPECT_EQ(values(context->output(0).value()), (std::vector<float>{11, 22, 33, 44, 55, 66}));
  EXPECT_EQ(values(context->output(1).value()), (std::vector<float>{-9, -18, -27, -36, -45, -54}));
}

TEST_P(BackendConformance, refuses_inputs_that_do_not_fit) {
  const auto engine = build(tiny_model("two_ports"));
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  std::array<float, 16> x{};
  const auto refused = [&](std::size_t index, const TensorView& view) {
    const Status status = context->bind_input(index, view);
    EXPECT_EQ(status.code(), StatusCode::kInputError) << status.to_string();
  };
  refused(2, TensorView(x.data(), DType::kF32, {2, 3}));              // no such input
  refused(0, TensorView(x.data(), DType::kF64, {2, 3}));              // element type
  refused(1, TensorView(x.data(), DType::kF32, {2, 3}));              // element type of the other
  refused(0, TensorView(x.data(), DType::kF32, {3, 2}));              // shape
  refused(0, TensorView(x.data(), DType::kF32, {6}));                 // rank
  refused(0, TensorView(x.data(), DType::kF32, {2, 3}, {4, 1}, {}));  // strides
  refused(0, TensorView());                                           // nothing
  if (GetParam().name == "openvino" || GetParam().name == "onnxruntime")
    refused(0, TensorView(x.data(), DType::kF32, {2, 3}, Device{DeviceKind::kCuda, 0}));
}

TEST_P(BackendConformance, will_not_run_without_inputs_nor_give_results_before_a_run) {
  const auto engine = build(tiny_model("two_ports"));
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  const Status unbound = context->infer();
  EXPECT_EQ(unbound.code(), StatusCode::kInputError);
  EXPECT_EQ(unbound.where(), "x");
  EXPECT_EQ(context->output(0).status().code(), StatusCode::kInputError);
  EXPECT_EQ(context->output(2).status().code(), StatusCode::kInputError);
}

TEST_P(BackendConformance, writes_into_the_callers_memory_until_told_otherwise) {
  const auto engine = build(tiny_model("affine"));
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  std::array<float, 4> x{1, 2, 3, 4}, y{};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 4})).ok());
  ASSERT_TRUE(context->bind_output(0, TensorView(y.data(), DType::kF32, {1, 4})).ok());
  ASSERT_TRUE(context->infer().ok());
  EXPECT_EQ(y, (std::array<float, 4>{3, 5, 7, 9}));
  EXPECT_EQ(context->output(0).value().data(), y.data());

  ASSERT_TRUE(context->bind_output(0, TensorView()).ok());
  x[0] = 100;
  ASSERT_TRUE(context->infer().ok());
  EXPECT_EQ(y[0], 3) << "the caller's memory was written after it was unbound";
  EXPECT_EQ(context->output(0).value().as<float>()[0], 201);
}

TEST_P(BackendConformance, refuses_outputs_that_do_not_fit) {
  const auto engine = build(tiny_model("affine"), {.max_batch = 1});
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  std::array<float, 8> y{};
  EXPECT_EQ(context->bind_output(0, TensorView(y.data(), DType::kF32, {2, 4})).code(), StatusCode::kInputError);
  EXPECT_EQ(context->bind_output(0, TensorView(y.data(), DType::kI32, {1, 4})).code(), StatusCode::kInputError);
  EXPECT_EQ(context->bind_output(1, TensorView(y.data(), DType::kF32, {1, 4})).code(), StatusCode::kInputError);
}

TEST_P(BackendConformance, gives_the_shape_that_the_run_produced) {
  const auto engine = build(tiny_model("nonzero"));
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->outputs()[0].shape, (Shape{1, Shape::kDynamic}));
  const auto context = context_of(*engine);
  std::array<float, 8> x{0, 5, 0, 5, 5, 0, 0, 0};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {8})).ok());
  ASSERT_TRUE(context->infer().ok());
  const TensorView found = context->output(0).value();
  ASSERT_EQ(found.shape(), (Shape{1, 3}));
  EXPECT_EQ(found.as<std::int64_t>()[2], 4);
  x.fill(0);
  ASSERT_TRUE(context->infer().ok());
  EXPECT_EQ(context->output(0).value().shape(), (Shape{1, 0}));
  x.fill(1);
  ASSERT_TRUE(context->infer().ok());
  EXPECT_EQ(context->output(0).value().shape(), (Shape{1, 8}));
}

TEST_P(BackendConformance, a_bound_output_of_the_wrong_run_time_shape_is_an_error_and_never_overrun) {
  const auto engine = build(tiny_model("nonzero"));
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  std::array<float, 8> x{};
  x.fill(1);
  std::vector<std::int64_t> two(2);  // on the heap and exactly sized: a write behind it is seen by AddressSanitizer
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {8})).ok());
  ASSERT_TRUE(context->bind_output(0, TensorView(two.data(), DType::kI64, {1, 2})).ok());
  const Status status = context->infer();
  EXPECT_EQ(status.code(), StatusCode::kInferenceError) << status.to_string();
  EXPECT_FALSE(context->output(0).ok());
  ASSERT_TRUE(context->bind_output(0, TensorView()).ok());
  ASSERT_TRUE(context->infer().ok()) << "the context must be usable after a failed run";
}

TEST_P(BackendConformance, rows_of_a_batch_agree_with_single_runs) {
  const auto batched = build(demo_model("overhead-segment"), {.max_batch = 3});
  const auto single = build(demo_model("overhead-segment"));
  ASSERT_TRUE(batched && single);
  const Tensor images = patterned({3, 3, 640, 640}, 7);
  const auto context3 = context_of(*batched), context1 = context_of(*single);
  for (const std::int64_t batch : {3, 1, 2}) {
    ASSERT_TRUE(context3->bind_input(0, images.view().rows(0, batch)).ok());
    ASSERT_TRUE(context3->infer().ok());
    const TensorView out = context3->output(0).value();
    ASSERT_EQ(out.shape()[0], batch);
    for (std::int64_t row = 0; row < batch; ++row) {
      ASSERT_TRUE(context1->bind_input(0, images.view().rows(row, 1)).ok());
      ASSERT_TRUE(context1->infer().ok());
      EXPECT_LE(largest_difference(values(out.rows(row, 1)), values(context1->output(0).value())),
                GetParam().tolerance);
    }
  }
  const Tensor four = patterned({4, 3, 640, 640}, 7);
  const Status over = context3->bind_input(0, four.view());
  EXPECT_EQ(over.code(), StatusCode::kInputError) << over.to_string();
}

TEST_P(BackendConformance, the_same_input_gives_the_same_bytes) {
  const auto engine = build(demo_model("overhead-detect"), {.threads = 2});
  ASSERT_NE(engine, nullptr);
  const auto context = context_of(*engine);
  const Tensor image = patterned({1, 3, 640, 640}, 3);
  ASSERT_TRUE(context->bind_input(0, image.view()).ok());
  ASSERT_TRUE(context->infer().ok());
  const auto first = values(context->output(0).value());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(context->infer().ok());
    EXPECT_EQ(values(context->output(0).value()), first);
  }
}

}  // namespace
}  // namespace tern::conformance
