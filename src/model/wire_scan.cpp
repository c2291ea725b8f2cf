// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/wire_scan.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.h"
#include "onnx_schema.pb.h"

namespace tern {
namespace {

enum class Kind : std::uint8_t {
  kBytes,  // a string, raw data, packed numbers, or an unknown field, which protobuf keeps as bytes
  kName,   // a string that ModelLimits::max_name_bytes bounds
  kPackedVarints,
  kModel,
  kOpset,
  kPair,  // StringStringEntryProto
  kTraining,
  kFunction,
  kGraph,
  kNode,
  kAttribute,
  kTensor,
  kSegment,
  kSparseTensor,
  kValueInfo,
  kQuantAnnotation,
  kType,
  kTensorType,  // TypeProto.Tensor and TypeProto.SparseTensor
  kSequenceType,
  kMapType,
  kOpaqueType,
  kShape,
  kDimension,
  kDevice,  // the multi-device annotations of newer schemas
  kSharding,
  kIntList,
  kShardedDim,
  kSimpleSharding,
};

struct Child {
  Kind parent;
  std::uint32_t field;
  Kind kind;
};

// The length-delimited fields of onnx-ml.proto. Anything absent here is kBytes.
constexpr std::array kChildren{
    Child{Kind::kModel, 7, Kind::kGraph},
    Child{Kind::kModel, 8, Kind::kOpset},
    Child{Kind::kModel, 14, Kind::kPair},
    Child{Kind::kModel, 20, Kind::kTraining},
    Child{Kind::kModel, 25, Kind::kFunction},
    Child{Kind::kModel, 26, Kind::kDevice},
    Child{Kind::kTraining, 1, Kind::kGraph},
    Child{Kind::kTraining, 2, Kind::kGraph},
    Child{Kind::kTraining, 3, Kind::kPair},
    Child{Kind::kTraining, 4, Kind::kPair},
    Child{Kind::kFunction, 1, Kind::kName},
    Child{Kind::kFunction, 4, Kind::kName},
    Child{Kind::kFunction, 5, Kind::kName},
    Child{Kind::kFunction, 7, Kind::kNode},
    Child{Kind::kFunction, 9, Kind::kOpset},
    Child{Kind::kFunction, 11, Kind::kAttribute},
    Child{Kind::kFunction, 12, Kind::kValueInfo},
    Child{Kind::kFunction, 14, Kind::kPair},
    Child{Kind::kGraph, 1, Kind::kNode},
    Child{Kind::kGraph, 5, Kind::kTensor},
    Child{Kind::kGraph, 11, Kind::kValueInfo},
    Child{Kind::kGraph, 12, Kind::kValueInfo},
    Child{Kind::kGraph, 13, Kind::kValueInfo},
    Child{Kind::kGraph, 14, Kind::kQuantAnnotation},
    Child{Kind::kGraph, 15, Kind::kSparseTensor},
    Child{Kind::kGraph, 16, Kind::kPair},
    Child{Kind::kNode, 1, Kind::kName},
    Child{Kind::kNode, 2, Kind::kName},
    Child{Kind::kNode, 3, Kind::kName},
    Child{Kind::kNode, 4, Kind::kName},
    Child{Kind::kNode, 5, Kind::kAttribute},
    Child{Kind::kNode, 7, Kind::kName},
    Child{Kind::kNode, 9, Kind::kPair},
    Child{Kind::kNode, 10, Kind::kDevice},
    Child{Kind::kAttribute, 1, Kind::kName},
    Child{Kind::kAttribute, 5, Kind::kTensor},
    Child{Kind::kAttribute, 6, Kind::kGraph},
    Child{Kind::kAttribute, 8, Kind::kPackedVarints},
    Child{Kind::kAttribute, 10, Kind::kTensor},
    Child{Kind::kAttribute, 11, Kind::kGraph},
    Child{Kind::kAttribute, 14, Kind::kType},
    Child{Kind::kAttribute, 15, Kind::kType},
    Child{Kind::kAttribute, 22, Kind::kSparseTensor},
    Child{Kind::kAttribute, 23, Kind::kSparseTensor},
    Child{Kind::kTensor, 1, Kind::kPackedVarints},
    Child{Kind::kTensor, 3, Kind::kSegment},
    Child{Kind::kTensor, 5, Kind::kPackedVarints},
    Child{Kind::kTensor, 7, Kind::kPackedVarints},
    Child{Kind::kTensor, 8, Kind::kName},
    Child{Kind::kTensor, 11, Kind::kPackedVarints},
    Child{Kind::kTensor, 13, Kind::kPair},
    Child{Kind::kTensor, 16, Kind::kPair},
    Child{Kind::kSparseTensor, 1, Kind::kTensor},
    Child{Kind::kSparseTensor, 2, Kind::kTensor},
    Child{Kind::kSparseTensor, 3, Kind::kPackedVarints},
    Child{Kind::kValueInfo, 1, Kind::kName},
    Child{Kind::kValueInfo, 2, Kind::kType},
    Child{Kind::kValueInfo, 4, Kind::kPair},
    Child{Kind::kQuantAnnotation, 2, Kind::kPair},
    Child{Kind::kType, 1, Kind::kTensorType},
    Child{Kind::kType, 4, Kind::kSequenceType},
    Child{Kind::kType, 5, Kind::kMapType},
    Child{Kind::kType, 7, Kind::kOpaqueType},
    Child{Kind::kType, 8, Kind::kTensorType},
    Child{Kind::kType, 9, Kind::kSequenceType},
    Child{Kind::kTensorType, 2, Kind::kShape},
    Child{Kind::kSequenceType, 1, Kind::kType},
    Child{Kind::kMapType, 2, Kind::kType},
    Child{Kind::kShape, 1, Kind::kDimension},
    Child{Kind::kDimension, 2, Kind::kName},
    Child{Kind::kDevice, 2, Kind::kSharding},
    Child{Kind::kSharding, 2, Kind::kPackedVarints},
    Child{Kind::kSharding, 3, Kind::kIntList},
    Child{Kind::kSharding, 4, Kind::kShardedDim},
    Child{Kind::kIntList, 2, Kind::kPackedVarints},
    Child{Kind::kShardedDim, 2, Kind::kSimpleSharding},
};

constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::kSimpleSharding) + 1;
constexpr std::size_t kFields = 32;  // above the highest field number in kChildren
constexpr auto kChildOf = [] {
  std::array<std::array<Kind, kFields>, kKinds> table{};  // all kBytes
  for (const Child& child : kChildren)
    table[static_cast<std::size_t>(child.parent)][child.field] = child.kind;
  return table;
}();

Kind child_kind(Kind parent, std::uint64_t field) noexcept {
  return field < kFields ? kChildOf[static_cast<std::size_t>(parent)][static_cast<std::size_t>(field)] : Kind::kBytes;
}

// Bytes that one more object of a kind takes in memory, its allocation and its place in a list included.
std::uint64_t memory_cost(Kind kind) noexcept {
  constexpr std::uint64_t kOverhead = 32;
  switch (kind) {
    case Kind::kBytes:
    case Kind::kName:
      return sizeof(std::string) + kOverhead;
    case Kind::kPackedVarints:
      return 0;
    case Kind::kModel:
      return sizeof(onnx::ModelProto);
    case Kind::kFunction:
      return sizeof(onnx::FunctionProto) + kOverhead;
    case Kind::kGraph:
      return sizeof(onnx::GraphProto) + kOverhead;
    case Kind::kNode:
      return sizeof(onnx::NodeProto) + kOverhead;
    case Kind::kAttribute:
      return sizeof(onnx::AttributeProto) + kOverhead;
    case Kind::kTensor:
      return sizeof(onnx::TensorProto) + kOverhead;
    case Kind::kOpset:
    case Kind::kPair:
    case Kind::kTraining:
    case Kind::kSegment:
    case Kind::kSparseTensor:
    case Kind::kValueInfo:
    case Kind::kQuantAnnotation:
    case Kind::kType:
    case Kind::kTensorType:
    case Kind::kSequenceType:
    case Kind::kMapType:
    case Kind::kOpaqueType:
    case Kind::kShape:
    case Kind::kDimension:
    case Kind::kDevice:
    case Kind::kSharding:
    case Kind::kIntList:
    case Kind::kShardedDim:
    case Kind::kSimpleSharding:
      return 128 + kOverhead;  // none of them is larger
  }
  return 0;
}

class Scanner {
 public:
  Scanner(std::span<const std::byte> bytes, const ModelLimits& limits)
      : bytes_(bytes), limits_(limits), memory_limit_((256ULL << 20) + 4 * bytes.size()) {}

