// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "command.h"
#include "tern/signature.h"

namespace tern {
namespace {

class KeysCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.require_subcommand(1);
    new_ = app.add_subcommand("new", "Make a key pair: FILE (private, mode 0600) and FILE.pub");
    new_->add_option("FILE", file_, "Where the private key goes; nothing is replaced")->required();
    show_ = app.add_subcommand("show", "Print the ids of the public keys in a folder or file");
    show_->add_option("PATH", file_, "A *.pub file, or a folder of them")->required();
  }

  Status run(const Environment& environment) override {
    if (show_->parsed()) {
      TERN_ASSIGN_OR_RETURN(const TrustStore trust, TrustStore::from_path(file_));
      for (const std::string& id : trust.ids())
        environment.console.print(id);
      return {};
    }
    TERN_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::generate());
    TERN_RETURN_IF_ERROR(key.write(file_));
    environment.console.print(fmt::format(
        "key {}: wrote {} (keep it secret) and {}.pub (goes into the trust folder of those who load your engines)",
        key.id(), file_, file_));
    return {};
  }

 private:
  std::string file_;
  CLI::App *new_ = nullptr, *show_ = nullptr;
};

}  // namespace

const CommandInfo kKeysCommand{"keys", "Make and show the keys that engines are signed with",
                               "  tern keys new robot.key\n"
                               "  tern compile MODEL.onnx --sign-key robot.key -o engines\n"
                               "  tern keys show trusted/",
                               [] { return std::unique_ptr<Command>(std::make_unique<KeysCommand>()); }};

}  // namespace tern
