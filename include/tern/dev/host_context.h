// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "tern/engine.h"

namespace tern::dev {

/// ExecutionContext for backends that run on the CPU: checks what is bound, lets one run in at a time, and queues runs on a HostStream.
/// A backend says how its runtime takes a tensor and runs.
class TERN_API HostContext : public ExecutionContext {
 public:
  /// Keeps `engine` alive.
  explicit HostContext(std::shared_ptr<const Engine> engine);
  ~HostContext() override;

  [[nodiscard]] Status bind_input(std::size_t index, const TensorView& tensor) final;
  [[nodiscard]] Status bind_output(std::size_t index, const TensorView& tensor) final;
  /// `stream` must be a HostStream, `event` a HostEvent; InputError otherwise.
  [[nodiscard]] Status enqueue(Stream& stream, Event& event) final;
  [[nodiscard]] Status infer(const WaitOptions& options) final;
  [[nodiscard]] Result<TensorView> output(std::size_t index) const final;

 protected:
  /// A tensor of the input's dtype, on the CPU, contiguous, of a shape that its spec accepts. InputError where the engine was not built
  /// for it. Not called again for a tensor that is bound already.
  [[nodiscard]] virtual Status set_input(std::size_t index, const TensorView& tensor) = 0;
  /// The same for an output; an empty view: memory of the context's own.
  [[nodiscard]] virtual Status set_output(std::size_t index, const TensorView& tensor) = 0;
  /// One inference, every input bound. Neither the deadline has passed nor a stop been requested when it is called; Timeout or
  /// Cancelled when one does meanwhile, once the runtime has let go of the buffers.
  [[nodiscard]] virtual Status run(const WaitOptions& options) = 0;
  /// Where output `index` of the run that has just succeeded lies, with its run-time shape.
  [[nodiscard]] virtual Result<TensorView> read_output(std::size_t index) = 0;

  /// Waits for a run in flight. REQUIRES: the destructor of the derived class calls it first.
  void wait_until_idle() noexcept;

 private:
  [[nodiscard]] Status check_ready() const;
  [[nodiscard]] Status check_idle(const TensorSpec& spec) const;
  [[nodiscard]] Status run_and_read(const WaitOptions& options);
  [[nodiscard]] Status read_outputs();

  std::shared_ptr<const Engine> engine_;
  std::vector<TensorView> inputs_, bound_, outputs_;
  std::atomic<int> in_flight_{0};
  bool has_results_ = false;
};

}  // namespace tern::dev
