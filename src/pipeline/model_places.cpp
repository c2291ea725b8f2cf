// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/model_places.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace tern {
namespace {

std::size_t index_of(const PipelineSpec& spec, const std::string& model) {
  return static_cast<std::size_t>(std::ranges::find(spec.models, model, &PipelineSpec::Model::name) -
                                  spec.models.begin());
}

/// Which of a model's classes are listed; empty: no list was given.
Result<std::vector<bool>> chosen(const std::vector<std::string>& wanted, const Contract& contract,
                                 std::string_view model) {
  std::vector<bool> is_chosen;
  const std::vector<std::string>& names = contract.output.names;
  for (const std::string& name : wanted) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end())
      return make_error(StatusCode::kConfigError, "model '{}' has no class '{}'; it has {}", model, name,
                        fmt::join(names, ", "));
    is_chosen.resize(names.size());
    is_chosen[static_cast<std::size_t>(found - names.begin())] = true;
  }
  return is_chosen;
}

Status place_mask(const PipelineSpec& spec, const std::vector<const Contract*>& contracts, std::size_t index,
                  ModelPlace& place) {
  const PipelineSpec::Model& model = spec.models[index];
  const bool takes_mask = contracts[index]->input.mask_channel;
  if (model.region_mask.empty()) {
    if (!takes_mask) return {};
    return make_error(StatusCode::kConfigError, "takes a region mask as its fourth channel, and none is given")
        .with_hint("give it crops_of: a detector, and region_mask: a segmenter");
  }
  if (!takes_mask)
    return make_error(StatusCode::kConfigError, "has a region_mask, but takes no mask beside the picture");
  const std::size_t of = index_of(spec, model.region_mask);
  const Contract& segmenter = *contracts[of];
  if (segmenter.task != Task::kSegment)
    return make_error(StatusCode::kConfigError, "region_mask: '{}' is made to {}, not to segment", model.region_mask,
                      to_string(segmenter.task));
  if (!segmenter.output.return_to_input_size)
    return make_error(StatusCode::kConfigError, "region_mask: the masks of '{}' do not have the frame's size",
                      model.region_mask)
        .with_hint("its contract has output.return_to_input_size false");
  place.mask_model = static_cast<int>(of);
  TERN_ASSIGN_OR_RETURN(place.is_mask_inside, chosen(model.region_classes, segmenter, model.region_mask));
  return {};
}

Status place_crops(const PipelineSpec& spec, const std::vector<const Contract*>& contracts, std::size_t index,
                   std::vector<PlacedModel>& placed) {
  const PipelineSpec::Model& model = spec.models[index];
  if (model.crops_of.empty()) return {};
  const std::size_t of = index_of(spec, model.crops_of);
  if (contracts[of]->task != Task::kDetect)
    return make_error(StatusCode::kConfigError, "crops_of: '{}' is made to {}, and only a detector has boxes",
                      model.crops_of, to_string(contracts[of]->task));
  if (contracts[index]->task == Task::kSegment)
    return make_error(StatusCode::kConfigError, "a segmenter does not work on crops")
        .with_hint("let it work on the frame");
  if (!spec.models[of].crops_of.empty())
    return make_error(StatusCode::kConfigError, "crops_of: '{}' works on crops itself, and crops of crops are not made",
                      model.crops_of);
  placed[index].place.works_on_crops = true;
  placed[of].croppers.push_back(index);
  CropRule& rule = placed[index].crop_rule;
  rule.max_crops = model.max_crops;
  rule.margin = model.crop_margin;
  TERN_ASSIGN_OR_RETURN(rule.is_wanted, chosen(model.classes, *contracts[of], model.crops_of));
  return {};
}

}  // namespace

Result<std::vector<PlacedModel>> place_models(const PipelineSpec& spec, const std::vector<const Contract*>& contracts) {
  std::vector<PlacedModel> placed(spec.models.size());
  for (std::size_t i = 0; i < spec.models.size(); ++i) {
    const auto where = [&](const Status& status) { return status.at(fmt::format("model '{}'", spec.models[i].name)); };
    placed[i].place.model = i;
    TERN_RETURN_IF_ERROR(where(place_crops(spec, contracts, i, placed)));
    TERN_RETURN_IF_ERROR(where(place_mask(spec, contracts, i, placed[i].place)));
  }
  return placed;
}

}  // namespace tern
