# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz/onnx_fuzz.cpp: small models that touch each part of the reader. Needs `pip install onnx`.

Usage: make_onnx_seeds.py FOLDER
"""
import pathlib
import sys

from onnx import TensorProto, helper
import numpy as np
import onnx
from onnx import numpy_helper

FLOAT = TensorProto.FLOAT


def value(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(graph, metadata=None, opset=17, **kwargs):
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **kwargs)
    helper.set_model_props(result, metadata or {})
    return result


def detector():
    weight = numpy_helper.from_array(np.full((9, 3, 1, 1), 0.5, np.float32), "w")
    shape = numpy_helper.from_array(np.array([0, 9, -1], np.int64), "s")
    nodes = [helper.make_node("Conv", ["images", "w"], ["c"], name="conv"),
             helper.make_node("Reshape", ["c", "s"], ["output0"], name="flat")]
    graph = helper.make_graph(nodes, "g", [value("images", ["batch", 3, 8, 8])], [value("output0", ["batch", 9, 64])],
                              [weight, shape])
    return model(graph, {"task": "detect", "names": '{"0": "car", "1": "truck", "2": "bus", "3": "boat", "4": "plane"}',
                         "imgsz": "[8, 8]", "color": "rgb", "scale": "1/255", "layout": "cxcywh+scores", "stride": "8"})


def ultralytics():
    nodes = [helper.make_node("Identity", ["images"], ["i"]), helper.make_node("Flatten", ["i"], ["f"]),
             helper.make_node("Softmax", ["f"], ["output0"])]
    graph = helper.make_graph(nodes, "g", [value("images", [1, 3, 2, 1])], [value("output0", [1, 6])])
    names = "{0: 'a', 1: \"it's\", 2: 'c\\\\', 3: '\\u00e9', 4: 'e', 5: 'f'}"
    return model(graph, {"author": "Ultralytics", "task": "classify", "names": names, "imgsz": "[2, 1]", "batch": "1",
                         "stride": "1", "channels": "3", "args": "{'batch': 1, 'half': False, 'opset': None}"})


def subgraphs():
    then = helper.make_graph([helper.make_node("Relu", ["x"], ["t"])], "then", [], [value("t", [1, 2, 4, 4])])
    inner = helper.make_graph([helper.make_node("Neg", ["outer"], ["n"])], "inner", [], [value("n", [1, 2, 4, 4])])
    other = helper.make_graph([helper.make_node("Abs", ["x"], ["outer"]),
                               helper.make_node("If", ["c"], ["e"], then_branch=inner, else_branch=inner)],
                              "else", [], [value("e", [1, 2, 4, 4])])
    nodes = [helper.make_node("If", ["c"], ["y"], name="if", then_branch=then, else_branch=other)]
    graph = helper.make_graph(nodes, "g", [value("x", [1, 2, 4, 4]), value("c", [], TensorProto.BOOL)],
                              [value("y", [1, 2, 4, 4])])
    return model(graph, {"task": "segment", "names": "['a', 'b']"})


def functions():
    twice = helper.make_function("local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
                                 [helper.make_opsetid("", 17)])
    graph = helper.make_graph([helper.make_node("Twice", ["x"], ["y"], domain="local")], "g",
                              [value("x", ["n", 1, "h", "w"], TensorProto.FLOAT16)],
                              [value("y", ["n", 1, "h", "w"], TensorProto.FLOAT16)])
    result = model(graph, functions=[twice])
    result.opset_import.append(helper.make_opsetid("local", 1))
    return result


def tensors():
    kinds = [TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64,
             TensorProto.BOOL, TensorProto.DOUBLE, TensorProto.UINT32, TensorProto.UINT64]
    stored = [helper.make_tensor(f"t{kind}", kind, [2, 2], [1, 0, 1, 1]) for kind in kinds]
    stored.append(helper.make_tensor("half", TensorProto.FLOAT16, [3], [1.0, 2.0, 3.0]))
    stored.append(helper.make_tensor("text", TensorProto.STRING, [2], [b"a", b"bc"]))
    stored.append(helper.make_tensor("four", TensorProto.INT4, [3], [1, 2, 3]))
    external = TensorProto(name="external", data_type=FLOAT, dims=[0], data_location=TensorProto.EXTERNAL)
    external.external_data.add(key="location", value="weights.bin")
    constant = helper.make_node("Constant", [], ["k"], value=helper.make_tensor("", FLOAT, [1], [0.5]))
    # Out of order, and with an input that is an initialiser too.
    nodes = [helper.make_node("Mul", ["r", "k"], ["y"]), helper.make_node("Relu", ["x"], ["r"]), constant]
    graph = helper.make_graph(nodes, "g", [value("x", [1, 4, 2, 6]), value("t1", [2, 2])], [value("y", [1, 4, 2, 6])],
                              stored)
    return model(graph, {"channels": "rgb+mask", "mean": "[0.5, 0.5, 0.5, 0]", "std": "[0.5, 0.5, 0.5, 1]"}), external


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with_tensors, external = tensors()
    models = {"detector": detector(), "ultralytics": ultralytics(), "subgraphs": subgraphs(), "functions": functions(),
              "tensors": with_tensors}
    for name, proto in models.items():
        onnx.save(proto, folder / f"{name}.onnx")
    with_tensors.graph.initializer.append(external)
    (folder / "external.onnx").write_bytes(with_tensors.SerializeToString())


if __name__ == "__main__":
    main()
