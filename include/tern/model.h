// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

/// Bounds on what Model accepts. The defaults fit every vision model known to us and keep a hostile file from taking
/// the machine: whatever a file says, reading it takes at most 256 MiB + 6 times its size, plus its external data.
struct ModelLimits {
  std::uint64_t max_file_bytes = 2ULL << 30;       ///< the ONNX file itself (protobuf's own limit is 2 GiB - 1)
  std::uint64_t max_external_bytes = 16ULL << 30;  ///< all external data together
  std::size_t max_nodes = 200'000;                 ///< with all subgraphs
  std::size_t max_initializers = 200'000;          ///< with the tensors of Constant nodes
  int max_nesting = 16;                            ///< subgraphs within subgraphs
  std::size_t max_name_bytes = 4096;
};

/// One input or output of a model.
struct ValueInfo {
  std::string name;
  DType dtype = DType::kF32;
  bool has_shape = true;             ///< false: not even the rank is known; `shape` is then empty and means nothing
  Shape shape;                       ///< Shape::kDynamic where the model leaves a dimension open
  std::vector<std::string> symbols;  ///< per dimension: its symbolic name ("batch") or ""
};

/// A weight stored in the model (initialisers of subgraphs included).
struct InitializerInfo {
  std::string name;
  std::optional<DType> dtype;  ///< none where DType has no such type: strings, complex numbers, types below 8 bits, ...
  std::string dtype_name;      ///< as ONNX spells it: "FLOAT", "INT4"
  Shape shape;
  std::uint64_t bytes = 0;
  bool external = false;  ///< kept in a file beside the model
};

/// An ONNX model, read whole, checked and immutable. Cheap to copy (shared); safe to use from any thread.
///
/// Reading never runs the model and never touches a file outside the model's folder.
class TERN_API Model {
 public:
  static constexpr int kMinOpset = 9;

  /// IoError when the file cannot be read; ModelError when it is not ONNX, is damaged, breaks a limit, is cyclic, uses
  /// an opset below kMinOpset, or names external data that is missing, too short or outside the model's folder.
  [[nodiscard]] static Result<Model> from_file(const std::filesystem::path& path, const ModelLimits& limits = {});
  /// The same from bytes (copied). External data is looked up in `folder`; with an empty folder it is refused.
  [[nodiscard]] static Result<Model> from_bytes(std::span<const std::byte> bytes, std::string_view name = "model",
                                                const std::filesystem::path& folder = {},
                                                const ModelLimits& limits = {});

  /// File name without ".onnx".
  [[nodiscard]] const std::string& stem() const noexcept;
  /// Empty when read from bytes.
  [[nodiscard]] const std::filesystem::path& path() const noexcept;
  [[nodiscard]] int ir_version() const noexcept;
  /// Of the default domain.
  [[nodiscard]] int opset() const noexcept;
  [[nodiscard]] const std::string& producer() const noexcept;
  /// Without initialisers that older exporters list as inputs too.
  [[nodiscard]] const std::vector<ValueInfo>& inputs() const noexcept;
  [[nodiscard]] const std::vector<ValueInfo>& outputs() const noexcept;
  [[nodiscard]] const std::vector<InitializerInfo>& initializers() const noexcept;
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept;
  /// "Conv" or "domain::Op" -> number of nodes, subgraphs included; most frequent first.
  [[nodiscard]] const std::vector<std::pair<std::string, std::size_t>>& op_counts() const noexcept;
  /// Names of the nodes of one operator, as op_counts() writes it; unnamed nodes give "".
  [[nodiscard]] std::vector<std::string> node_names(std::string_view op) const;
  /// Names of the QuantizeLinear nodes that give another type than i8: u8, ONNX's default, as a rule.
  [[nodiscard]] std::vector<std::string> quantizers_beside_i8() const;
  /// Elements of all initialisers of floating type.
  [[nodiscard]] std::uint64_t parameter_count() const noexcept;
  /// SHA-256 (64 hex digits) over the file's bytes and, in the order of their names, the names, lengths and bytes of
  /// the external weights. Moving or renaming the files does not change it; any weight does.
  [[nodiscard]] const std::string& content_hash() const noexcept;
  /// The ONNX bytes with external weights put inside, for backends. ModelError when that passes protobuf's 2 GiB.
  [[nodiscard]] Result<std::span<const std::byte>> self_contained_bytes() const;

  struct Rep;
  explicit Model(std::shared_ptr<const Rep> rep) noexcept : rep_(std::move(rep)) {}
  [[nodiscard]] const Rep& rep() const noexcept { return *rep_; }

 private:
  std::shared_ptr<const Rep> rep_;
};

}  // namespace tern
