// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"
#include "tern/postprocess.h"

namespace tern {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;

TEST(Classify, softmax_and_the_first_of_the_largest) {
  Postprocessor postprocessor = Postprocessor::create(test::output_contract(OutputKind::kClassification, 3)).value();
  std::vector<float> values{0, 0, std::log(2.0F), 7, 7, 7};
  std::vector<Classification> results(2);
  ASSERT_TRUE(postprocessor.classify(test::view(values, {2, 3}), results).ok());
  EXPECT_EQ(results[0].class_id, 2);
  EXPECT_THAT(results[0].logits, ElementsAre(0, 0, std::log(2.0F)));
  EXPECT_THAT(results[0].probabilities, ElementsAre(FloatEq(0.25F), FloatEq(0.25F), FloatEq(0.5F)));
  EXPECT_EQ(results[1].class_id, 0);
}

TEST(Classify, probabilities_of_the_model_get_no_second_softmax) {
  OutputContract contract = test::output_contract(OutputKind::kClassification, 2);
  contract.logits = false;
  Postprocessor postprocessor = Postprocessor::create(contract).value();
  std::vector<float> values{0.9F, 0.1F};
  std::vector<Classification> results(1);
  ASSERT_TRUE(postprocessor.classify(test::view(values, {1, 2}), results).ok());
  EXPECT_EQ(results[0].class_id, 0);
  EXPECT_THAT(results[0].probabilities, ElementsAre(0.9F, 0.1F));
  values = {3.0F, -1.0F};  // logits, whatever the contract says
  const Status status = postprocessor.classify(test::view(values, {1, 2}), results);
  EXPECT_EQ(status.code(), StatusCode::kInferenceError);
  EXPECT_THAT(status.hint(), HasSubstr("output.logits"));
}

TEST(Classify, probabilities_a_rounding_beyond_0_and_1_are_brought_back) {
  OutputContract contract = test::output_contract(OutputKind::kClassification, 2);
  contract.logits = false;
  Postprocessor postprocessor = Postprocessor::create(contract).value();
  std::vector<Classification> results(1);
  std::vector<float> values{-0.0009F, 1.0009F};  // the nearest f16 to 1 from above is 1.00098
  ASSERT_TRUE(postprocessor.classify(test::view(values, {1, 2}), results).ok());
  EXPECT_EQ(results[0].class_id, 1);
  EXPECT_THAT(results[0].probabilities, ElementsAre(0.0F, 1.0F));
  EXPECT_THAT(results[0].logits, ElementsAre(-0.0009F, 1.0009F)) << "what the model gave";
  for (const float beyond : {-0.0011F, 1.0011F}) {
    values = {0.5F, beyond};
    EXPECT_EQ(postprocessor.classify(test::view(values, {1, 2}), results).code(), StatusCode::kInferenceError)
        << beyond;
  }
}

TEST(Segment, a_threshold_on_probabilities_is_refused) {
  OutputContract contract = test::output_contract(OutputKind::kSegmentation, 2);
  contract.logits = false;
  contract.score_threshold = 0.5F;
  EXPECT_EQ(Postprocessor::create(contract).status().code(), StatusCode::kContractError);
  contract.score_threshold = 0;
  EXPECT_TRUE(Postprocessor::create(contract).ok());
}

TEST(Classify, huge_logits_do_not_overflow) {
  Postprocessor postprocessor = Postprocessor::create(test::output_contract(OutputKind::kClassification, 3)).value();
  const float big = std::numeric_limits<float>::max();
  std::vector<float> values{big, -big, big};
  std::vector<Classification> results(1);
  ASSERT_TRUE(postprocessor.classify(test::view(values, {1, 3}), results).ok());
  EXPECT_THAT(results[0].probabilities, ElementsAre(0.5F, 0.0F, 0.5F));
}

TEST(Classify, probabilities_sum_to_one) {
  test::Random random(9);
  Postprocessor postprocessor = Postprocessor::create(test::output_contract(OutputKind::kClassification, 1000)).value();
  std::vector<float> values = random.floats(1000, -30, 30);
  std::vector<Classification> results(1);
  ASSERT_TRUE(postprocessor.classify(test::view(values, {1, 1000}), results).ok());
  EXPECT_NEAR(std::accumulate(results[0].probabilities.begin(), results[0].probabilities.end(), 0.0), 1, 1e-6);
}

TEST(Classify, names_the_broken_image_of_a_batch) {
  Postprocessor postprocessor = Postprocessor::create(test::output_contract(OutputKind::kClassification, 2)).value();
  std::vector<float> values{1, 2, 3, NAN};
  std::vector<Classification> results(2);
  const Status status = postprocessor.classify(test::view(values, {2, 2}), results);
  EXPECT_EQ(status.code(), StatusCode::kInferenceError);
  EXPECT_THAT(status.to_string(), HasSubstr("output0: the output holds nan at [1, 1], in image 1 of the batch"));
}

}  // namespace
}  // namespace tern
