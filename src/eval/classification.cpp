// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "tern/eval.h"

namespace tern {

ClassificationEvaluator::ClassificationEvaluator(std::vector<std::string> class_names)
    : names_(std::move(class_names)), images_(names_.size(), 0), correct_(names_.size(), 0) {}

Status ClassificationEvaluator::add(int truth, int found) {
  for (const int id : {truth, found}) {
    if (id < 0 || static_cast<std::size_t>(id) >= names_.size())
      return make_error(StatusCode::kInputError, "there is no class {}; there are {}", id, names_.size());
  }
  ++images_[static_cast<std::size_t>(truth)];
  if (truth == found) ++correct_[static_cast<std::size_t>(truth)];
  return {};
}

ClassificationScores ClassificationEvaluator::scores() const {
  ClassificationScores scores;
  for (std::size_t c = 0; c < names_.size(); ++c) {
    scores.images += images_[c];
    scores.correct += correct_[c];
    std::optional<double> top1;
    if (images_[c] > 0) top1 = static_cast<double>(correct_[c]) / static_cast<double>(images_[c]);
    scores.per_class.push_back({names_[c], images_[c], correct_[c], top1});
  }
  if (scores.images > 0) scores.top1 = static_cast<double>(scores.correct) / static_cast<double>(scores.images);
  return scores;
}

}  // namespace tern
