// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "library.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "trt_compat.h"

namespace tern::trt_backend {
namespace {

/// Looks for TensorRT in `folder` and ends the process: 0 when it was found; the Status goes to standard error. A process looks once.
[[noreturn]] void look_in(const std::string& folder) {
  ::setenv("TENSORRT_ROOT", folder.c_str(), 1);
  const auto library = Library::get();
  std::fprintf(stderr, "%s\n",
               library.ok() ? (*library)->version_text().c_str() : library.status().to_string().c_str());
  std::_Exit(library.ok() ? 0 : 1);
}

/// The same, and asks for every object.
[[noreturn]] void use_from(const std::string& folder) {
  ::setenv("TENSORRT_ROOT", folder.c_str(), 1);
  const Library& library = *Library::get().value();
  const Status runtime = library.create_runtime().status(), builder = library.create_builder(90).status();
  std::fprintf(stderr, "%s\n%s\n", runtime.to_string().c_str(), builder.to_string().c_str());
  std::_Exit(runtime.ok() || builder.ok() ? 0 : 1);
}

std::string misfit(const std::string& name) {
  return std::string(MISFIT_FOLDER) + "/" + name;
}

class LibraryDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(LibraryDeathTest, one_that_is_older_than_the_floor_is_refused_with_both_versions) {
  const std::string found = compat::kMajor == 10 ? "10\\.2\\.3" : "10\\.99\\.0";
  EXPECT_EXIT(look_in(misfit("too_old")), ::testing::ExitedWithCode(1),
              "BackendError: TensorRT " + found + " was found; tern needs " + std::to_string(compat::kMajor) + "\\.");
}

TEST_F(LibraryDeathTest, one_of_the_next_major_version_is_refused) {
  EXPECT_EXIT(look_in(misfit("too_new")), ::testing::ExitedWithCode(1),
              "TensorRT " + std::to_string(compat::kMajor + 1) + "\\.0\\.0 was found");
}

TEST_F(LibraryDeathTest, one_that_is_no_tensorrt_is_refused) {
  EXPECT_EXIT(look_in(misfit("no_symbols")), ::testing::ExitedWithCode(1), "has no getInferLibVersion");
}

TEST_F(LibraryDeathTest, one_at_the_floor_is_taken_and_a_missing_factory_is_an_error) {
  const std::string floor = compat::kMajor == 10 ? "10\\.3\\.0" : "11\\.0\\.0";
  EXPECT_EXIT(look_in(misfit("no_factory")), ::testing::ExitedWithCode(0), floor);
  EXPECT_EXIT(use_from(misfit("no_factory")), ::testing::ExitedWithCode(1), "createInferRuntime_INTERNAL");
  EXPECT_EXIT(use_from(misfit("no_factory")), ::testing::ExitedWithCode(1), "createInferBuilder_INTERNAL");
}

TEST(Versions, are_written_as_people_read_them) {
  EXPECT_EQ(compat::version_text(100600), "10.6.0");
  EXPECT_EQ(compat::version_text(101603), "10.16.3");
  EXPECT_EQ(compat::version_text(110400), "11.4.0");
}

}  // namespace
}  // namespace tern::trt_backend
