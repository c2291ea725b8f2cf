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
