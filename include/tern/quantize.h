// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/model.h"
#include "tern/quant.h"
#include "tern/status.h"

namespace tern {

// Edits of ONNX graphs: each takes a model and gives another one, the original is not touched. All keep inputs, outputs,
// metadata and the names of the tensors that are left, so ranges that were collected on one of them hold for the others.
// A node without a name is called by its first output, here and in messages. Thread-safe: nothing is shared.

/// Whose rules of placement are followed. The numbers are the same; what differs is which tensors carry Q/DQ, and so which
/// layers the runtime fuses into int8 kernels (docs/quantization.md).
enum class QuantTarget : std::uint8_t {
  kTensorRt,     ///< inputs of layers with weights, residual inputs of additions
  kOpenVino,     ///< the same tensors, each read as int8 by all that follows; a scale of its own each
  kOnnxRuntime,  ///< outputs of layers with weights too: ONNX Runtime makes no int8 kernel without
};
/// "tensorrt", "openvino", "onnxruntime".
[[nodiscard]] TERN_API std::string_view to_string(QuantTarget target) noexcept;
/// ConfigError on another word.
[[nodiscard]] TERN_API Result<QuantTarget> parse_quant_target(std::string_view text);

/// How int8 weights lie in the file.
enum class WeightStorage : std::uint8_t {
  kInt8,   ///< int8 values and DequantizeLinear: a quarter of the size
  kFloat,  ///< the original values, QuantizeLinear and DequantizeLinear: for readers that want weights in float
};

struct QuantizeOptions {
  QuantTarget target = QuantTarget::kTensorRt;
  /// Nodes that stay float: names, or patterns with * ? [] as in a shell (* matches / too). ConfigError when one matches no
  /// node.
  std::vector<std::string> exclude_nodes{};
  /// Operators that stay float: "Gemm".
  std::vector<std::string> exclude_ops{};
  /// The last layers with weights before the outputs stay float: those behind which no other one follows. What comes after
  /// them (sigmoid, softmax over box distances, decoding, the last concatenation) is never quantised.
  bool keep_head_float = true;
  /// kTensorRt: one scale for tensors between which values only move (concatenations, pooling), which spares requantisation
  /// and costs accuracy where ranges differ.
  bool share_scales = false;
  WeightStorage weights = WeightStorage::kInt8;
  /// Weights of 7 bits, -63..63. For x86 CPUs without VNNI: their int8 kernels add two products u8 x s8 in 16 bits, which
  /// saturate with weights of 8 bits, unseen and by far more than one bit of weights costs.
  bool reduce_range = false;
};

/// What would be quantised, and what not.
struct QuantizationPlan {
  struct Layer {
    std::string node, op;
    std::string input;   ///< the activation it reads as int8
    std::string weight;  ///< the initialiser it reads as int8
    int axis = -1;       ///< of the weights' scales; -1: one scale for all of them
  };
  struct FloatLayer {
    std::string node, op;
    std::string reason;
  };
  std::vector<Layer> layers;             ///< in the graph's order
  std::vector<FloatLayer> float_layers;  ///< Conv, ConvTranspose, Gemm and MatMul that stay float, and why
  /// Activations that get a scale, in the graph's order: quantize() wants a range for each.
  std::vector<std::string> tensors;
  /// Those among them that share one scale, that of the largest range; each list has two or more.
  std::vector<std::vector<std::string>> shared;
};

/// ModelError when the model is already quantised (naming the node), when its opset is below 13 and holds a node that cannot
/// be lifted (naming it), or when no layer can be quantised (saying why); ConfigError for options that match nothing.
[[nodiscard]] TERN_API Result<QuantizationPlan> plan_quantization(const Model& model,
                                                                  const QuantizeOptions& options = {});

/// What quantize() did.
struct QuantizationSummary {
  QuantizationPlan plan;
  std::map<std::string, float, std::less<>> scales;  ///< of each tensor of the plan
  int opset = 0;                                     ///< of the result
};

/// The model with Q/DQ pairs (explicit quantisation): activations int8 with one scale a tensor, weights int8 with one scale an
/// output channel (Conv axis 0, ConvTranspose axis 1, Gemm and MatMul by layout; grouped ConvTranspose one in all), symmetric,
/// zero points 0 and always written. Values are round-half-even(x / scale), saturated; weights lie in -127..127 (-63..63 with
/// reduce_range). Batch
/// normalisations are folded first. Opsets below 13 are lifted to 13.
///
/// Fails as plan_quantization(), and with InputError when a range is missing, NaN, negative or infinite, or 0 (all images look
/// the same to that tensor; of a group with one scale only when all are 0), naming tensor and layer.
[[nodiscard]] TERN_API Result<Model> quantize(const Model& model, const TensorRanges& ranges,
                                              const QuantizeOptions& options = {},
                                              QuantizationSummary* summary = nullptr);

/// Ranges of further tensors on the way to a layer that is quantised, as they follow from `ranges`: of what moves values
/// (concatenation, slices, pooling), of x * sigmoid(x), Relu and HardSwish, and of sums. None is wider than a concatenation that
/// holds the tensor and has a range in `ranges`. For TensorRT's own quantisation, which holds every tensor between its kernels in
/// int8, while Q/DQ pairs stand at those of the plan alone. Fails as plan_quantization().
[[nodiscard]] TERN_API Result<TensorRanges> derive_ranges(const Model& model, const TensorRanges& ranges,
                                                          const QuantizeOptions& options = {});

/// BatchNormalization behind Conv, ConvTranspose and Gemm of constant weights, folded into these, where nothing else reads the
/// layer's output. The layer then writes what the normalisation wrote, under its name. Computed in double.
[[nodiscard]] TERN_API Result<Model> fold_batch_norm(const Model& model);

struct F16Options {
  /// Largest |x| seen of each tensor, from real frames. A node stays f32 when a tensor that it reads or writes goes beyond
  /// `max_abs` or has no range. Empty: nothing is known, and no node is held back for its ranges.
  TensorRanges ranges{};
  /// The step of f16 is 0.5 up to here (AutoCast's rule in NVIDIA Model Optimizer). ConfigError unless in 0..65504, above 0.
  float max_abs = 512;
  std::vector<std::string> exclude_nodes{};  ///< as QuantizeOptions::exclude_nodes
  std::vector<std::string> exclude_ops{};
};

struct F16Summary {
  std::size_t f16_nodes = 0;
  std::vector<QuantizationPlan::FloatLayer> f32_nodes{};  ///< float nodes that stay f32, and why
  std::size_t casts = 0;                                  ///< Cast nodes added
};

/// The model with f16 weights and activations, for runtimes that take types from the graph (strongly typed TensorRT). Inputs and
/// outputs keep their types. f32 stay: nodes beyond the ranges of F16Options, weights beyond 65504 or of nothing but
/// subnormals in f16, operators that ONNX has no f16 for, nodes that hold subgraphs. Works on Q/DQ models too: their scales
/// become f16, for which the opset is lifted to 19; a scale that f16 cannot hold to 1/1024 leaves its layer f32.
/// ModelError when the opset cannot be lifted, naming the node; ConfigError for options that match nothing.
[[nodiscard]] TERN_API Result<Model> convert_to_f16(const Model& model, const F16Options& options = {},
                                                    F16Summary* summary = nullptr);

/// The model with these tensors as further outputs, behind its own and in this order, for collecting statistics; names that are
/// outputs already are skipped. Shapes are left open where the model does not state them. InputError when no node makes a
/// tensor of that name or its type is not known to be float (f32).
[[nodiscard]] TERN_API Result<Model> expose_tensors(const Model& model, std::span<const std::string> names);

/// Names of all f32 activations: every tensor that a node makes and, first, the f32 inputs. What F16Options::ranges should hold.
[[nodiscard]] TERN_API std::vector<std::string> float_tensors(const Model& model);

}  // namespace tern
