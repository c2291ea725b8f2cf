// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <csignal>
#include <exception>
#include <map>
#include <new>

#include <CLI/CLI.hpp>
#include <opencv2/core/utils/logger.hpp>

#include "base/error.h"
#include "command.h"
#include "interrupt.h"
#include "media/av.h"
#include "media/image_file.h"
#include "tern/version.h"

namespace tern {
namespace {

constexpr std::array<const CommandInfo*, 17> kCommands{
    &kInspectCommand, &kDetectCommand,  &kSegmentCommand,  &kClassifyCommand, &kRunCommand,      &kEvalCommand,
    &kBenchCommand,   &kCompileCommand, &kCacheCommand,    &kCalibCommand,    &kQuantizeCommand, &kVerifyCommand,
    &kKeysCommand,    &kConfigCommand,  &kPipelineCommand, &kTopCommand,      &kDoctorCommand};

std::string exit_codes() {
  std::string text = "Exit codes:";
  for (const ErrorClass& row : error_classes()) {
    text += fmt::format("\n  {:>2}  {}{}{}", row.exit_code, row.name, row.summary.empty() ? "" : ": ", row.summary);
  }
  return text;
}

// Parses and runs. `help` tells that CLI11 has printed what was asked for.
Status run(int argc, char** argv, const Environment& environment) {
  CLI::App app("Vision models (ONNX), in real time and correctly, on the hardware at hand", "tern");
  app.set_version_flag("--version", fmt::format("tern {} ({})", version(), compiler_tag()));
  app.require_subcommand(1);
  app.footer("'tern COMMAND --help' tells more of a command.\n\n" + exit_codes());
  std::map<const CLI::App*, std::unique_ptr<Command>> commands;
  for (const CommandInfo* info : kCommands) {
    CLI::App* sub = app.add_subcommand(info->name, info->summary);
    sub->footer(fmt::format("Examples:\n{}", info->examples));
    std::unique_ptr<Command> command = info->make();
    command->declare(*sub);
    commands.emplace(sub, std::move(command));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {
      app.exit(e);
      return {};
    }
    const auto parsed = app.get_subcommands();
    const std::string command = parsed.empty() ? std::string() : " " + parsed.front()->get_name();
    return make_error(StatusCode::kConfigError, "{}", e.what()).with_hint(fmt::format("tern{} --help", command));
  }
  return commands.at(app.get_subcommands().front())->run(environment);
}

// The last line of defence: libraries under the program may throw; its own code does not.
Status run_guarded(int argc, char** argv, const Environment& environment) {
  try {
    return run(argc, argv, environment);
  } catch (const std::bad_alloc&) {
    return make_error(StatusCode::kOutOfMemoryError, "there is no more memory");
  } catch (const std::exception& e) {
    return make_error(StatusCode::kInternalError, "{}", e.what()).with_hint("this is a bug in tern: please report it");
  }
}

}  // namespace
}  // namespace tern

int main(int argc, char** argv) {
  using namespace tern;
  Interrupt interrupt;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an IoError, not a silent end
  limit_image_decoder();
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_ERROR);
  av::capture_log();
  const Environment environment{Console::detect(), interrupt.token()};
  const Status status = run_guarded(argc, argv, environment);
  if (!status.ok()) environment.console.error(status);
  return error_class(status.code()).exit_code;
}
