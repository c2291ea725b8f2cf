// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/contract_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <unordered_set>

#include "base/error.h"
#include "model/strict_json.h"
#include "model/text.h"

namespace tern {
namespace {

using nlohmann::json;

constexpr int kMaxSide = 32768;
constexpr int kMaxClasses = 65536;
constexpr std::size_t kMaxClassNameBytes = 256;
constexpr std::size_t kMaxTensorNameBytes = 4096;
constexpr double kMaxMagnitude = 1e6;

// The values of each enumeration; to_string() spells them.
constexpr std::array kTasks{Task::kDetect, Task::kSegment, Task::kClassify};
constexpr std::array kResizeRules{ResizeRule::kStretch, ResizeRule::kLetterbox, ResizeRule::kCenterCrop,
                                  ResizeRule::kNone};
constexpr std::array kPadSides{PadSide::kCenter, PadSide::kBottomRight};
constexpr std::array kRoundings{Rounding::kRound, Rounding::kFloor, Rounding::kCeil};
constexpr std::array kInterpolations{Interpolation::kBilinear, Interpolation::kNearest, Interpolation::kArea};
constexpr std::array kColors{ColorOrder::kRgb, ColorOrder::kBgr, ColorOrder::kGray};
constexpr std::array kLayouts{TensorLayout::kNchw, TensorLayout::kNhwc};
constexpr std::array kInputTypes{DType::kF32, DType::kF16, DType::kU8};
constexpr std::array kOutputKinds{OutputKind::kYolo, OutputKind::kEnd2End, OutputKind::kSegmentation,
                                  OutputKind::kClassification};

template <typename... Args>
Status wrong(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(StatusCode::kContractError, format, std::forward<Args>(args)...);
}

std::string show(const json& value) {
  if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() > 96 ? text.substr(0, 96) + "..." : text;
}

template <typename E, std::size_t N>
Status read_enum(const json& value, const std::array<E, N>& known, E& out) {
  std::vector<std::string_view> names;
  names.reserve(N);
  for (const E e : known)
    names.push_back(to_string(e));
  if (!value.is_string()) return wrong("must be one of {}; it is {}", fmt::join(names, ", "), show(value));
  const auto& text = value.get_ref<const std::string&>();
  for (const E e : known) {
    if (to_string(e) == text) {
      out = e;
      return {};
    }
  }
  return wrong("must be one of {}; it is {}", fmt::join(names, ", "), show(value)).with_hint(suggest(text, names));
}

Status read_number(const json& value, double low, double high, double& out) {
  const double number = value.is_number() ? value.get<double>() : 0.0;
  if (!value.is_number() || !std::isfinite(number) || number < low || number > high) {
    return wrong("must be a number in {}..{}; it is {}", low, high, show(value));
  }
  out = number + 0.0;  // -0 becomes 0: equal contracts have equal bytes
  return {};
}

Status read_whole(const json& value, int low, int high, int& out) {
  // 640.0 is an integer, as in JSON Schema.
  const double number = value.is_number() ? value.get<double>() : -1.0;
  if (!value.is_number() || number != std::floor(number) || number < low || number > high) {
    return wrong("must be a whole number in {}..{}; it is {}", low, high, show(value));
  }
  out = static_cast<int>(number);
  return {};
}

Status read_bool(const json& value, bool& out) {
  if (!value.is_boolean()) return wrong("must be true or false; it is {}", show(value));
  out = value.get<bool>();
  return {};
}

Status read_unit(const json& value, float& out) {
  double number = 0;
  TERN_RETURN_IF_ERROR(read_number(value, 0, 1, number));
  out = static_cast<float>(number);
  return {};
}

Status read_tensor_name(const json& value, std::string& out) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty() ||
      value.get_ref<const std::string&>().size() > kMaxTensorNameBytes) {
    return wrong("must be the name of a tensor; it is {}", show(value));
  }
  out = value.get<std::string>();
  return {};
}

// A number, or a fraction as text: "1/255".
Status read_scale(const json& value, double& out) {
  double number = 0;
  bool ok = value.is_number();
  if (ok) {
    number = value.get<double>();
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const std::size_t slash = std::min(text.find('/'), text.size());
    double over = 1, under = 1;
    const auto parse = [](std::string_view part, double& into) {
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), into);
      return error == std::errc() && end == part.data() + part.size();
    };
    const std::string_view view = text;
    ok = parse(view.substr(0, slash), over) && (slash == text.size() || parse(view.substr(slash + 1), under));
    number = over / under;
  }
  if (!ok || !std::isfinite(number) || number <= 0 || number > kMaxMagnitude) {
    return wrong("must be a number above 0, or a fraction like \"1/255\"; it is {}", show(value));
  }
  out = number;
  return {};
}

