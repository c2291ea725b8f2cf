// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "frame_loop.h"
#include "options.h"

namespace tern {

/// What the subcommands detect, segment and classify have in common: MODEL SOURCE... and the options around them.
class FrameCommand : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("MODEL", model_, "ONNX file")->required();
    declare_frame_loop(app, loop_);
    common_.declare_output(app);
    common_.declare_engine(app);
    common_.declare_contract(app);
    declare_more(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), loop_.json);
    TERN_ASSIGN_OR_RETURN(TaskOptions options, common_.task_options());
    options.progress = compile_progress(std::make_shared<ProgressBar>(console));
    options.max_batch = loop_.batch;
    options.stop = environment.stop;
    return run_frame_loop([&] { return open(options); }, loop_, environment, console);
  }

 protected:
  virtual void declare_more(CLI::App& app) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<FrameTask>> open(const TaskOptions& options) = 0;

  std::string model_;
  FrameLoopOptions loop_;
  CommonOptions common_;
};

}  // namespace tern
