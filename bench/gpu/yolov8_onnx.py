#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""yolov8_onnx.py SIZE OUT.onnx [--classes 80] [--side 640]: writes a network of the shape of YOLOv8 (SIZE: n, s or m) with random weights.

For measuring speed, which does not depend on what a network has learnt: the layers, widths and output (N, 4 + classes, anchors)
are those of the published models, with batch normalisation folded and an open batch. Weights are rounded to a few bits, so that
the file compresses to a quarter; activations stay far from the limits of f16.
Needs the Python packages onnx and numpy.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / ".deps/python"))
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZES = {"n": (0.33, 0.25, 1024), "s": (0.33, 0.50, 1024), "m": (0.67, 0.75, 768)}  # depth, width, most channels
STRIDES = (8, 16, 32)
BINS = 16  # of the distribution of each box side


class Graph:
    def __init__(self):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(8)

    def constant(self, name, array):
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def split(self, x, sizes, axis, name):
        outputs = [f"{name}_{i}" for i in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", [x, self.constant(name + ".sizes", np.array(sizes, np.int64))], outputs, name=name, axis=axis))
        return outputs

    def plain_conv(self, x, i, o, k, name, stride=1, gain=1.0):
        std = gain / np.sqrt(i * k * k)
        weights = np.round(self.random.standard_normal((o, i, k, k)) * 16).clip(-64, 63) / 16 * np.float32(std)
        self.constant(name + ".weight", weights.astype(np.float32))
        self.constant(name + ".bias", np.zeros(o, np.float32))
        return self.node("Conv", [x, name + ".weight", name + ".bias"], name, kernel_shape=[k, k], strides=[stride, stride], pads=[k // 2] * 4)

    def conv(self, x, i, o, k, name, stride=1):
        y = self.plain_conv(x, i, o, k, name, stride, gain=1.6)  # about what SiLU takes away
        return self.node("Mul", [y, self.node("Sigmoid", [y], name + ".sigmoid")], name + ".silu")

    def c2f(self, x, i, o, repeats, shortcut, name):
        half = o // 2
        parts = self.split(self.conv(x, i, o, 1, name + ".cv1"), [half, half], 1, name + ".split")
        for r in range(repeats):
            y = self.conv(parts[-1], half, half, 3, f"{name}.m{r}.cv1")
            y = self.conv(y, half, half, 3, f"{name}.m{r}.cv2")
            parts.append(self.node("Add", [parts[-1], y], f"{name}.m{r}.add") if shortcut else y)
        return self.conv(self.node("Concat", parts, name + ".cat", axis=1), (2 + repeats) * half, o, 1, name + ".cv2")

    def sppf(self, x, c, name):
        y = [self.conv(x, c, c // 2, 1, name + ".cv1")]
        for i in range(3):
            y.append(self.node("MaxPool", [y[-1]], f"{name}.pool{i}", kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4))
        return self.conv(self.node("Concat", y, name + ".cat", axis=1), c * 2, c, 1, name + ".cv2")

    def up_and_cat(self, x, other, name):
        scales = self.constant(name + ".scales", np.array([1, 1, 2, 2], np.float32))
        up = self.node("Resize", [x, "", scales], name + ".up", mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")
        return self.node("Concat", [up, other], name + ".cat", axis=1)


def backbone_and_neck(g, depth, width, most):
    def channels(c):
        return int(np.ceil(min(c, most) * width / 8) * 8)

    def repeats(n):
        return max(1, round(n * depth))
    c1, c2, c3, c4, c5 = (channels(c) for c in (64, 128, 256, 512, 1024))
    x = g.conv("images", 3, c1, 3, "stem", 2)
    x = g.c2f(g.conv(x, c1, c2, 3, "down2", 2), c2, c2, repeats(3), True, "stage2")
    p3 = g.c2f(g.conv(x, c2, c3, 3, "down3", 2), c3, c3, repeats(6), True, "stage3")
    p4 = g.c2f(g.conv(p3, c3, c4, 3, "down4", 2), c4, c4, repeats(6), True, "stage4")
    p5 = g.sppf(g.c2f(g.conv(p4, c4, c5, 3, "down5", 2), c5, c5, repeats(3), True, "stage5"), c5, "sppf")
    n4 = g.c2f(g.up_and_cat(p5, p4, "up4"), c5 + c4, c4, repeats(3), False, "neck4")
    n3 = g.c2f(g.up_and_cat(n4, p3, "up3"), c4 + c3, c3, repeats(3), False, "neck3")
    x = g.node("Concat", [g.conv(n3, c3, c3, 3, "pan4", 2), n4], "pan4.cat", axis=1)
    n4 = g.c2f(x, c3 + c4, c4, repeats(3), False, "out4")
    x = g.node("Concat", [g.conv(n4, c4, c4, 3, "pan5", 2), p5], "pan5.cat", axis=1)
    return [(n3, c3), (n4, c4), (g.c2f(x, c4 + c5, c5, repeats(3), False, "out5"), c5)]


def head(g, levels, classes, side):
    box_width, class_width = max(16, levels[0][1] // 4, BINS * 4), max(levels[0][1], min(classes, 100))
    boxes, scores = [], []
    for i, (x, c) in enumerate(levels):
        for out, mid, width, name in ((boxes, box_width, 4 * BINS, "box"), (scores, class_width, classes, "class")):
            y = g.conv(g.conv(x, c, mid, 3, f"{name}{i}.0"), mid, mid, 3, f"{name}{i}.1")
            y = g.plain_conv(y, mid, width, 1, f"{name}{i}.2")
            shape = g.constant(f"{name}{i}.shape", np.array([0, width, -1], np.int64))
            out.append(g.node("Reshape", [y, shape], f"{name}{i}.flat"))
    anchors, strides = [], []
    for stride in STRIDES:
        n = side // stride
        y, x = np.meshgrid(np.arange(n) + 0.5, np.arange(n) + 0.5, indexing="ij")
        anchors.append(np.stack([x, y]).reshape(2, -1))
        strides.append(np.full((1, n * n), stride))
    count = sum(a.shape[1] for a in anchors)
    g.constant("anchors", np.concatenate(anchors, 1)[None].astype(np.float32))
    g.constant("strides", np.concatenate(strides, 1)[None].astype(np.float32))
    # The side of a box is the mean of a distribution over BINS distances.
    raw = g.node("Reshape", [g.node("Concat", boxes, "box.cat", axis=2), g.constant("dfl.shape", np.array([0, 4, BINS, count], np.int64))], "dfl.in")
    swapped = g.node("Transpose", [raw], "dfl.swap", perm=[0, 2, 1, 3])
    chances = g.node("Softmax", [swapped], "dfl.softmax", axis=1)
    g.constant("dfl.weight", np.arange(BINS, dtype=np.float32).reshape(1, BINS, 1, 1))
    mean = g.node("Conv", [chances, "dfl.weight"], "dfl.conv", kernel_shape=[1, 1])
    sides = g.node("Reshape", [mean, g.constant("dfl.out", np.array([0, 4, count], np.int64))], "dfl")
    low, high = g.split(sides, [2, 2], 1, "sides")
    first, last = g.node("Sub", ["anchors", low], "first"), g.node("Add", ["anchors", high], "last")
    middle = g.node("Mul", [g.node("Add", [first, last], "sum"), g.constant("half", np.array(0.5, np.float32))], "middle")
    extent = g.node("Sub", [last, first], "extent")
    box = g.node("Mul", [g.node("Concat", [middle, extent], "xywh", axis=1), "strides"], "boxes")
    score = g.node("Sigmoid", [g.node("Concat", scores, "class.cat", axis=2)], "scores")
    g.node("Concat", [box, score], "output", axis=1)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("out")
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--side", type=int, default=640)
    options = parser.parse_args()
    if options.side % 32:
        parser.error("the side must be a multiple of 32")
    g = Graph()
    count = head(g, backbone_and_neck(g, *SIZES[options.size]), options.classes, options.side)
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, options.side, options.side])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 4 + options.classes, count])
    graph = helper.make_graph(g.nodes, "yolov8" + options.size, [images], [output], g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tern bench")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, options.out)
    parameters = sum(int(np.prod(w.dims)) for w in g.weights if w.name.endswith((".weight", ".bias")))
    print(f"{options.out}: {parameters / 1e6:.2f} million parameters, {len(g.nodes)} nodes")


if __name__ == "__main__":
    main()