// Missing entries keep `fill`: that of the mask, and of colours that a gray input has not.
Status read_channels(const json& value, double low, double fill, std::array<double, 4>& out) {
  if (!value.is_array() || value.empty() || value.size() > out.size()) {
    return wrong("must be an array with one number for each channel; it is {}", show(value));
  }
  out.fill(fill);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Status status = read_number(value[i], low, kMaxMagnitude, out[i]);
    if (!status.ok()) return wrong("entry {} {}", i, status.message());
  }
  return {};
}

Status read_std(const json& value, std::array<double, 4>& out) {
  TERN_RETURN_IF_ERROR(read_channels(value, 0, 1, out));
  if (std::ranges::find(out, 0.0) != out.end()) {
    return wrong("must not have a 0 in it, since values are divided by it; it is {}", show(value));
  }
  return {};
}

Status read_names(const json& value, std::vector<std::string>& out) {
  if (!value.is_array() || value.empty() || value.size() > static_cast<std::size_t>(kMaxClasses)) {
    return wrong("must be an array of 1..{} class names; it is {}", kMaxClasses, show(value));
  }
  std::vector<std::string> names;
  for (const json& entry : value) {
    if (!entry.is_string()) return wrong("must be an array of class names; entry {} is {}", names.size(), show(entry));
    const auto& name = entry.get_ref<const std::string&>();
    if (name.empty() || name.size() > kMaxClassNameBytes || !is_utf8(name) || has_control_character(name)) {
      return wrong("entry {} must be a name of 1..{} bytes of UTF-8 without control characters; it is {}", names.size(),
                   kMaxClassNameBytes, show(entry));
    }
    names.push_back(name);
  }
  out = std::move(names);
  return {};
}

// The double with the shortest decimal form that is this float, so that 0.3F is written as 0.3.
json short_float(float value) {
  return std::strtod(fmt::format("{}", value).c_str(), nullptr);
}

template <typename E>
json spelled(E value) {
  return std::string(to_string(value));
}

constexpr bool kFact = true, kPolicy = false, kText = true, kOther = false;
using C = Contract;
using J = json;

