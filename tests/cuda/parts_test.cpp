// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What of src/cuda can be held without a GPU.
#include <cstring>
#include <new>
#include <set>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks.h"
#include "cuda/failure.h"
#include "cuda/pattern.h"

namespace tern::cuda {
namespace {

using dev::CudaFailure;
using dev::CudaFailureCode;
using ::testing::HasSubstr;

std::vector<std::uint32_t> right_answers(std::size_t count) {
  std::vector<std::uint32_t> words(count);
  fill_with_pattern(words);
  for (std::size_t i = 0; i < count; ++i)
    words[i] = answer_word(words[i], static_cast<std::uint32_t>(i));
  return words;
}

TEST(Pattern, the_right_answer_passes) {
  EXPECT_EQ(first_wrong_answer(right_answers(100'000)), std::nullopt);
  EXPECT_EQ(first_wrong_answer({}), std::nullopt);
}

TEST(Pattern, any_single_flipped_bit_is_found) {
  std::vector<std::uint32_t> words = right_answers(513);
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (unsigned bit = 0; bit < 32; ++bit) {
      words[i] ^= 1U << bit;
      ASSERT_EQ(first_wrong_answer(words), i) << "bit " << bit;
      words[i] ^= 1U << bit;
    }
  }
}

TEST(Pattern, words_that_changed_places_or_never_came_are_found) {
  const std::vector<std::uint32_t> right = right_answers(4096);
  for (const std::size_t step : {1U, 2U, 32U, 256U, 1024U}) {
    std::vector<std::uint32_t> words = right;
    std::swap(words[100], words[100 + step]);
    EXPECT_EQ(first_wrong_answer(words), 100U) << step;
  }
  for (const std::uint32_t stale : {0U, 0x01010101U, 0x5A5A5A5AU, 0xA5A5A5A5U}) {
    std::vector<std::uint32_t> words = right;
    words[4095] = stale;
    EXPECT_EQ(first_wrong_answer(words), 4095U) << stale;
  }
}

TEST(Pattern, no_two_words_are_equal) {
  std::vector<std::uint32_t> words(1 << 16);
  fill_with_pattern(words);
  EXPECT_EQ(std::set<std::uint32_t>(words.begin(), words.end()).size(), words.size());
}

TEST(Guard, success_leaves_no_failure) {
  CudaFailure failure{CudaFailureCode::kFailed, "left over"};
  EXPECT_EQ(guard(failure, [] {}), 0);
  EXPECT_EQ(failure.code, CudaFailureCode::kNone);
  EXPECT_STREQ(failure.text, "");
}

TEST(Guard, every_exception_becomes_a_code_and_a_text) {
  CudaFailure failure{};
  EXPECT_EQ(guard(failure, [] { throw CudaError(CudaFailureCode::kNoDevice, "none"); }),
            static_cast<int>(CudaFailureCode::kNoDevice));
  EXPECT_STREQ(failure.text, "none");
  EXPECT_EQ(guard(failure, [] { throw std::bad_alloc(); }), static_cast<int>(CudaFailureCode::kOutOfMemory));
  EXPECT_EQ(guard(failure, [] { throw std::runtime_error("odd"); }), static_cast<int>(CudaFailureCode::kFailed));
  EXPECT_STREQ(failure.text, "odd");
  EXPECT_EQ(guard(failure, [] { throw 7; }), static_cast<int>(CudaFailureCode::kFailed));
  EXPECT_STRNE(failure.text, "");
}

TEST(Guard, a_long_text_is_cut_and_ended) {
  for (const std::size_t length : {502U, 503U, 504U, 505U, 5000U}) {
    CudaFailure failure{};
    EXPECT_NE(guard(failure, [&] { throw std::runtime_error(std::string(length, 'x')); }), 0);
    EXPECT_EQ(::strnlen(failure.text, sizeof(failure.text)), std::min<std::size_t>(length, sizeof(failure.text) - 1));
  }
}

TEST(Check, names_the_call_and_cudas_own_error) {
  const auto failure_of = [](cudaError_t error) {
    CudaFailure failure{};
    static_cast<void>(guard(failure, [&] { check(error, "cudaTry"); }));
    return failure;
  };
  EXPECT_EQ(failure_of(cudaSuccess).code, CudaFailureCode::kNone);
  EXPECT_EQ(failure_of(cudaErrorMemoryAllocation).code, CudaFailureCode::kOutOfMemory);
  EXPECT_EQ(failure_of(cudaErrorNoDevice).code, CudaFailureCode::kNoDevice);
  EXPECT_EQ(failure_of(cudaErrorInvalidDevice).code, CudaFailureCode::kNoSuchDevice);
  EXPECT_EQ(failure_of(cudaErrorSystemDriverMismatch).code, CudaFailureCode::kDriverTooOld);
  const CudaFailure other = failure_of(cudaErrorLaunchTimeout);
  EXPECT_EQ(other.code, CudaFailureCode::kFailed);
  EXPECT_THAT(other.text, HasSubstr("cudaTry"));
  EXPECT_THAT(other.text, HasSubstr("cudaErrorLaunchTimeout"));
}

TEST(Release, a_failure_is_counted_and_the_end_of_the_process_is_none) {
  const unsigned before = failed_releases();
  note(cudaSuccess);
  note(cudaErrorCudartUnloading);
  EXPECT_EQ(failed_releases(), before);
  note(cudaErrorInvalidValue);
  EXPECT_EQ(failed_releases(), before + 1);
}

// Where there is no driver; elsewhere the Gpu tests run.
TEST(NoDriver, every_function_says_so) {
  std::string error;
  const dev::CudaPlugin* plugin = test::open_cuda_plugin(TERN_CUDA_LIBRARY, error);
  ASSERT_NE(plugin, nullptr) << error;
  CudaFailure failure{};
  dev::CudaVersionNumbers numbers{};
  if (plugin->versions(&numbers, &failure) == 0) GTEST_SKIP() << "there is a driver, " << numbers.driver;
  EXPECT_EQ(failure.code, CudaFailureCode::kNoDriver) << failure.text;
  std::int32_t count = 0;
  dev::CudaDeviceFacts facts{};
  dev::CudaMemory memory{};
  dev::CudaSelfTest result{};
  const auto wanted = static_cast<std::int32_t>(CudaFailureCode::kNoDriver);
  EXPECT_EQ(plugin->device_count(&count, &failure), wanted);
  EXPECT_EQ(plugin->device_facts(0, &facts, &failure), wanted);
  EXPECT_EQ(plugin->memory(0, &memory, &failure), wanted);
  EXPECT_EQ(plugin->self_test(0, 4096, &result, &failure), wanted);
  EXPECT_STRNE(failure.text, "");
}

}  // namespace
}  // namespace tern::cuda
