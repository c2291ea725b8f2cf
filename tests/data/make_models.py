#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the tiny ONNX models of the tests beside this script. Needs: pip install onnx numpy."""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
F32 = TensorProto.FLOAT


def save(name, nodes, inputs, outputs, weights=(), meta=None, opsets=(("", 17),)):
    graph = helper.make_graph(nodes, name, inputs, outputs, [numpy_helper.from_array(a, n) for n, a in weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(d, v) for d, v in opsets], ir_version=8)
    for key, value in (meta or {}).items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, os.path.join(HERE, name + ".onnx"))


def value(name, shape, dtype=F32):
    return helper.make_tensor_value_info(name, dtype, shape)


# y = 2x + 1, any batch: exact in every precision that carries small integers.
save("affine", [helper.make_node("Mul", ["x", "two"], ["t"], "double"), helper.make_node("Add", ["t", "one"], ["y"], "plus_one")],
     [value("x", ["batch", 4])], [value("y", ["batch", 4])], [("two", np.float32([2])), ("one", np.float32([1]))])
# The number of results depends on the data.
save("nonzero", [helper.make_node("NonZero", ["x"], ["indices"], "find")], [value("x", [8])], [value("indices", [1, "count"], TensorProto.INT64)])
# An operator that no runtime knows.
save("unknown_op", [helper.make_node("Relu", ["x"], ["t"], "known"), helper.make_node("Frobnicate", ["t"], ["y"], "mystery", domain="com.example")],
     [value("x", [1, 4])], [value("y", [1, 4])], opsets=(("", 17), ("com.example", 1)))
# Two inputs of different types, two outputs.
save("two_ports", [helper.make_node("Cast", ["k"], ["kf"], "cast", to=F32), helper.make_node("Add", ["x", "kf"], ["sum"], "add"),
                   helper.make_node("Sub", ["x", "kf"], ["difference"], "subtract")],
     [value("x", [2, 3]), value("k", [2, 3], TensorProto.INT32)], [value("sum", [2, 3]), value("difference", [2, 3])])
# A classifier whose logits are log(mean) - log(mean): NaN for a black image, finite for others.
save("nan_when_black", [helper.make_node("GlobalAveragePool", ["images"], ["mean"], "mean"), helper.make_node("Log", ["mean"], ["log"], "log"),
                        helper.make_node("Sub", ["log", "log"], ["zero"], "zero"), helper.make_node("Flatten", ["zero"], ["logits"], "flatten")],
     [value("images", [1, 3, 8, 8])], [value("logits", [1, 3])], meta={"task": "classify", "names": '{"0": "a", "1": "b", "2": "c"}'})

# A classifier with a second input that no image fills.
save("extra_input", [helper.make_node("GlobalAveragePool", ["images"], ["mean"], "mean"), helper.make_node("Flatten", ["mean"], ["flat"], "flatten"),
                     helper.make_node("Add", ["flat", "bias"], ["logits"], "add")],
     [value("images", [1, 3, 8, 8]), value("bias", [1, 3])], [value("logits", [1, 3])], meta={"task": "classify", "names": '{"0": "a", "1": "b", "2": "c"}'})


def conv_chain():
    """Two 3x3 convolutions with a Relu between them, in f32, and the same quantised to 8 bits: activations in u8, and in i8 as
    TensorRT takes them; weights in i8, a scale for each output channel, in one model in -64..64 (7 bits). Inputs are in 0..1."""
    random = np.random.default_rng(3)
    channels, sizes = [3, 16, 8], (1.0, 1.3, 1.3)  # the largest activation before each layer, and of the result, halved by Relu
    weights = [(random.uniform(-1, 1, (o, i, 3, 3)) / (2 * i**0.5)).astype(np.float32) for i, o in zip(channels, channels[1:])]
    images, result = [value("images", [1, 3, 16, 16])], [value("result", [1, 8, 16, 16])]
    nodes = [helper.make_node("Conv", ["images", "w0"], ["c0"], "conv0", pads=[1] * 4), helper.make_node("Relu", ["c0"], ["r0"], "relu0"),
             helper.make_node("Conv", ["r0", "w1"], ["c1"], "conv1", pads=[1] * 4), helper.make_node("Relu", ["c1"], ["result"], "relu1")]
    save("conv", nodes, images, result, [(f"w{i}", w) for i, w in enumerate(weights)])

    for name, dtype, largest in (("conv_qdq", np.uint8, 127), ("conv_qdq_signed", np.int8, 127), ("conv_qdq_7bit", np.int8, 64)):
        quantised_chain(name, images, result, weights, sizes, dtype, largest)


def quantised_chain(model, images, result, weights, sizes, dtype, largest_weight):
    nodes, parts, tensor = [], [], "images"

    def quantise(name, source, target, largest):
        parts.extend([(name + "_scale", np.float32(largest / np.iinfo(dtype).max)), (name + "_zero", dtype(0))])
        nodes.extend([helper.make_node("QuantizeLinear", [source, name + "_scale", name + "_zero"], [name + "_q"], name + "_quantize"),
                      helper.make_node("DequantizeLinear", [name + "_q", name + "_scale", name + "_zero"], [target], name + "_dequantize")])

    for i, w in enumerate(weights):
        quantise(f"x{i}", tensor, f"x{i}", sizes[i])
        scale = np.abs(w).max(axis=(1, 2, 3)) / largest_weight
        parts.extend([(f"w{i}_q", np.round(w / scale[:, None, None, None]).astype(np.int8)), (f"w{i}_scale", scale.astype(np.float32)),
                      (f"w{i}_zero", np.zeros(w.shape[0], np.int8))])
        nodes.extend([helper.make_node("DequantizeLinear", [f"w{i}_q", f"w{i}_scale", f"w{i}_zero"], [f"w{i}"], f"w{i}_dequantize", axis=0),
                      helper.make_node("Conv", [f"x{i}", f"w{i}"], [f"c{i}"], f"conv{i}", pads=[1] * 4), helper.make_node("Relu", [f"c{i}"], [f"r{i}"], f"relu{i}")])
        tensor = f"r{i}"
    quantise("y", tensor, "result", sizes[2])
    save(model, nodes, images, result, parts)


conv_chain()
# Quantised values, and no layer that computes with them.
save("qdq_alone", [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], "quantize"),
                   helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"], "dequantize")],
     [value("x", [1, 4])], [value("y", [1, 4])], [("scale", np.float32(0.1)), ("zero", np.int8(0))])


def product_of_activations():
    """A matrix product of two inputs in 0..1, both quantised: no weights."""
    nodes, parts = [], []
    for name, source in (("left", "a"), ("right", "b")):
        parts.extend([(name + "_scale", np.float32(1 / 127)), (name + "_zero", np.int8(0))])
        nodes.extend([helper.make_node("QuantizeLinear", [source, name + "_scale", name + "_zero"], [name + "_q"], name + "_quantize"),
                      helper.make_node("DequantizeLinear", [name + "_q", name + "_scale", name + "_zero"], [name], name + "_dequantize")])
    nodes.append(helper.make_node("MatMul", ["left", "right"], ["product"], "multiply"))
    save("matmul_qdq", nodes, [value("a", [1, 16, 64]), value("b", [1, 64, 16])], [value("product", [1, 16, 16])], parts)


product_of_activations()