  Status run() { return message(Kind::kModel, 0, bytes_.size(), 0, 0); }

 private:
  Status message(Kind kind, std::size_t begin, std::size_t end, int depth, int graphs);
  Status field(Kind parent, std::size_t& at, std::size_t end, int depth, int graphs);
  Status child(Kind kind, std::size_t begin, std::size_t end, int depth, int graphs);
  Status count(Kind kind, std::size_t length);
  [[nodiscard]] bool varint(std::size_t& at, std::size_t end, std::uint64_t& value) const noexcept;
  [[nodiscard]] Status cut_off(std::size_t at, std::uint64_t wanted, std::size_t end) const;
  static Status damaged(std::size_t at) {
    return make_error(StatusCode::kModelError, "not an ONNX file, or a damaged one: byte {} is no protobuf field", at)
        .with_hint("check the file with onnx.checker.check_model, or export it again");
  }

  std::span<const std::byte> bytes_;
  const ModelLimits& limits_;
  std::uint64_t memory_limit_;
  std::uint64_t memory_ = 0;
  std::size_t nodes_ = 0, tensors_ = 0;
};

bool Scanner::varint(std::size_t& at, std::size_t end, std::uint64_t& value) const noexcept {
  value = 0;
  for (int shift = 0; shift < 70 && at < end; shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(bytes_[at++]);
    if (shift < 64) value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

Status Scanner::cut_off(std::size_t at, std::uint64_t wanted, std::size_t end) const {
  if (end != bytes_.size()) return damaged(at);
  return make_error(StatusCode::kModelError,
                    "the file is truncated: the field at byte {} has {} bytes, but the file ends {} bytes after it", at,
                    wanted, end - std::min(at, end))
      .with_hint("copy or download the file again");
}

Status Scanner::message(Kind kind, std::size_t begin, std::size_t end, int depth, int graphs) {
  // Below protobuf's own recursion limit; the deepest known nesting is 3 messages for each subgraph.
  if (depth > 3 * limits_.max_nesting + 24) {
    return make_error(StatusCode::kModelError, "messages are nested more than {} deep", depth - 1);
  }
  for (std::size_t at = begin; at < end;)
    TERN_RETURN_IF_ERROR(field(kind, at, end, depth, graphs));
  return {};
}

Status Scanner::field(Kind parent, std::size_t& at, std::size_t end, int depth, int graphs) {
  enum WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5 };
  const std::size_t start = at;
  std::uint64_t tag = 0;
  if (!varint(at, end, tag)) return at == end ? cut_off(start, 1, end) : damaged(start);
  const std::uint64_t number = tag >> 3;
  if (number == 0 || number > 0x1FFFFFFF) return damaged(start);
  std::uint64_t length = 0;
  switch (tag & 7) {
    case kVarint:
      if (!varint(at, end, length)) return at == end ? cut_off(start, 1, end) : damaged(start);
      memory_ += 8;
      return count(Kind::kPackedVarints, 0);
    case kFixed64:
      length = 8;
      break;
    case kFixed32:
      length = 4;
      break;
    case kDelimited:
      if (!varint(at, end, length)) return at == end ? cut_off(start, 1, end) : damaged(start);
      break;
    default:  // groups and the two unassigned wire types: ONNX uses neither
      return damaged(start);
  }
  if (length > end - at) return cut_off(at, length, end);
  const std::size_t begin = at;
  at += static_cast<std::size_t>(length);
  if ((tag & 7) != kDelimited) return {};
  return child(child_kind(parent, number), begin, at, depth, graphs);
}

Status Scanner::child(Kind kind, std::size_t begin, std::size_t end, int depth, int graphs) {
  TERN_RETURN_IF_ERROR(count(kind, end - begin));
  if (kind == Kind::kBytes || kind == Kind::kName) return {};
  if (kind == Kind::kPackedVarints) {
    const auto packed = bytes_.subspan(begin, end - begin);
    memory_ += 8 * static_cast<std::uint64_t>(
                       std::ranges::count_if(packed, [](std::byte b) { return std::to_integer<unsigned>(b) < 0x80; }));
    return count(kind, 0);
  }
  if (kind == Kind::kGraph && graphs > limits_.max_nesting) {
    return make_error(StatusCode::kModelError, "subgraphs are nested more than {} deep", limits_.max_nesting)
        .with_hint("the limit is ModelLimits::max_nesting");
  }
  return message(kind, begin, end, depth + 1, graphs + (kind == Kind::kGraph ? 1 : 0));
}

Status Scanner::count(Kind kind, std::size_t length) {
  memory_ += memory_cost(kind);
  if (kind == Kind::kNode && ++nodes_ > limits_.max_nodes) {
    return make_error(StatusCode::kModelError, "the model has more than {} nodes", limits_.max_nodes)
        .with_hint("the limit is ModelLimits::max_nodes");
  }
  if (kind == Kind::kTensor && ++tensors_ > limits_.max_initializers) {
    return make_error(StatusCode::kModelError, "the model has more than {} initialisers", limits_.max_initializers)
        .with_hint("the limit is ModelLimits::max_initializers");
  }
  if (kind == Kind::kName && length > limits_.max_name_bytes) {
    return make_error(StatusCode::kModelError, "a name has {} bytes; the limit is {}", length, limits_.max_name_bytes)
        .with_hint("the limit is ModelLimits::max_name_bytes");
  }
  if (memory_ > memory_limit_) {
    return make_error(StatusCode::kModelError,
                      "the file's {} bytes unfold to more than {} MiB of structure: it is crafted, not exported",
                      bytes_.size(), memory_limit_ >> 20);
  }
  return {};
}

}  // namespace

Status scan_onnx(std::span<const std::byte> bytes, const ModelLimits& limits) {
  return Scanner(bytes, limits).run();
}

}  // namespace tern
