// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tern/engine.h"
#include "tern/golden.h"

namespace tern {

/// Runs golden frames on one engine, in as many equal rows as the engine's batch wants. One call at a time.
class GoldenRunner {
 public:
  struct Output {
    std::string_view name;
    TensorView view;
    bool has_rows = false;  ///< its leading dimension is the batch
    [[nodiscard]] TensorView row(std::int64_t index) const noexcept { return has_rows ? view.rows(index, 1) : view; }
    [[nodiscard]] TensorView first_row() const noexcept { return row(0); }
    [[nodiscard]] std::int64_t rows() const noexcept { return has_rows ? view.shape()[0] : 1; }
  };

  /// `engine` must outlive the runner.
  [[nodiscard]] static Result<GoldenRunner> create(Engine& engine);

  /// Runs `frame`, repeated in every row of an engine of fixed batch, in `rows` rows where the engine leaves the batch open.
  /// The outputs are valid until the next run. GoldenCheckError when the frame's tensors are not the engine's; else what the
  /// engine says.
  [[nodiscard]] Result<std::vector<Output>> run(const GoldenFrame& frame, std::int64_t rows);
  /// Whether run() can repeat `frame` in a number of rows that the caller chooses.
  [[nodiscard]] bool is_batch_open(const GoldenFrame& frame) const;

 private:
  GoldenRunner(Engine& engine, std::unique_ptr<ExecutionContext> context) noexcept
      : engine_(&engine), context_(std::move(context)) {}
  [[nodiscard]] Result<std::vector<const Tensor*>> find_inputs(const GoldenFrame& frame) const;
  /// Rows to run `inputs` in, given how many to use where the engine leaves them open.
  [[nodiscard]] Result<std::int64_t> row_count(const std::vector<const Tensor*>& inputs, std::int64_t wanted) const;

  Engine* engine_;
  std::unique_ptr<ExecutionContext> context_;
  std::vector<Tensor> repeated_;  // inputs of more rows than the frame has, in use until the next run
};

}  // namespace tern
