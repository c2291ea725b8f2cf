// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "model/json_object.h"
#include "model/strict_json.h"
#include "model/text.h"

namespace tern {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::string_view kMetadata = "__metadata__";

constexpr std::array<std::pair<DType, std::string_view>, 13> kDTypes{{{DType::kF32, "F32"},
                                                                      {DType::kF16, "F16"},
                                                                      {DType::kBF16, "BF16"},
                                                                      {DType::kF64, "F64"},
                                                                      {DType::kI8, "I8"},
                                                                      {DType::kU8, "U8"},
                                                                      {DType::kI16, "I16"},
                                                                      {DType::kU16, "U16"},
                                                                      {DType::kI32, "I32"},
                                                                      {DType::kU32, "U32"},
                                                                      {DType::kI64, "I64"},
                                                                      {DType::kU64, "U64"},
                                                                      {DType::kBool, "BOOL"}}};

std::string_view name_of(DType dtype) noexcept {
  return kDTypes[static_cast<std::size_t>(dtype)].second;
}

template <typename... Args>
Status malformed(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(StatusCode::kEngineGateError, "not a valid safetensors file: {}",
                    fmt::format(format, std::forward<Args>(args)...));
}

/// Bytes of a tensor, or the failure when the product does not fit.
Result<std::uint64_t> byte_size(DType dtype, const Shape& shape) {
  TERN_ASSIGN_OR_RETURN(const std::int64_t elements, shape.elements());
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(elements), size_of(dtype), &bytes))
    return malformed("a tensor of shape {} has more bytes than fit 64 bits", shape.to_string());
  return bytes;
}

bool has_only_booleans(const StoredTensor& tensor) noexcept {
  return tensor.dtype != DType::kBool ||
         std::ranges::all_of(tensor.data, [](std::byte b) { return b <= std::byte{1}; });
}

Result<std::vector<std::int64_t>> whole_numbers(const json& list, std::string_view what) {
  if (!list.is_array()) return malformed("{} is not a list", what);
  std::vector<std::int64_t> numbers;
  for (const json& item : list) {
    if (!item.is_number_unsigned() || item.get<std::uint64_t>() > INT64_MAX)
      return malformed("{} has an item that is no whole number of at least 0 below 2^63", what);
    numbers.push_back(item.get<std::int64_t>());
  }
  return numbers;
}

Result<StoredTensor> parse_entry(const std::string& name, const json& entry, std::string_view data) {
  JsonObject object(entry, StatusCode::kEngineGateError);
  std::string dtype;
  object.require("dtype", dtype);
  const json* shape = object.require("shape");
  const json* offsets = object.require("data_offsets");
  TERN_RETURN_IF_ERROR(object.finish());

  StoredTensor tensor{.name = name, .dtype = {}, .shape = {}, .data = {}};
  const auto known = std::ranges::find(kDTypes, dtype, [](const auto& row) { return row.second; });
  if (known == kDTypes.end()) return malformed("the dtype {} is unknown", in_quotes(dtype));
  tensor.dtype = known->first;
  TERN_ASSIGN_OR_RETURN(const std::vector<std::int64_t> dims, whole_numbers(*shape, "'shape'"));
  TERN_ASSIGN_OR_RETURN(tensor.shape, Shape::from(dims));
  TERN_ASSIGN_OR_RETURN(const std::vector<std::int64_t> range, whole_numbers(*offsets, "'data_offsets'"));
  if (range.size() != 2 || range[0] > range[1]) return malformed("'data_offsets' is no [begin, end]");
  const auto begin = static_cast<std::uint64_t>(range[0]), end = static_cast<std::uint64_t>(range[1]);
  if (end > data.size()) return malformed("it ends at byte {} of {}", end, data.size());
  TERN_ASSIGN_OR_RETURN(const std::uint64_t bytes, byte_size(tensor.dtype, tensor.shape));
  if (bytes != end - begin) {
    return malformed("shape {} of {} needs {} bytes, but it has {}", tensor.shape.to_string(), dtype, bytes,
                     end - begin);
  }
  tensor.data = std::as_bytes(std::span(data.substr(begin, bytes)));
  if (!has_only_booleans(tensor)) return malformed("a boolean is neither 0 nor 1");
  return tensor;
}

/// Every byte of `data` belongs to one tensor.
Status check_coverage(const std::vector<StoredTensor>& tensors, std::string_view data) {
  const auto* base = reinterpret_cast<const std::byte*>(data.data());
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const StoredTensor& tensor : tensors) {
    const auto begin = static_cast<std::uint64_t>(tensor.data.data() - base);
    ranges.emplace_back(begin, begin + tensor.data.size());
  }
  std::ranges::sort(ranges);
  std::uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != covered)
      return malformed("tensors {} at byte {}", begin < covered ? "overlap" : "leave a hole", begin);
    covered = end;
  }
  if (covered != data.size()) return malformed("{} bytes behind the last tensor belong to none", data.size() - covered);
  return {};
}

