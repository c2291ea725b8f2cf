// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "tern/engine.h"

namespace CLI {
class App;
}

namespace tern {

/// The flags of BuildConfig that GPU backends know, and the GPU itself. All commands that may build an engine have them, so that an
/// engine which was compiled with some is found with the same.
class GpuFlags {
 public:
  void declare(CLI::App& app);
  /// Sets what the user gave. ConfigError, at the flag, on a malformed value.
  [[nodiscard]] Status apply(BuildConfig& config) const;

 private:
  std::optional<std::string> device_, workspace_, timing_cache_, hardware_;
  std::optional<int> optimization_level_, aux_streams_, dla_core_;
  bool tf32_ = false, version_compatible_ = false;
};

}  // namespace tern
