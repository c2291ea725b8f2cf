// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInferRuntime.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cuda/handles.h"
#include "tern/tensor.h"

namespace tern::trt_backend {

/// One combination of input shapes and bound addresses, and the CUDA graph that repeats it.
struct Variant {
  std::vector<std::uint64_t> key;
  std::vector<Shape> output_shapes;
  /// What the graph was captured from. A graph holds the state of its context, so nothing else may use that one any more.
  std::unique_ptr<nvinfer1::IExecutionContext> context;
  std::optional<cuda::GraphExec> graph;  ///< copies in, inference, copies out
  bool is_warm = false;                  ///< has run once, without a graph
  bool eager_only = false;               ///< a graph cannot hold it
  std::uint64_t last_use = 0;
};

/// The newest few variants of a context.
class Variants {
 public:
  static constexpr std::size_t kMost = 8;
  /// Graphs that were captured and had to make room for others; so many tell that addresses or shapes do not repeat.
  static constexpr std::size_t kMostLost = 64;

  /// The variant of `key`, new where there is none; the least recently used one goes when there are kMost. Valid until the next
  /// call.
  Variant& at(const std::vector<std::uint64_t>& key);
  /// For when the context's own memory moved, whose addresses the graphs hold.
  void drop_graphs() noexcept;
  [[nodiscard]] std::size_t lost_graphs() const noexcept { return lost_graphs_; }

 private:
  std::vector<Variant> variants_;
  std::uint64_t uses_ = 0;
  std::size_t lost_graphs_ = 0;
};

/// Whether two runs on the same input agree: the same bits, or floating values within `tolerance` of the largest one.
/// NaN agrees with NaN alone.
[[nodiscard]] bool runs_agree(const std::vector<std::byte>& a, const std::vector<std::byte>& b, DType dtype,
                              double tolerance);

}  // namespace tern::trt_backend
