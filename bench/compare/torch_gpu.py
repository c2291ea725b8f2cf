#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""torch_gpu.py NETWORK... [--rounds 20] [--runs 50] [--batch 1] [--skip-compile]: PyTorch on a GPU, one JSON line a network and way.

NETWORK is overhead-detect, overhead-segment (tools/demo-models/nets.py) or yolov8n, yolov8s, yolov8m, with random weights: speed does
not depend on them. FP16, channels last, batch normalisation folded by hand, as a careful user would. Ways, each in turns of RUNS:

  eager     one launch a layer
  graph     a CUDA graph of the eager launches
  compile   torch.compile(mode="max-autotune"), which uses CUDA graphs of its own

Each run copies an f32 image from pinned memory to the GPU, converts, infers, and copies the f32 result back to pinned memory: the
same work as tern_graph in bench/gpu/tensorrt_latency.cpp, to be run on the same machine. Times in milliseconds.
"""
import argparse
import json
import pathlib
import sys
import time

import torch
import torch.nn as nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/demo-models"))
import nets

SIZES = {"n": (0.33, 0.25, 1024), "s": (0.33, 0.50, 1024), "m": (0.67, 0.75, 768)}


class YoloV8(nn.Module):
    """The network that bench/gpu/yolov8_onnx.py writes."""

    def __init__(self, size, classes=80, side=640):
        super().__init__()
        depth, width, most = SIZES[size]
        def channels(c): return int(-(-min(c, most) * width // 8) * 8)
        def repeats(n): return max(1, round(n * depth))
        c1, c2, c3, c4, c5 = (channels(c) for c in (64, 128, 256, 512, 1024))
        self.low = nn.Sequential(nets.Conv(3, c1, 3, 2), nets.Conv(c1, c2, 3, 2), nets.Split(c2, c2, repeats(3)))
        self.s3 = nn.Sequential(nets.Conv(c2, c3, 3, 2), nets.Split(c3, c3, repeats(6)))
        self.s4 = nn.Sequential(nets.Conv(c3, c4, 3, 2), nets.Split(c4, c4, repeats(6)))
        self.s5 = nn.Sequential(nets.Conv(c4, c5, 3, 2), nets.Split(c5, c5, repeats(3)), nets.Pool(c5))
        self.n4 = nets.Split(c5 + c4, c4, repeats(3), False)
        self.n3 = nets.Split(c4 + c3, c3, repeats(3), False)
        self.d4, self.o4 = nets.Conv(c3, c3, 3, 2), nets.Split(c3 + c4, c4, repeats(3), False)
        self.d5, self.o5 = nets.Conv(c4, c4, 3, 2), nets.Split(c4 + c5, c5, repeats(3), False)
        levels, b, k = (c3, c4, c5), max(16, c3 // 4, 64), max(c3, min(classes, 100))
        self.box = nn.ModuleList(nn.Sequential(nets.Conv(c, b, 3), nets.Conv(b, b, 3), nn.Conv2d(b, 64, 1)) for c in levels)
        self.cls = nn.ModuleList(nn.Sequential(nets.Conv(c, k, 3), nets.Conv(k, k, 3), nn.Conv2d(k, classes, 1)) for c in levels)
        anchors, strides = nets.Detector.anchors(side, side, "cpu")
        self.register_buffer("anchors", anchors)
        self.register_buffer("strides", strides)
        self.classes = classes

    def forward(self, x):
        def up(t): return nn.functional.interpolate(t, scale_factor=2.0, mode="nearest")
        p3 = self.s3(self.low(x))
        p4 = self.s4(p3)
        p5 = self.s5(p4)
        n4 = self.n4(torch.cat([up(p5), p4], 1))
        n3 = self.n3(torch.cat([up(n4), p3], 1))
        o4 = self.o4(torch.cat([self.d4(n3), n4], 1))
        levels = (n3, o4, self.o5(torch.cat([self.d5(o4), p5], 1)))
        n = x.shape[0]
        box = torch.cat([m(v).reshape(n, 64, -1) for m, v in zip(self.box, levels)], 2)
        score = torch.cat([m(v).reshape(n, self.classes, -1) for m, v in zip(self.cls, levels)], 2)
        q = nets.Detector.boxes(box, self.anchors, self.strides)
        return torch.cat([(q[:, :2] + q[:, 2:]) / 2, q[:, 2:] - q[:, :2], score.sigmoid()], 1)


def network(name):
    torch.manual_seed(8)
    if name == "overhead-detect":
        return nets.ExportRaw(nets.Detector(), 640, 640)
    if name == "overhead-segment":
        return nets.Segmenter()
    return YoloV8(name.removeprefix("yolov8"))


def fold(module):
    """Conv + BatchNorm -> Conv."""
    for child in module.modules():
        if isinstance(child, nets.Conv):
            child.conv = torch.nn.utils.fuse_conv_bn_eval(child.conv, child.bn)
            child.bn = nn.Identity()
    return module


class Way:
    """One way to run the network, from pinned memory to pinned memory."""

    def __init__(self, model, batch, with_graph):
        self.model, self.stream = model, torch.cuda.Stream()
        self.source = torch.rand(batch, 3, 640, 640).pin_memory()
        self.x = torch.empty_like(self.source, device="cuda")
        with torch.cuda.stream(self.stream):
            for _ in range(10):
                y = self.step()
        self.stream.synchronize()
        self.target = torch.empty(y.shape, dtype=torch.float32).pin_memory()
        self.graph = None
        if with_graph:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, stream=self.stream):
                self.x.copy_(self.source, non_blocking=True)
                self.target.copy_(self.step(), non_blocking=True)

    def step(self):
        return self.model(self.x.to(torch.float16, memory_format=torch.channels_last)).float()

    def run(self):
        with torch.cuda.stream(self.stream):
            if self.graph is not None:
                self.graph.replay()
            else:
                self.x.copy_(self.source, non_blocking=True)
                self.target.copy_(self.step(), non_blocking=True)
        self.stream.synchronize()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--skip-compile", action="store_true")
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    with torch.inference_mode():
        for name in options.networks:
            model = fold(network(name).eval()).half().cuda().to(memory_format=torch.channels_last)
            ways = {"eager": Way(model, options.batch, False), "graph": Way(model, options.batch, True)}
            if not options.skip_compile:
                start = time.perf_counter()
                ways["compile"] = Way(torch.compile(model, mode="max-autotune"), options.batch, False)
                print(json.dumps({"torch_compile": name, "seconds": round(time.perf_counter() - start, 1)}), flush=True)
            times = {way: [] for way in ways}
            for r in range(options.rounds + 1):
                for way, it in ways.items():
                    for _ in range(options.runs):
                        start = time.perf_counter()
                        it.run()
                        if r:
                            times[way].append((time.perf_counter() - start) * 1e3)
            for way, values in times.items():
                values.sort()
                def at(part): return round(values[int(part * (len(values) - 1))], 4)
                print(json.dumps({"torch": torch.__version__, "cuda": torch.version.cuda, "device": torch.cuda.get_device_name(), "network": name,
                                  "batch": options.batch, "way": way, "precision": "f16", "p50": at(.5), "p95": at(.95), "p99": at(.99), "runs": len(values)}), flush=True)


if __name__ == "__main__":
    main()
