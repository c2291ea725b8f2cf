// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/contract_metadata.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "model/literal.h"
#include "model/text.h"

namespace tern {
namespace {

using nlohmann::json;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

Status not_understood(std::string_view why) {
  return make_error(StatusCode::kContractError, "{}", why);
}

class MetadataReader {
 public:
  MetadataReader(const Model& model, const GivenValues& overrides) : model_(model), overrides_(overrides) {}
  Result<MetadataFacts> run();

 private:
  using Handler = Status (MetadataReader::*)(const std::string& text);
  struct Key {
    std::string_view name;
    Handler handler;
    std::array<std::string_view, 2> fields;  // that it speaks about
  };

  Status task(const std::string& text);
  Status names(const std::string& text);
  Status image_size(const std::string& text);
  Status color(const std::string& text) { return add("input.color", lower(text)); }
  Status scale(const std::string& text) { return add("input.scale", text); }
  Status mean(const std::string& text) { return numbers("input.mean", text); }
  Status std(const std::string& text) { return numbers("input.std", text); }
  Status layout(const std::string& text);
  Status end_to_end(const std::string& text);
  Status channels(const std::string& text);
  Status stride(const std::string& text);
  Status numbers(std::string_view path, const std::string& text);
  Status add(std::string_view path, const json& value);

