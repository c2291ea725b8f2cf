// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tern/engine.h"

namespace tern::conformance {

/// What a backend's instantiation of the suite says about itself.
struct BackendCase {
  std::string name;            ///< as the registry knows it
  float tolerance = 0;         ///< largest difference allowed between runs that should agree, in f32
  BuildConfig base{};          ///< what the tests build with, but for what each is about
  int default_batch = 1;       ///< of a dynamic leading dimension when nothing says otherwise
  bool counts_threads = true;  ///< whether it runs with the threads it is asked for
  /// Whether a convolution, a Relu and a Q run in i8 where Q gives u8 alone; with i8 between them they run in f32.
  bool fuses_unsigned_alone = false;
  bool needs_a_device = false;  ///< whether a machine without it is a reason to skip its tests

  friend void PrintTo(const BackendCase& backend, std::ostream* out) { *out << backend.name; }
};

/// The rules of tern/engine.h that every backend must keep. A backend joins with
///   INSTANTIATE_TEST_SUITE_P(Name, BackendConformance, ::testing::Values(BackendCase{...}));
/// and nothing else. The tests run real models on the real backend.
class BackendConformance : public ::testing::TestWithParam<BackendCase> {
 protected:
  void SetUp() override;

  static std::filesystem::path tiny_model(const std::string& name);
  static std::filesystem::path demo_model(const std::string& name);

  /// Backend::compile() of `config`, with the case's precision and optimisation level where it leaves them open.
  Result<EngineBlob> compile(const Model& model, BuildConfig config = {}, const Progress& progress = {},
                             std::stop_token stop = {});
  /// compile + load; fails the test with the Status otherwise. Equal builds of one process are compiled once.
  std::shared_ptr<Engine> build(const std::filesystem::path& model, const BuildConfig& config = {});
  std::unique_ptr<ExecutionContext> context_of(Engine& engine);

  std::shared_ptr<Backend> backend_;
};

/// A tensor of `shape` filled with a fixed pseudo-random pattern in 0..1.
Tensor patterned(const Shape& shape, unsigned seed);
std::vector<float> values(const TensorView& tensor);
float largest_difference(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace tern::conformance
