// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/contract.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/sha256.h"
#include "model/contract_fields.h"
#include "model/text.h"

namespace tern {

std::string_view to_string(ResizeRule v) noexcept {
  switch (v) {
    case ResizeRule::kStretch:
      return "stretch";
    case ResizeRule::kLetterbox:
      return "letterbox";
    case ResizeRule::kCenterCrop:
      return "center_crop";
    case ResizeRule::kNone:
      return "none";
  }
  return {};
}

std::string_view to_string(PadSide v) noexcept {
  switch (v) {
    case PadSide::kCenter:
      return "center";
    case PadSide::kBottomRight:
      return "bottom_right";
  }
  return {};
}

std::string_view to_string(Rounding v) noexcept {
  switch (v) {
    case Rounding::kRound:
      return "round";
    case Rounding::kFloor:
      return "floor";
    case Rounding::kCeil:
      return "ceil";
  }
  return {};
}

std::string_view to_string(Interpolation v) noexcept {
  switch (v) {
    case Interpolation::kBilinear:
      return "bilinear";
    case Interpolation::kNearest:
      return "nearest";
    case Interpolation::kArea:
      return "area";
  }
  return {};
}

std::string_view to_string(ColorOrder v) noexcept {
  switch (v) {
    case ColorOrder::kRgb:
      return "rgb";
    case ColorOrder::kBgr:
      return "bgr";
    case ColorOrder::kGray:
      return "gray";
  }
  return {};
}

std::string_view to_string(TensorLayout v) noexcept {
  switch (v) {
    case TensorLayout::kNchw:
      return "nchw";
    case TensorLayout::kNhwc:
      return "nhwc";
  }
  return {};
}

std::string_view to_string(Task v) noexcept {
  switch (v) {
    case Task::kDetect:
      return "detect";
    case Task::kSegment:
      return "segment";
    case Task::kClassify:
      return "classify";
  }
  return {};
}

std::string_view to_string(OutputKind v) noexcept {
  switch (v) {
    case OutputKind::kYolo:
      return "yolo";
    case OutputKind::kEnd2End:
      return "end2end";
    case OutputKind::kSegmentation:
      return "segmentation";
    case OutputKind::kClassification:
      return "classification";
  }
  return {};
}

std::string_view to_string(FieldOrigin::Source v) noexcept {
  switch (v) {
    case FieldOrigin::Source::kDefault:
      return "default";
    case FieldOrigin::Source::kModelShape:
      return "model";
    case FieldOrigin::Source::kMetadata:
      return "metadata";
    case FieldOrigin::Source::kFile:
      return "file";
    case FieldOrigin::Source::kFlag:
      return "flag";
  }
  return {};
}

std::pair<int, int> InputContract::default_size() const noexcept {
  const int upper = max_side > 0 ? max_side : std::max(kDefaultSide, min_side);
  const int side = std::clamp(kDefaultSide, std::min(min_side, upper), upper);
  return {width > 0 ? width : side, height > 0 ? height : side};
}

std::string Contract::to_json() const {
  nlohmann::json root;  // its objects keep their keys sorted
  for (const ContractField& field : contract_fields()) {
    const std::size_t dot = field.path.find('.');
    if (dot == std::string_view::npos) {
      root[std::string(field.path)] = field.write(*this);
    } else {
      root[std::string(field.path.substr(0, dot))][std::string(field.path.substr(dot + 1))] = field.write(*this);
    }
  }
  return root.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Contract::hash() const {
  Sha256 hash;
  hash.update(to_json());
  return to_hex(hash.finish());
}

Result<Contract> Contract::from_json(std::string_view json, std::string_view where) {
  Contract contract;
  const auto read = [&]() -> Status {
    const FieldOrigin origin{FieldOrigin::Source::kFile, std::string(where)};
    TERN_ASSIGN_OR_RETURN(const GivenValues given, read_contract_json(json, origin));
    for (const ContractField& field : contract_fields()) {
      const auto found = given.find(field.path);
      if (found == given.end()) {
        return make_error(StatusCode::kContractError, "the field '{}' is missing", field.path);
      }
      if (const Status status = field.read(found->second.value, contract); !status.ok()) {
        return make_error(StatusCode::kContractError, "{} {}", field.path, status.message()).with_hint(status.hint());
      }
      contract.origins.emplace(field.path, origin);
    }
    return check_consistency(contract, given);
  };
  if (const Status status = read(); !status.ok()) return status.at(where);
  return contract;
}

}  // namespace tern
