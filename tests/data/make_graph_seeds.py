#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz/graph_edits_fuzz.cpp: small networks with what the edits look for. Needs: pip install onnx numpy."""
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fuzz/corpus/graph_edits")
F32 = TensorProto.FLOAT
random = np.random.default_rng(5)


def save(name, nodes, inputs, outputs, weights, opset=17):
    def values(entries):
        return [helper.make_tensor_value_info(n, t, s) for n, s, t in [(*e, F32)[:3] for e in entries]]
    parts = [numpy_helper.from_array(np.asarray(w, np.float32), n) for n, w in weights.items()]
    graph = helper.make_graph(nodes, name, values(inputs), values(outputs), parts)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    os.makedirs(HERE, exist_ok=True)
    with open(os.path.join(HERE, name + ".onnx"), "wb") as file:
        file.write(model.SerializeToString())


def w(*shape):
    return random.normal(size=shape)


node = helper.make_node
save("residual", [
    node("Conv", ["x", "w0"], ["c0"], "stem"), node("BatchNormalization", ["c0", "s", "b", "m", "v"], ["n0"], "norm"),
    node("Sigmoid", ["n0"], ["g0"]), node("Mul", ["n0", "g0"], ["a0"]), node("Conv", ["a0", "w1"], ["c1"], "branch"),
    node("Relu", ["c1"], ["r1"]), node("Add", ["a0", "r1"], ["sum"]), node("Concat", ["a0", "sum"], ["cat"], axis=1),
    node("MaxPool", ["cat"], ["pool"], kernel_shape=[1, 1]), node("Conv", ["pool", "w2"], ["c2"], "mix"),
    node("AveragePool", ["c2"], ["avg"], kernel_shape=[2, 2]), node("Conv", ["avg", "w3"], ["y"], "head")],
    [("x", [1, 2, 4, 4])], [("y", [1, 1, 3, 3])],
    {"w0": w(3, 2, 1, 1), "s": w(3), "b": w(3), "m": w(3), "v": [1, 2, 3], "w1": w(3, 3, 1, 1), "w2": w(2, 6, 1, 1), "w3": w(1, 2, 1, 1)})
save("old_classifier", [
    node("Clip", ["x"], ["k"], min=0.0, max=6.0), node("Conv", ["k", "w"], ["c"], "conv"),
    node("Upsample", ["c", "up"], ["u"], mode="nearest"), node("GlobalAveragePool", ["u"], ["p"]), node("Flatten", ["p"], ["f"]),
    node("Dropout", ["f"], ["d"], ratio=0.5), node("Gemm", ["d", "fc", "bias"], ["l"], "fc", transB=1), node("Gemm", ["l", "fc2"], ["z"], "fc2"),
    node("Softmax", ["z"], ["y"], axis=1)],
    [("x", [1, 1, 2, 2])], [("y", [1, 2])], {"w": w(2, 1, 1, 1), "up": [1, 1, 2, 2], "fc": w(3, 2), "bias": w(3), "fc2": w(3, 2)}, 9)
branch = [helper.make_graph([node("Neg" if i else "Identity", ["c"], [f"o{i}"])], f"g{i}", [],
                            [helper.make_tensor_value_info(f"o{i}", F32, [1, 1, 2, 2])]) for i in range(2)]
save("subgraph", [
    node("Conv", ["x", "w"], ["c"], "one"), node("If", ["flag"], ["i"], then_branch=branch[0], else_branch=branch[1]),
    node("ConvTranspose", ["i", "t"], ["u"], "two"), node("MatMul", ["u", "m"], ["y"], "three")],
    [("x", [1, 1, 2, 2]), ("flag", [1], TensorProto.BOOL)], [("y", [1, 1, 2, 2])], {"w": w(1, 1, 1, 1), "t": w(1, 1, 1, 1), "m": w(2, 2)})