  const Model& model_;
  const GivenValues& overrides_;
  MetadataFacts facts_;
  std::string key_;  // being read
};

// A value for a field; a second key that says something else about it is a contradiction.
Status MetadataReader::add(std::string_view path, const json& value) {
  const FieldOrigin origin{FieldOrigin::Source::kMetadata, "metadata '" + key_ + "'"};
  Contract scratch;
  TERN_RETURN_IF_ERROR(find_contract_field(path)->read(value, scratch));
  const auto [place, added] = facts_.values.try_emplace(std::string(path), GivenValue{value, origin});
  if (!added && place->second.value != value) {
    return make_error(StatusCode::kContractError, "it says {} is {}, but {} says {}", path, value.dump(),
                      describe(place->second.origin), place->second.value.dump());
  }
  return {};
}

Status MetadataReader::task(const std::string& text) {
  constexpr std::array<std::string_view, 3> kKnown{"detect", "segment", "classify"};
  const std::string name = lower(text);
  if (std::ranges::find(kKnown, name) == kKnown.end()) {
    return make_error(StatusCode::kContractError, "the task {} is not supported", in_quotes(text))
        .with_hint("tern runs detect, segment (one class for each pixel) and classify");
  }
  if (name == "segment" && facts_.ultralytics) {
    return make_error(StatusCode::kContractError,
                      "an Ultralytics 'segment' model: instance masks from prototypes are not supported")
        .with_hint("tern's segment gives each pixel a class; for boxes, export the model's detect variant");
  }
  return add("task", name);
}

Status MetadataReader::names(const std::string& text) {
  TERN_ASSIGN_OR_RETURN(const json value, parse_literal(text));
  if (value.is_array()) return add("output.names", value);
  if (!value.is_object() || value.empty()) return not_understood("it must list class names, or map indices to them");
  json list = json::array();
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto found = value.find(std::to_string(i));
    if (found == value.end()) {
      return make_error(StatusCode::kContractError, "it names {} classes, but none has the index {}", value.size(), i);
    }
    list.push_back(*found);
  }
  return add("output.names", std::move(list));
}

Status MetadataReader::image_size(const std::string& text) {
  TERN_ASSIGN_OR_RETURN(const json value, parse_literal(text));
  const bool pair = value.is_array() && value.size() == 2;
  if (!pair && !value.is_number_integer()) return not_understood("it must be [height, width] or one number");
  const json& height = pair ? value[0] : value;
  const json& width = pair ? value[1] : value;
  TERN_RETURN_IF_ERROR(add("input.height", height));
  return add("input.width", width);
}

Status MetadataReader::numbers(std::string_view path, const std::string& text) {
  TERN_ASSIGN_OR_RETURN(json value, parse_literal(text));
  return add(path, std::move(value));
}

Status MetadataReader::layout(const std::string& text) {
  struct Layout {
    std::string_view name, kind;
  };
  constexpr std::array kLayouts{Layout{"cxcywh+scores", "yolo"}, Layout{"xyxy+score+class", "end2end"}};
  for (const Layout& known : kLayouts) {
    if (lower(text) == known.name) return add("output.kind", std::string(known.kind));
  }
  return make_error(StatusCode::kContractError, "the output layout {} is not known", in_quotes(text))
      .with_hint("known: cxcywh+scores, xyxy+score+class");
}

Status MetadataReader::end_to_end(const std::string& text) {
  const std::string value = lower(text);
  if (value == "true") return add("output.kind", "end2end");
  // False speaks of the head alone: with `nms` in the export arguments the output still is end to end.
  return value == "false" ? Status() : not_understood("it must be True or False");
}

Status MetadataReader::channels(const std::string& text) {
  if (Result<json> number = parse_literal(text); number && number->is_number_integer()) {
    facts_.channels = static_cast<int>(std::clamp<std::int64_t>(number->get<std::int64_t>(), 0, 1 << 20));
    return *facts_.channels == 1 ? add("input.color", "gray") : Status();
  }
  const std::string name = lower(text);
  const bool mask = name.ends_with("+mask");
  TERN_RETURN_IF_ERROR(add("input.color", mask ? name.substr(0, name.size() - 5) : name));
  return add("input.mask_channel", mask);
}

Status MetadataReader::stride(const std::string& text) {
  TERN_ASSIGN_OR_RETURN(const json value, parse_literal(text));
  if (!value.is_number() || value.get<double>() < 1 || value.get<double>() > 1024 ||
      value.get<double>() != static_cast<int>(value.get<double>())) {
    return not_understood("it must be a whole number in 1..1024");
  }
  facts_.stride = static_cast<int>(value.get<double>());
  return {};
}

Result<MetadataFacts> MetadataReader::run() {
  using R = MetadataReader;
  constexpr std::array<Key, 11> kKeys{{
      {"task", &R::task, {"task", "task"}},
      {"names", &R::names, {"output.names", "output.names"}},
      {"imgsz", &R::image_size, {"input.width", "input.height"}},
      {"color", &R::color, {"input.color", "input.color"}},
      {"channels", &R::channels, {"input.color", "input.mask_channel"}},
      {"scale", &R::scale, {"input.scale", "input.scale"}},
      {"mean", &R::mean, {"input.mean", "input.mean"}},
      {"std", &R::std, {"input.std", "input.std"}},
      {"layout", &R::layout, {"output.kind", "output.kind"}},
      {"end2end", &R::end_to_end, {"output.kind", "output.kind"}},
      {"stride", &R::stride, {"input.width", "input.height"}},
  }};
  const auto author = model_.metadata().find("author");
  facts_.ultralytics = author != model_.metadata().end() && author->second == "Ultralytics";
  for (const Key& key : kKeys) {
    const auto entry = model_.metadata().find(std::string(key.name));
    if (entry == model_.metadata().end()) continue;
    key_ = key.name;
    const Status status = (this->*key.handler)(entry->second);
    if (status.ok()) continue;
    const bool overridden =
        std::ranges::all_of(key.fields, [&](std::string_view path) { return overrides_.contains(path); });
    if (overridden) continue;
    const std::string hint = status.hint().empty()
                                 ? fmt::format("correct the metadata, or override it with {}", key.fields[0])
                                 : status.hint();
    return make_error(StatusCode::kContractError, "the value {} cannot be used: {}", in_quotes(entry->second),
                      status.message())
        .at(fmt::format("metadata '{}'", key.name))
        .with_hint(hint);
  }
  return std::move(facts_);
}

}  // namespace

Result<MetadataFacts> read_contract_metadata(const Model& model, const GivenValues& overrides) {
  return MetadataReader(model, overrides).run();
}

}  // namespace tern
