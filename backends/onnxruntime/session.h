// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "api.h"
#include "base/log_ring.h"
#include "provider.h"
#include "tern/engine.h"

namespace tern::ort_backend {

/// How a session is made.
struct SessionSettings {
  Provider provider = Provider::kCpu;
  Precision precision = Precision::kF32;
  bool fuses_quantised =
      true;  ///< whether Q/DQ around a layer make it an integer one; else their values are rounded, and it is f32
  int threads = 1;  ///< of an inference, the caller's included
  PerformanceHint hint = PerformanceHint::kLatency;
  std::uint64_t workspace = 0;
  std::string timing_cache{};
};

/// The cores that the process may use, where `asked` is 0.
[[nodiscard]] int thread_count(int asked);

/// Optimises a model for this processor (or GPU) and gives it back as ONNX. `log` hears every line, the verbose ones too.
[[nodiscard]] Result<std::vector<std::byte>> optimise(const std::string& model, const SessionSettings& settings,
                                                      LogRing& log);

/// A session that runs an optimised model as it stands. Throws Ort::Exception.
[[nodiscard]] Ort::Session open_session(std::span<const std::byte> optimised, const SessionSettings& settings);

}  // namespace tern::ort_backend
