// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/cpu/classify.h"

#include <algorithm>
#include <cmath>

#include "postprocess/cpu/kernels.h"

namespace tern {

bool classify_values(std::span<const float> values, bool are_logits, Classification& result) {
  if (!all_finite(values)) return false;
  const auto largest = std::ranges::max_element(values);
  result.class_id = static_cast<int>(largest - values.begin());
  result.logits.assign(values.begin(), values.end());
  if (!are_logits) {  // the model has applied softmax or sigmoid itself
    result.probabilities = result.logits;
    return true;
  }
  result.probabilities.resize(values.size());
  const auto exp_of = [&](float logit) { return std::exp(static_cast<double>(logit) - static_cast<double>(*largest)); };
  double sum = 0;
  for (const float logit : values)
    sum += exp_of(logit);
  for (std::size_t i = 0; i < values.size(); ++i)
    result.probabilities[i] = static_cast<float>(exp_of(values[i]) / sum);
  return true;
}

}  // namespace tern
