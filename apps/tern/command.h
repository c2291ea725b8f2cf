// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <stop_token>

#include "console.h"
#include "tern/status.h"

namespace CLI {
class App;
}

namespace tern {

/// What a subcommand finds around it.
struct Environment {
  Console console;
  std::stop_token stop;  ///< SIGINT or SIGTERM
};

/// One subcommand of the program.
class Command {
 public:
  virtual ~Command() = default;
  /// Adds its options and arguments. They are bound to this object, which outlives `app`'s parsing.
  virtual void declare(CLI::App& app) = 0;
  [[nodiscard]] virtual Status run(const Environment& environment) = 0;
};

/// A row of the table of subcommands.
struct CommandInfo {
  const char* name;
  const char* summary;
  const char* examples;  ///< end the help text
  std::unique_ptr<Command> (*make)();
};

/// For CommandInfo::make.
template <typename T>
std::unique_ptr<Command> make_command() {
  return std::make_unique<T>();
}

extern const CommandInfo kInspectCommand;
extern const CommandInfo kDetectCommand;
extern const CommandInfo kSegmentCommand;
extern const CommandInfo kClassifyCommand;
extern const CommandInfo kRunCommand;
extern const CommandInfo kEvalCommand;
extern const CommandInfo kBenchCommand;
extern const CommandInfo kCompileCommand;
extern const CommandInfo kCacheCommand;
extern const CommandInfo kCalibCommand;
extern const CommandInfo kQuantizeCommand;
extern const CommandInfo kPipelineCommand;
extern const CommandInfo kVerifyCommand;
extern const CommandInfo kKeysCommand;
extern const CommandInfo kConfigCommand;
extern const CommandInfo kTopCommand;
extern const CommandInfo kDoctorCommand;

}  // namespace tern