constexpr std::array kFields{
    ContractField{"task", kFact, kText, [](const J& v, C& c) { return read_enum(v, kTasks, c.task); },
                  [](const C& c) { return spelled(c.task); }},
    ContractField{"input.tensor", kPolicy, kText, [](const J& v, C& c) { return read_tensor_name(v, c.input.tensor); },
                  [](const C& c) { return J(c.input.tensor); }},
    ContractField{"input.width", kFact, kOther,
                  [](const J& v, C& c) { return read_whole(v, 0, kMaxSide, c.input.width); },
                  [](const C& c) { return J(c.input.width); }},
    ContractField{"input.height", kFact, kOther,
                  [](const J& v, C& c) { return read_whole(v, 0, kMaxSide, c.input.height); },
                  [](const C& c) { return J(c.input.height); }},
    ContractField{"input.min_side", kPolicy, kOther,
                  [](const J& v, C& c) { return read_whole(v, 1, kMaxSide, c.input.min_side); },
                  [](const C& c) { return J(c.input.min_side); }},
    ContractField{"input.max_side", kPolicy, kOther,
                  [](const J& v, C& c) { return read_whole(v, 0, kMaxSide, c.input.max_side); },
                  [](const C& c) { return J(c.input.max_side); }},
    ContractField{"input.resize", kPolicy, kText,
                  [](const J& v, C& c) { return read_enum(v, kResizeRules, c.input.resize); },
                  [](const C& c) { return spelled(c.input.resize); }},
    ContractField{"input.pad_value", kPolicy, kOther,
                  [](const J& v, C& c) { return read_whole(v, 0, 255, c.input.pad_value); },
                  [](const C& c) { return J(c.input.pad_value); }},
    ContractField{"input.pad_side", kPolicy, kText,
                  [](const J& v, C& c) { return read_enum(v, kPadSides, c.input.pad_side); },
                  [](const C& c) { return spelled(c.input.pad_side); }},
    ContractField{"input.rounding", kPolicy, kText,
                  [](const J& v, C& c) { return read_enum(v, kRoundings, c.input.rounding); },
                  [](const C& c) { return spelled(c.input.rounding); }},
    ContractField{"input.interpolation", kPolicy, kText,
                  [](const J& v, C& c) { return read_enum(v, kInterpolations, c.input.interpolation); },
                  [](const C& c) { return spelled(c.input.interpolation); }},
    ContractField{"input.color", kFact, kText, [](const J& v, C& c) { return read_enum(v, kColors, c.input.color); },
                  [](const C& c) { return spelled(c.input.color); }},
    ContractField{"input.scale", kFact, kOther, [](const J& v, C& c) { return read_scale(v, c.input.scale); },
                  [](const C& c) { return J(c.input.scale); }},
    ContractField{"input.mean", kFact, kOther,
                  [](const J& v, C& c) { return read_channels(v, -kMaxMagnitude, 0, c.input.mean); },
                  [](const C& c) { return J(c.input.mean); }},
    ContractField{"input.std", kFact, kOther, [](const J& v, C& c) { return read_std(v, c.input.std); },
                  [](const C& c) { return J(c.input.std); }},
    ContractField{"input.layout", kFact, kText, [](const J& v, C& c) { return read_enum(v, kLayouts, c.input.layout); },
                  [](const C& c) { return spelled(c.input.layout); }},
    ContractField{"input.dtype", kFact, kText,
                  [](const J& v, C& c) { return read_enum(v, kInputTypes, c.input.dtype); },
                  [](const C& c) { return spelled(c.input.dtype); }},
    ContractField{"input.mask_channel", kFact, kOther,
                  [](const J& v, C& c) { return read_bool(v, c.input.mask_channel); },
                  [](const C& c) { return J(c.input.mask_channel); }},
    ContractField{"output.tensor", kPolicy, kText,
                  [](const J& v, C& c) { return read_tensor_name(v, c.output.tensor); },
                  [](const C& c) { return J(c.output.tensor); }},
    ContractField{"output.kind", kFact, kText,
                  [](const J& v, C& c) { return read_enum(v, kOutputKinds, c.output.kind); },
                  [](const C& c) { return spelled(c.output.kind); }},
    ContractField{"output.classes", kFact, kOther,
                  [](const J& v, C& c) { return read_whole(v, 1, kMaxClasses, c.output.classes); },
                  [](const C& c) { return J(c.output.classes); }},
    ContractField{"output.names", kFact, kOther, [](const J& v, C& c) { return read_names(v, c.output.names); },
                  [](const C& c) { return J(c.output.names); }},
    ContractField{"output.logits", kFact, kOther, [](const J& v, C& c) { return read_bool(v, c.output.logits); },
                  [](const C& c) { return J(c.output.logits); }},
    ContractField{"output.score_threshold", kPolicy, kOther,
                  [](const J& v, C& c) { return read_unit(v, c.output.score_threshold); },
                  [](const C& c) { return short_float(c.output.score_threshold); }},
    ContractField{"output.nms_iou", kPolicy, kOther, [](const J& v, C& c) { return read_unit(v, c.output.nms_iou); },
                  [](const C& c) { return short_float(c.output.nms_iou); }},
    ContractField{"output.class_aware_nms", kPolicy, kOther,
                  [](const J& v, C& c) { return read_bool(v, c.output.class_aware_nms); },
                  [](const C& c) { return J(c.output.class_aware_nms); }},
    ContractField{"output.max_detections", kPolicy, kOther,
                  [](const J& v, C& c) { return read_whole(v, 1, 10000, c.output.max_detections); },
                  [](const C& c) { return J(c.output.max_detections); }},
    ContractField{"output.return_to_input_size", kPolicy, kOther,
                  [](const J& v, C& c) { return read_bool(v, c.output.return_to_input_size); },
                  [](const C& c) { return J(c.output.return_to_input_size); }},
};

constexpr auto kPaths = [] {
  std::array<std::string_view, kFields.size()> paths;
  for (std::size_t i = 0; i < paths.size(); ++i)
    paths[i] = kFields[i].path;
  return paths;
}();

Status read_section(const json& object, std::string_view section, const FieldOrigin& origin, GivenValues& out) {
  if (!object.is_object()) return wrong("'{}' must be an object with fields; it is {}", section, show(object));
  for (const auto& [key, value] : object.items()) {
    const std::string path = fmt::format("{}.{}", section, key);
    if (find_contract_field(path) == nullptr) {
      return wrong("unknown field {}", in_quotes(path)).with_hint(suggest(path, kPaths));
    }
    out.insert_or_assign(path, GivenValue{value, origin});
  }
  return {};
}

Status check_channel_numbers(const Contract& contract, const GivenValues& given) {
  const InputContract& in = contract.input;
  const auto colors = static_cast<std::size_t>(in.color_channels());
  for (const std::string_view path : {"input.mean", "input.std"}) {
    const auto found = given.find(path);
    if (found == given.end()) continue;
    const std::size_t count = found->second.value.size();
    if (count != colors && count != static_cast<std::size_t>(in.channels()) && count != in.mean.size()) {
      return wrong("{} has {} numbers in {}, but the input has {} colour channels", path, count,
                   describe(found->second.origin), colors);
    }
  }
  for (std::size_t c = colors; c < in.mean.size(); ++c) {
    if (in.mean[c] != 0 || in.std[c] != 1) {
      return wrong("input.mean and input.std must be 0 and 1 behind the {} colour channels: a mask is not normalised",
                   colors);
    }
  }
  // The mean of pixel values lies among them; far outside, scale and mean are of different conventions.
  const double white = 255 * in.scale;
  for (std::size_t c = 0; c < colors; ++c) {
    if (in.mean[c] < -white || in.mean[c] > 2 * white) {
      return wrong("input.mean {} lies outside the pixel values 0..{:.4g} that input.scale {:.6g} gives", in.mean[c],
                   white, in.scale)
          .with_hint("a mean of pixels in 0..255 belongs to input.scale 1, a mean in 0..1 to input.scale 1/255");
    }
  }
  return {};
}

