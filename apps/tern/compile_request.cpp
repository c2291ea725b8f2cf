// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "compile_request.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/file.h"

namespace tern {

void CompileRequest::declare(CLI::App& app) {
  app.add_option("MODEL", model_file_, "ONNX file")->required();
  app.add_option("CONFIG", config_file_,
                 "Build config (JSON, docs/schemas/build-config.schema.json); flags win over it")
      ->type_name("FILE");
  app.add_option("--profile", profiles_,
                 "Shapes of an input with open dimensions, as INPUT=MIN:OPT:MAX, e.g. "
                 "images=1x3x640x640:4x3x640x640:8x3x640x640 (repeatable)")
      ->type_name("PROFILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group("Engine");
  app.add_option("--batch", batch_,
                 "Largest batch where the model leaves it open (default 1, as the other commands use it)")
      ->check(CLI::Range(1, 4096))
      ->group("Engine");
  app.add_option("--timeout", timeout_,
                 "Seconds after which the build is ended (default: build_timeout_s of the configuration)")
      ->check(CLI::Range(1, 604800))
      ->group("Engine");
  common_.declare_output(app);
  common_.declare_engine(app);
  common_.declare_contract(app);
}

Status CompileRequest::resolve() {
  TERN_ASSIGN_OR_RETURN(options_, common_.task_options());
  TERN_ASSIGN_OR_RETURN(model_, Model::from_file(model_file_));
  auto contract = Contract::resolve(*model_, options_.contract_file, options_.overrides);
  if (contract.ok()) {
    contract_ = std::move(*contract);
  } else if (options_.contract_file || !options_.overrides.empty()) {
    return contract.status();  // the user spoke of a contract, so it must hold
  }
  config_.timeout = options_.build_timeout;
  config_.isolation = options_.isolation;
  if (config_file_) {
    constexpr std::uint64_t kMaxBytes = 1 << 20;
    TERN_ASSIGN_OR_RETURN(const std::string text, read_text_file(*config_file_, kMaxBytes));
    const BuildConfig defaults = config_;
    TERN_ASSIGN_OR_RETURN(config_, BuildConfig::from_json(text, *config_file_));
    if (text.find("\"isolation\"") == std::string::npos) config_.isolation = defaults.isolation;
    if (text.find("\"timeout_s\"") == std::string::npos) config_.timeout = defaults.timeout;
  }
  TERN_RETURN_IF_ERROR(apply_flags());
  if (config_.max_batch == 0) config_.max_batch = 1;
  if (contract_) config_ = with_task_profile(std::move(config_), *model_, *contract_);
  return {};
}

Status CompileRequest::apply_flags() {
  if (common_.has_precision()) config_.precision = options_.precision;
  if (common_.has_threads()) config_.threads = options_.threads;
  if (common_.has_hint()) config_.hint = options_.hint;
  if (!options_.build.calibration.empty()) config_.calibration = options_.build.calibration;
  if (batch_) config_.max_batch = *batch_;
  if (timeout_) config_.timeout = std::chrono::seconds(*timeout_);
  TERN_RETURN_IF_ERROR(common_.gpu_flags().apply(config_));
  std::vector<ShapeProfile> given;
  for (const std::string& text : profiles_) {
    auto profile = parse_profile(text);
    if (!profile.ok()) return profile.status().at("--profile");
    std::erase_if(config_.profiles, [&](const ShapeProfile& p) { return p.tensor == profile->tensor; });
    given.push_back(std::move(*profile));
  }
  config_.profiles.insert(config_.profiles.end(), given.begin(), given.end());
  return {};
}

}  // namespace tern
