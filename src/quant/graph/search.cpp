// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "model/text.h"
#include "tern/quant_search.h"

namespace tern {
namespace {

class Search {
 public:
  Search(const Model& model, const TensorRanges& ranges, const QuantizeOptions& options, const Evaluate& evaluate,
         const SearchOptions& search)
      : model_(model), ranges_(ranges), options_(options), evaluate_(evaluate), search_(search) {}

  /// `order`: the most sensitive layer first.
  Result<SearchResult> run(const std::vector<std::string>& order);

 private:
  using Layers = std::vector<std::string>;

  /// Whether the floor holds with these layers float; none when there are no evaluations left.
  Result<std::optional<bool>> holds(const Layers& float_layers);
  Status grow(const Layers& order);
  Status shrink(const Layers& order);
  Status give_back();
  [[nodiscard]] bool spent() const { return steps_.size() >= search_.max_evaluations; }

  const Model& model_;
  const TensorRanges& ranges_;
  const QuantizeOptions& options_;
  const Evaluate& evaluate_;
  const SearchOptions& search_;
  std::vector<SearchStep> steps_;
  std::optional<SearchResult> best_;  ///< of those that hold, the one with the fewest; while none holds, the best score
  std::size_t too_few_ = 0;           ///< so many of the order do not hold
};

Result<std::optional<bool>> Search::holds(const Layers& float_layers) {
  if (search_.stop.stop_requested()) return Status(StatusCode::kCancelled, "the search was stopped");
  if (spent()) return std::optional<bool>();
  if (search_.progress) {
    search_.progress(fmt::format("measuring with {} more layers in float", float_layers.size()),
                     static_cast<double>(steps_.size()) / static_cast<double>(search_.max_evaluations));
  }
  QuantizeOptions options = options_;
  options.exclude_nodes.insert(options.exclude_nodes.end(), float_layers.begin(), float_layers.end());
  TERN_ASSIGN_OR_RETURN(Model quantised, quantize(model_, ranges_, options));
  TERN_ASSIGN_OR_RETURN(const double score, evaluate_(quantised));
  if (std::isnan(score)) return Status(StatusCode::kInputError, "the evaluation gave NaN");
  steps_.push_back({float_layers, score});
  const bool holds = score >= search_.floor;
  if (!best_ || (holds && !best_->holds) || (!holds && !best_->holds && score > best_->score) ||
      (holds && float_layers.size() < best_->float_layers.size()))
    best_ = SearchResult{std::move(quantised), float_layers, score, holds, {}};
  return std::optional<bool>(holds);
}

Status Search::grow(const Layers& order) {
  // One layer has to stay int8, or there is nothing to quantise.
  const std::size_t most = order.size() - 1;
  for (std::size_t count = 0;; count = count == 0 ? 1 : std::min(2 * count, most)) {
    TERN_ASSIGN_OR_RETURN(const auto found, holds({order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count)}));
    if (!found || *found || count >= most) return {};
    too_few_ = count;
  }
}

Status Search::shrink(const Layers& order) {
  while (best_->float_layers.size() > too_few_ + 1) {
    const std::size_t middle = (too_few_ + best_->float_layers.size()) / 2;
    TERN_ASSIGN_OR_RETURN(const auto found,
                          holds({order.begin(), order.begin() + static_cast<std::ptrdiff_t>(middle)}));
    if (!found) return {};
    if (!*found) too_few_ = middle;
  }
  return {};
}

// Noise says which layer is disturbed, not which one matters.
Status Search::give_back() {
  const Layers candidates = best_->float_layers;
  for (auto layer = candidates.rbegin(); layer != candidates.rend(); ++layer) {
    Layers fewer = best_->float_layers;
    std::erase(fewer, *layer);
    if (fewer.empty()) return {};  // measured at the start
    TERN_ASSIGN_OR_RETURN(const auto found, holds(fewer));
    if (!found) return {};
  }
  return {};
}

Result<SearchResult> Search::run(const std::vector<std::string>& order) {
  TERN_RETURN_IF_ERROR(grow(order));
  if (best_->holds) {
    TERN_RETURN_IF_ERROR(shrink(order));
    TERN_RETURN_IF_ERROR(give_back());
  }
  best_->steps = std::move(steps_);
  return *std::move(best_);
}

}  // namespace

Result<SearchResult> search_float_layers(const Model& model, const TensorRanges& ranges, const QuantizeOptions& options,
                                         std::span<const LayerSensitivity> layers, const Evaluate& evaluate,
                                         const SearchOptions& search) {
  if (search.max_evaluations < 1)
    return Status(StatusCode::kConfigError, "a search of no evaluations; at least one is needed");
  std::vector<LayerSensitivity> sorted(layers.begin(), layers.end());
  std::ranges::stable_sort(sorted, {}, &LayerSensitivity::sqnr_db);
  std::vector<std::string> order;
  for (const LayerSensitivity& layer : sorted)
    order.push_back(layer.node);
  if (order.empty()) return Status(StatusCode::kInputError, "a search needs the sensitivity of the layers");
  return Search(model, ranges, options, evaluate, search).run(order);
}

}  // namespace tern
