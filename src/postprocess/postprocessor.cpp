// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "postprocess/checks.h"
#include "postprocess/cpu/classify.h"
#include "postprocess/cpu/detect.h"
#include "postprocess/cpu/kernels.h"
#include "postprocess/cpu/segment.h"
#include "tern/postprocess.h"

namespace tern {

struct Postprocessor::State {
  OutputContract contract;
  DetectionDecoder detections;
  MaskDecoder masks;
  std::vector<float> converted;  // one f16 batch row as f32

  /// `kind` is what the caller decodes.
  [[nodiscard]] Status check_kind(bool fits, std::string_view task) const {
    if (fits) return {};
    return make_error(StatusCode::kContractError, "the contract's output is {}; it cannot be decoded to {}",
                      to_string(contract.kind), task)
        .at(contract.tensor);
  }

  /// Calls `decode(values, batch_row)`, a Result<bool> that is false for NaN and infinity, for each batch row.
  template <typename Decode>
  [[nodiscard]] Status for_each_row(const TensorView& output, Decode&& decode) {
    const auto rows = static_cast<std::size_t>(output.shape()[0]);
    const std::size_t length = rows == 0 ? 0 : output.elements() / rows;
    for (std::size_t row = 0; row < rows; ++row) {
      std::span<const float> values;
      if (output.dtype() == DType::kF16) {
        converted.resize(length);
        halves_to_floats(static_cast<const std::uint16_t*>(output.data()) + row * length, length, converted.data());
        values = converted;
      } else {
        values = {static_cast<const float*>(output.data()) + row * length, length};
      }
      const Result<bool> is_finite = decode(values, row);
      if (!is_finite.ok()) return is_finite.status().at(fmt::format("{}, batch row {}", contract.tensor, row));
      if (!*is_finite) return non_finite_error(contract, output.shape(), values, row);
    }
    return {};
  }
};

namespace {

Status check_geometries(std::span<const Geometry> geometry, std::size_t results) {
  if (geometry.size() != results)
    return make_error(StatusCode::kInputError, "{} geometries for {} results", geometry.size(), results);
  for (const Geometry& g : geometry)
    TERN_RETURN_IF_ERROR(check_geometry(g));
  return {};
}

}  // namespace

Postprocessor::Postprocessor(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Postprocessor::Postprocessor(Postprocessor&& other) noexcept = default;
Postprocessor& Postprocessor::operator=(Postprocessor&& other) noexcept = default;
Postprocessor::~Postprocessor() = default;

Result<Postprocessor> Postprocessor::create(const OutputContract& contract) {
  TERN_RETURN_IF_ERROR(check_output_contract(contract));
  auto state = std::make_unique<State>();
  state->contract = contract;
  return Postprocessor(std::move(state));
}

Status Postprocessor::detect(const TensorView& output, std::span<const Geometry> geometry,
                             std::span<std::vector<Detection>> results) {
  State& s = *state_;
  const bool is_yolo = s.contract.kind == OutputKind::kYolo;
  TERN_RETURN_IF_ERROR(s.check_kind(is_yolo || s.contract.kind == OutputKind::kEnd2End, "boxes"));
  TERN_RETURN_IF_ERROR(check_output_tensor(s.contract, output, results.size()));
  TERN_RETURN_IF_ERROR(check_geometries(geometry, results.size()));
  return s.for_each_row(output, [&](std::span<const float> values, std::size_t row) {
    if (!is_yolo) return s.detections.end2end(s.contract, values, geometry[row], results[row]);
    const auto anchors = static_cast<std::size_t>(output.shape()[2]);
    return s.detections.yolo(s.contract, values.data(), anchors, geometry[row], results[row]);
  });
}

Status Postprocessor::segment(const TensorView& output, std::span<const Geometry> geometry,
                              std::span<Segmentation> results) {
  State& s = *state_;
  TERN_RETURN_IF_ERROR(s.check_kind(s.contract.kind == OutputKind::kSegmentation, "masks"));
  TERN_RETURN_IF_ERROR(check_output_tensor(s.contract, output, results.size()));
  TERN_RETURN_IF_ERROR(check_geometries(geometry, results.size()));
  return s.for_each_row(output, [&](std::span<const float> values, std::size_t row) -> Result<bool> {
    const LogitPlanes logits{values.data(), s.contract.classes, static_cast<int>(output.shape()[3]),
                             static_cast<int>(output.shape()[2])};
    return s.masks.decode(s.contract, logits, geometry[row], results[row]);
  });
}

Status Postprocessor::classify(const TensorView& output, std::span<Classification> results) {
  State& s = *state_;
  TERN_RETURN_IF_ERROR(s.check_kind(s.contract.kind == OutputKind::kClassification, "classes"));
  TERN_RETURN_IF_ERROR(check_output_tensor(s.contract, output, results.size()));
  return s.for_each_row(output, [&](std::span<const float> values, std::size_t row) -> Result<bool> {
    if (!classify_values(values, s.contract.logits, results[row])) return false;
    for (float& p : results[row].probabilities) {
      if (p >= -kProbabilityMargin && p <= 1 + kProbabilityMargin) {
        p = std::clamp(p, 0.0F, 1.0F);
        continue;
      }
      return make_error(StatusCode::kInferenceError, "the output holds {} in row {} where a probability is expected", p,
                        row)
          .at(s.contract.tensor)
          .with_hint("if the model gives logits, set output.logits in its contract");
    }
    return true;
  });
}

}  // namespace tern