Status check_sides(const InputContract& in) {
  if (in.max_side != 0 && in.min_side > in.max_side) {
    return wrong("input.min_side {} is above input.max_side {}", in.min_side, in.max_side);
  }
  for (const auto& [path, side] : {std::pair("input.width", in.width), std::pair("input.height", in.height)}) {
    if (side != 0 && (side < in.min_side || (in.max_side != 0 && side > in.max_side))) {
      return wrong("{} {} is outside input.min_side..input.max_side ({}..{})", path, side, in.min_side, in.max_side);
    }
  }
  return {};
}

}  // namespace

std::span<const ContractField> contract_fields() noexcept {
  return kFields;
}

std::span<const std::string_view> contract_paths() noexcept {
  return kPaths;
}

const ContractField* find_contract_field(std::string_view path) noexcept {
  const auto* found = std::ranges::find(kFields, path, &ContractField::path);
  return found == kFields.end() ? nullptr : &*found;
}

std::string describe(const FieldOrigin& origin) {
  switch (origin.source) {
    case FieldOrigin::Source::kDefault:
      return origin.detail.empty() ? "tern's default" : "tern's default (" + origin.detail + ")";
    case FieldOrigin::Source::kModelShape:
      return "the model (" + origin.detail + ")";
    case FieldOrigin::Source::kMetadata:
      return "the ONNX " + origin.detail;
    case FieldOrigin::Source::kFile:
      return origin.detail;
    case FieldOrigin::Source::kFlag:
      return "the flag " + origin.detail;
  }
  return {};
}

Status apply_field(const ContractField& field, const GivenValue& given, Contract& contract) {
  const Status status = field.read(given.value, contract);
  if (status.ok()) return {};
  return wrong("{} {}", field.path, status.message()).at(describe(given.origin)).with_hint(status.hint());
}

Result<GivenValues> read_contract_json(std::string_view text, const FieldOrigin& origin) {
  TERN_ASSIGN_OR_RETURN(const json root, parse_strict_json(text, StatusCode::kContractError));
  if (!root.is_object()) return wrong("must be an object with 'task', 'input' and 'output'");
  GivenValues given;
  for (const auto& [key, value] : root.items()) {
    if (key == "$schema" && value.is_string()) continue;
    if (key == "task") {
      given.insert_or_assign(key, GivenValue{value, origin});
    } else if (key == "input" || key == "output") {
      TERN_RETURN_IF_ERROR(read_section(value, key, origin, given));
    } else {
      constexpr std::array<std::string_view, 4> kKeys{"task", "input", "output", "$schema"};
      return wrong("unknown key {}", in_quotes(key)).with_hint(suggest(key, kKeys));
    }
  }
  return given;
}

Status check_consistency(const Contract& contract, const GivenValues& given) {
  const InputContract& in = contract.input;
  const OutputContract& out = contract.output;
  const bool detector = out.kind == OutputKind::kYolo || out.kind == OutputKind::kEnd2End;
  const Task task = detector ? Task::kDetect : out.kind == OutputKind::kSegmentation ? Task::kSegment : Task::kClassify;
  if (task != contract.task) {
    return wrong("task is '{}', but output.kind '{}' belongs to '{}'", to_string(contract.task), to_string(out.kind),
                 to_string(task));
  }
  if (out.names.size() != static_cast<std::size_t>(out.classes)) {
    return wrong("output.names has {} names, but output.classes is {}", out.names.size(), out.classes);
  }
  if (out.kind == OutputKind::kSegmentation && out.classes > 255) {
    return wrong("a segmentation of {} classes; at most 255 fit a mask's byte", out.classes);
  }
  if (!detector && out.classes < 2) {
    return wrong("a model with a single {} value: softmax over one class is always 1",
                 contract.task == Task::kSegment ? "mask" : "output")
        .with_hint("give the model two classes; a single sigmoid output is not supported");
  }
  if (detector && out.logits) return wrong("output.logits must be false for detectors: their scores are in 0..1");
  if (in.mask_channel && contract.task != Task::kClassify) {
    return wrong("input.mask_channel is for classifiers only; task is '{}'", to_string(contract.task));
  }
  TERN_RETURN_IF_ERROR(check_sides(in));
  return check_channel_numbers(contract, given);
}

}  // namespace tern
