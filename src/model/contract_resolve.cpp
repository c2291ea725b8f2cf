// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "model/contract_fields.h"
#include "model/contract_metadata.h"
#include "model/contract_shapes.h"
#include "model/model_rep.h"
#include "model/strict_json.h"
#include "model/text.h"
#include "tern/contract.h"

namespace tern {
namespace {

using nlohmann::json;
using Source = FieldOrigin::Source;

constexpr std::uint64_t kMaxFileBytes = 1U << 20;
constexpr double kSameNumber = 1e-6;  // relative: 0.229 and 0.2290000021 (a float) are the same std

Result<GivenValues> read_overrides(const Contract::Overrides& overrides) {
  GivenValues given;
  for (const auto& [path, text] : overrides) {
    const ContractField* field = find_contract_field(path);
    if (field == nullptr) {
      return make_error(StatusCode::kContractError, "unknown contract field {}", in_quotes(path))
          .with_hint(suggest(path, contract_paths()));
    }
    const Result<json> literal = parse_strict_json(text, StatusCode::kContractError);
    // A bare word, or a name that happens to look like a number, for fields that are text.
    json value = literal && ((*literal).is_string() || !field->text) ? *literal : json(text);
    GivenValue entry{std::move(value), FieldOrigin{Source::kFlag, path}};
    Contract scratch;
    TERN_RETURN_IF_ERROR(apply_field(*field, entry, scratch));
    given.emplace(path, std::move(entry));
  }
  return given;
}

// The contract file to read: the one asked for, else the one beside the model; empty when there is none.
std::filesystem::path find_file(const Model& model, const std::optional<std::filesystem::path>& file) {
  if (file) return *file;
  if (model.path().empty()) return {};
  std::filesystem::path beside = model.path();
  beside.replace_filename(model.stem() + ".tern.json");
  std::error_code error;
  return std::filesystem::exists(beside, error) ? beside : std::filesystem::path();
}

Result<GivenValues> read_file_values(const std::filesystem::path& path) {
  std::error_code error;
  const auto kind = std::filesystem::status(path, error).type();
  if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found) {
    return make_error(StatusCode::kIoError, "is no regular file").at(path.string());
  }
  const Result<std::string> text = read_text_file(path, kMaxFileBytes);
  if (!text && text.status().code() == StatusCode::kInputError) {
    return make_error(StatusCode::kContractError, "{}", text.status().message()).at(path.string());
  }
  if (!text) return text.status();
  Result<GivenValues> given = read_contract_json(*text, FieldOrigin{Source::kFile, path.filename().string()});
  if (!given) return given.status().at(path.string());
  Contract scratch;
  for (const auto& [field, value] : *given) {
    TERN_RETURN_IF_ERROR(apply_field(*find_contract_field(field), value, scratch));
  }
  return given;
}

bool same(const json& a, const json& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.get<double>(), y = b.get<double>();
    return std::abs(x - y) <= kSameNumber * std::max(std::abs(x), std::abs(y));
  }
  if (!a.is_array() || !b.is_array()) return a == b;
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}

// A value for a message: class lists are long.
std::string show(const json& value) {
  if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() > 160 ? text.substr(0, 160) + "..." : text;
}

// File and metadata both speak about a fact of the model: they must say the same.
Status check_agreement(const ContractField& field, const GivenValue& file, const GivenValue& metadata) {
  Contract a, b;
  TERN_RETURN_IF_ERROR(apply_field(field, file, a));
  TERN_RETURN_IF_ERROR(apply_field(field, metadata, b));
  if (same(field.write(a), field.write(b))) return {};
  return make_error(StatusCode::kContractError, "{} is {} in {} but {} in {}", field.path, show(field.write(a)),
                    describe(file.origin), show(field.write(b)), describe(metadata.origin))
      .with_hint(fmt::format("correct one of the two, or override both with the field {}", field.path));
}

Result<GivenValues> merge(const GivenValues& flags, const GivenValues& file, const GivenValues& metadata) {
  GivenValues merged = flags;
  for (const ContractField& field : contract_fields()) {
    if (flags.contains(field.path)) continue;
    const auto in_file = file.find(field.path);
    const auto in_metadata = metadata.find(field.path);
    if (in_file != file.end() && in_metadata != metadata.end() && field.fact) {
      TERN_RETURN_IF_ERROR(check_agreement(field, in_file->second, in_metadata->second));
    }
    if (in_file != file.end()) {
      merged.emplace(field.path, in_file->second);
    } else if (in_metadata != metadata.end()) {
      merged.emplace(field.path, in_metadata->second);
    }
  }
  return merged;
}

Result<Contract> resolve_unlocated(const Model& model, const std::optional<std::filesystem::path>& file,
                                   const Contract::Overrides& overrides) {
  TERN_ASSIGN_OR_RETURN(const GivenValues flags, read_overrides(overrides));
  GivenValues from_file;
  if (const std::filesystem::path path = find_file(model, file); !path.empty()) {
    TERN_ASSIGN_OR_RETURN(from_file, read_file_values(path));
  }
  TERN_ASSIGN_OR_RETURN(const MetadataFacts metadata, read_contract_metadata(model, flags));
  TERN_ASSIGN_OR_RETURN(const GivenValues merged, merge(flags, from_file, metadata.values));
  return complete_contract(model, merged, metadata);
}

}  // namespace

Result<Contract> Contract::resolve(const Model& model, const std::optional<std::filesystem::path>& file,
                                   const Overrides& overrides) {
  Result<Contract> contract = resolve_unlocated(model, file, overrides);
  if (!contract && contract.status().code() == StatusCode::kContractError) {
    return contract.status().at(model.rep().label);
  }
  return contract;
}

}  // namespace tern
