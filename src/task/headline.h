// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tern/contract.h"
#include "tern/results.h"

/// The outcome of a call in a few words, for the log.
namespace tern::detail {

/// "3 objects, best car 0.91".
[[nodiscard]] std::string headline(std::span<const std::vector<Detection>> results, const OutputContract& output);
/// "most of it road, 43.0%".
[[nodiscard]] std::string headline(std::span<const Segmentation> results, const OutputContract& output);
/// "obstructed, score 2.100, probability 0.891": the score is the model's own number.
[[nodiscard]] std::string headline(std::span<const Classification> results, const OutputContract& output);

}  // namespace tern::detail