Status check_name(std::string_view name) {
  if (name.empty() || name.size() > SafeTensors::kMaxNameBytes)
    return malformed("a name of {} bytes; 1 to {} are allowed", name.size(), SafeTensors::kMaxNameBytes);
  if (!is_utf8(name) || has_control_character(name)) return malformed("the name {} is no plain text", in_quotes(name));
  return {};
}

Result<json> parse_header(std::string_view bytes, std::string_view& data) {
  if (bytes.size() < kLengthBytes) return malformed("it ends within the header's length");
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  if (length > SafeTensors::kMaxHeaderBytes)
    return malformed("a header of {} bytes; at most {} are allowed", length, SafeTensors::kMaxHeaderBytes);
  if (length > bytes.size() - kLengthBytes) return malformed("it ends within the header");
  const std::string_view header = bytes.substr(kLengthBytes, length);
  if (!header.starts_with('{')) return malformed("the header does not begin with '{{'");
  data = bytes.substr(kLengthBytes + length);
  TERN_ASSIGN_OR_RETURN(json parsed, parse_strict_json(header, StatusCode::kEngineGateError));
  if (parsed.size() > SafeTensors::kMaxTensors)
    return malformed("{} tensors; at most {} are allowed", parsed.size(), SafeTensors::kMaxTensors);
  return parsed;
}

/// The same class of failure whichever check found it.
Status gate_error(const Status& status, std::string_view name) {
  const Status located = status.code() == StatusCode::kEngineGateError ? status : malformed("{}", status.message());
  return located.at(in_quotes(name));
}

void write_little_endian(std::string& out, std::uint64_t value) {
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    out += static_cast<char>(value >> (8 * i) & 0xFF);
}

Status check_writable(const StoredTensor& tensor) {
  TERN_RETURN_IF_ERROR(check_name(tensor.name));
  if (tensor.name == kMetadata) return malformed("no tensor can have this name");
  TERN_ASSIGN_OR_RETURN(const std::uint64_t bytes, byte_size(tensor.dtype, tensor.shape));
  if (bytes != tensor.data.size()) return malformed("its shape needs {} bytes, it has {}", bytes, tensor.data.size());
  if (!has_only_booleans(tensor)) return malformed("a boolean is neither 0 nor 1");
  return {};
}

}  // namespace

Result<Tensor> StoredTensor::to_tensor() const {
  TERN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::create(dtype, shape));
  if (!data.empty()) std::memcpy(tensor.view().data(), data.data(), data.size());
  return tensor;
}

Result<SafeTensors> SafeTensors::parse(std::string_view bytes) {
  std::string_view data;
  TERN_ASSIGN_OR_RETURN(const json header, parse_header(bytes, data));
  SafeTensors file;
  for (const auto& [name, entry] : header.items()) {
    TERN_RETURN_IF_ERROR(check_name(name));
    if (name == kMetadata) {
      JsonObject object(entry, StatusCode::kEngineGateError, name);
      for (const auto& [key, text] : entry.items())
        object.require(key, file.metadata[key]);
      TERN_RETURN_IF_ERROR(object.finish());
      continue;
    }
    Result<StoredTensor> tensor = parse_entry(name, entry, data);
    if (!tensor.ok()) return gate_error(tensor.status(), name);
    file.tensors.push_back(*std::move(tensor));
  }
  TERN_RETURN_IF_ERROR(check_coverage(file.tensors, data));
  return file;
}

Result<std::string> SafeTensors::to_bytes() const {
  // The reference writer's order: wide types first, so that all data are aligned to their type, then by name.
  std::vector<const StoredTensor*> order;
  for (const StoredTensor& tensor : tensors) {
    const Status status = check_writable(tensor);
    if (!status.ok()) return Status(StatusCode::kInputError, status.message()).at(in_quotes(tensor.name));
    order.push_back(&tensor);
  }
  std::ranges::sort(order, [](const StoredTensor* a, const StoredTensor* b) {
    return std::pair(size_of(b->dtype), std::string_view(a->name)) <
           std::pair(size_of(a->dtype), std::string_view(b->name));
  });
  json header = json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  std::uint64_t at = 0;
  for (const StoredTensor* tensor : order) {
    const json entry = {{"dtype", name_of(tensor->dtype)},
                        {"shape", std::vector<std::int64_t>(tensor->shape.dims().begin(), tensor->shape.dims().end())},
                        {"data_offsets", {at, at + tensor->data.size()}}};
    if (!header.emplace(tensor->name, entry).second)
      return make_error(StatusCode::kInputError, "two tensors have the name {}", in_quotes(tensor->name));
    at += tensor->data.size();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception&) {
    return Status(StatusCode::kInputError, "the metadata hold text that is not UTF-8");
  }
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  if (text.size() > kMaxHeaderBytes || header.size() > kMaxTensors)
    return make_error(StatusCode::kInputError, "{} tensors and {} bytes of header are too many for one file",
                      tensors.size(), text.size());
  std::string file;
  file.reserve(kLengthBytes + text.size() + at);
  write_little_endian(file, text.size());
  file += text;
  for (const StoredTensor* tensor : order)
    file.append(reinterpret_cast<const char*>(tensor->data.data()), tensor->data.size());
  return file;
}

}  // namespace tern
