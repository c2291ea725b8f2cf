// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <span>
#include <vector>

#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/tensor.h"

namespace tern::test {

inline OutputContract output_contract(OutputKind kind, int classes) {
  OutputContract contract;
  contract.tensor = "output0";
  contract.kind = kind;
  contract.classes = classes;
  contract.logits = kind == OutputKind::kSegmentation || kind == OutputKind::kClassification;
  return contract;
}

inline Geometry geometry(ResizeRule rule, int src_width, int src_height, int dst_width, int dst_height) {
  InputContract input;
  input.resize = rule;
  return Geometry::make(input, src_width, src_height, dst_width, dst_height).value();
}

/// An input that is the image itself.
inline Geometry same_size(int width, int height) {
  return geometry(ResizeRule::kNone, width, height, width, height);
}

/// A tensor on memory that the caller keeps.
inline TensorView view(std::vector<float>& values, const Shape& shape) {
  return {values.data(), DType::kF32, shape};
}

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  [[nodiscard]] float uniform(float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(engine_);
  }
  [[nodiscard]] int whole(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  [[nodiscard]] std::vector<float> floats(std::size_t count, float low, float high) {
    std::vector<float> values(count);
    for (float& v : values)
      v = uniform(low, high);
    return values;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace tern::test
