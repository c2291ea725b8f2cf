// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "tern/log.h"
#include "tern/pipeline_metrics.h"

namespace tern {

/// What sources and sinks tell besides frames and results.
struct LiveHooks {
  std::shared_ptr<Logger> logger = null_logger();
  /// Where they count, asked for when there is something to count; null, or returning null: nowhere. Pipeline::metrics(), which is there
  /// later than sources and sinks are made.
  std::function<MetricRegistry*()> metrics{};
};

/// The counter, or null where `hooks` have no registry.
[[nodiscard]] inline MetricCounter* find_counter(const LiveHooks& hooks, std::string_view name, std::string_view help,
                                                 MetricRegistry::Labels labels) {
  MetricRegistry* const registry = hooks.metrics ? hooks.metrics() : nullptr;
  if (registry == nullptr) return nullptr;
  const Result<MetricCounter*> counter = registry->counter(name, help, std::move(labels));
  return counter.ok() ? *counter : nullptr;
}

}  // namespace tern
