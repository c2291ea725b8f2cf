// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tern/engine.h"

namespace tern::testing {

/// What happens to a wrapped backend. Every call first notes itself in `calls`, then asks `fault` (if any) for a failure.
struct Watch {
  std::mutex mutex;
  std::vector<std::string> calls;
  std::function<Status(const std::string& call)> fault;

  Status note(const std::string& call) {
    const std::scoped_lock lock(mutex);
    calls.push_back(call);
    return fault ? fault(call) : Status();
  }
  std::size_t count(const std::string& call) {
    const std::scoped_lock lock(mutex);
    return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), call));
  }
  void clear() {
    const std::scoped_lock lock(mutex);
    calls.clear();
  }
};

class WatchedContext final : public ExecutionContext {
 public:
  WatchedContext(std::shared_ptr<Watch> watch, std::unique_ptr<ExecutionContext> real)
      : watch_(std::move(watch)), real_(std::move(real)) {}
  Status bind_input(std::size_t index, const TensorView& tensor) override {
    TERN_RETURN_IF_ERROR(watch_->note("bind_input " + std::to_string(index)));
    return real_->bind_input(index, tensor);
  }
  Status bind_output(std::size_t index, const TensorView& tensor) override { return real_->bind_output(index, tensor); }
  Status enqueue(Stream& stream, Event& event) override { return real_->enqueue(stream, event); }
  Status infer(const WaitOptions& options) override {
    TERN_RETURN_IF_ERROR(watch_->note("infer"));
    return real_->infer(options);
  }
  Result<TensorView> output(std::size_t index) const override {
    TERN_RETURN_IF_ERROR(watch_->note("output " + std::to_string(index)));
    return real_->output(index);
  }

 private:
  std::shared_ptr<Watch> watch_;
  std::unique_ptr<ExecutionContext> real_;
};

class WatchedEngine final : public Engine {
 public:
  WatchedEngine(std::string name, std::shared_ptr<Watch> watch, std::shared_ptr<Engine> real)
      : name_(std::move(name)), watch_(std::move(watch)), real_(std::move(real)) {}
  std::string_view backend() const noexcept override { return name_; }
  std::string_view id() const noexcept override { return real_->id(); }
  Precision precision() const noexcept override { return real_->precision(); }
  int threads() const noexcept override { return real_->threads(); }
  const std::vector<TensorSpec>& inputs() const noexcept override { return real_->inputs(); }
  const std::vector<TensorSpec>& outputs() const noexcept override { return real_->outputs(); }
  EngineMemory memory() const noexcept override { return real_->memory(); }
  Result<std::unique_ptr<ExecutionContext>> create_context() override {
    TERN_RETURN_IF_ERROR(watch_->note("create_context"));
    TERN_ASSIGN_OR_RETURN(std::unique_ptr<ExecutionContext> context, real_->create_context());
    return std::unique_ptr<ExecutionContext>(std::make_unique<WatchedContext>(watch_, std::move(context)));
  }
  Result<std::unique_ptr<Stream>> create_stream() override { return real_->create_stream(); }
  Result<std::unique_ptr<Event>> create_event() override { return real_->create_event(); }

 private:
  std::string name_;
  std::shared_ptr<Watch> watch_;
  std::shared_ptr<Engine> real_;
};

/// A real backend under a name and host facts of its own, watched. What it does is the real one's work. A GPU that it is asked for
/// stands behind the call's name ("load cuda:1"), and is otherwise let pass.
class WatchedBackend final : public Backend {
 public:
  WatchedBackend(std::string name, int score, std::shared_ptr<Watch> watch, std::shared_ptr<Backend> real)
      : name_(std::move(name)),
        score_(score),
        watch_(std::move(watch)),
        real_(std::move(real)),
        facts_(real_->host_facts()) {}

  std::string_view name() const noexcept override { return name_; }
  BackendScore score() const override { return {score_, "a watched " + std::string(real_->name())}; }
  HostFacts host_facts() const override { return facts_; }
  HostFacts& facts() { return facts_; }
  Result<EngineBlob> compile(const Model& model, const BuildConfig& config, const Progress& progress,
                             std::stop_token stop) override {
    TERN_RETURN_IF_ERROR(watch_->note("compile" + on(config.device)));
    BuildConfig theirs = config;
    theirs.device.reset();
    TERN_ASSIGN_OR_RETURN(EngineBlob blob, real_->compile(model, theirs, progress, std::move(stop)));
    blob.backend = name_;
    blob.backend_version = facts_.version;
    return blob;
  }
  Result<std::shared_ptr<Engine>> load(const EngineBlob& blob, const LoadOptions& options) override {
    TERN_RETURN_IF_ERROR(watch_->note("load" + on(options.device)));
    EngineBlob theirs = blob;
    LoadOptions their_options = options;
    their_options.device.reset();
    theirs.backend = real_->name();
    theirs.backend_version = real_->host_facts().version;
    options.logger->log(LogLevel::kWarning, name_, "the backend's own line");
    TERN_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine, real_->load(theirs, their_options));
    return std::shared_ptr<Engine>(std::make_shared<WatchedEngine>(name_, watch_, std::move(engine)));
  }

 private:
  static std::string on(const std::optional<Device>& device) { return device ? " " + device->to_string() : ""; }

  std::string name_;
  int score_;
  std::shared_ptr<Watch> watch_;
  std::shared_ptr<Backend> real_;
  HostFacts facts_;
};

}  // namespace tern::testing
