#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""frame_torch.py LIBTERN_PLAN_RUNNER MODEL.onnx PLAN: from a frame in host memory to boxes, tern's frame path beside a Python pipeline.

Both run the same plan (a file of tools/gpu/run-bench build, for one image) of a YOLO-like detector, in one process, in turns. Python calls
the inference by ctypes (bench/gpu/plan_runner.cpp: enqueueV3 on PyTorch's stream, in PyTorch's memory), as it would by TensorRT's own
bindings. Ways:

  tern_pageable, tern_pinned    tern's frame path; the call by ctypes counts against it
  torch_pageable, torch_pinned  the pipeline that a careful user writes: upload of the u8 frame, letterbox and normalisation by torch on
                                the GPU into the engine's own input, the inference, threshold, torchvision.ops.batched_nms, boxes back to
                                source pixels, one copy to the host
  torch_graph                   the same, upload to inference as one CUDA graph (the frame in pinned memory that never moves)
  opencv_pageable               letterbox by OpenCV on the CPU, as most examples do it; then as torch_pageable. Only where OpenCV is there

Without torchvision, NMS is an exact one in torch, and the JSON says so. Frames: --picture at each of --sizes, else noise. Before
anything is timed, the boxes of each way are compared with tern's: how many there are, and how many have one of the same class within
2 pixels of 640 (the ways resample alike, not to the bit). JSON lines; times in milliseconds; ratios of the rounds' medians.
"""
import argparse
import ctypes
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

try:
    from torchvision.ops import batched_nms
    NMS = "torchvision.ops.batched_nms"
except ImportError:
    NMS = "exact NMS in torch"

    def batched_nms(boxes, scores, classes, iou):
        """The same set: greedy, best first, within each class. One matrix on the GPU, the rest on the CPU."""
        order = scores.argsort(descending=True, stable=True)
        b, c = boxes[order], classes[order]
        area = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
        low, high = torch.maximum(b[:, None, :2], b[None, :, :2]), torch.minimum(b[:, None, 2:], b[None, :, 2:])
        shared = (high - low).clamp(min=0).prod(2)
        over = ((shared / (area[:, None] + area[None] - shared)) > iou) & (c[:, None] == c[None])
        rows, gone, kept = over.cpu(), torch.zeros(len(order), dtype=torch.bool), []
        for i in range(len(order)):
            if not gone[i]:
                kept.append(i)
                gone |= rows[i]
        return order[torch.tensor(kept, dtype=torch.long, device=order.device)]

try:
    import cv2
except ImportError:
    cv2 = None

DTYPES = {"f32": torch.float32, "f16": torch.float16}


class Runner:
    """libtern_plan_runner."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        p, i = ctypes.c_void_p, ctypes.c_int
        for name, result, arguments in (("tern_runner_error", ctypes.c_char_p, []), ("tern_engine_open", p, [ctypes.c_char_p]),
                                        ("tern_engine_ports", ctypes.c_char_p, [p]), ("tern_engine_bind", i, [p, ctypes.c_char_p, p]),
                                        ("tern_engine_enqueue", i, [p, p]), ("tern_frame_open", p, [ctypes.c_char_p, ctypes.c_char_p, i]),
                                        ("tern_frame_contract", ctypes.c_char_p, [p]), ("tern_frame_run", i, [p, p, i, i, p, i])):
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments

    def must(self, ok):
        if not ok:
            raise RuntimeError(self.library.tern_runner_error().decode())


class Tern:
    def __init__(self, runner, model, plan):
        self.runner, self.run_frame = runner, runner.library.tern_frame_run
        self.path = runner.library.tern_frame_open(model.encode(), plan.encode(), 1)
        runner.must(self.path)
        self.contract = json.loads(runner.library.tern_frame_contract(self.path))
        self.rows = torch.empty(self.contract["output"]["max_detections"], 6)
        self.address, self.most = self.rows.data_ptr(), len(self.rows)

    def __call__(self, frame):
        count = self.run_frame(self.path, frame.data_ptr(), frame.shape[1], frame.shape[0], self.address, self.most)
        self.runner.must(count >= 0)
        return self.rows[:count]


class Pipeline:
    """The Python pipeline around the plan."""

    def __init__(self, runner, plan, contract):
        self.runner, self.enqueue, self.contract = runner, runner.library.tern_engine_enqueue, contract
        self.input, self.output = contract["input"], contract["output"]
        if self.output["kind"] != "yolo" or self.input["resize"] != "letterbox" or self.input["layout"] != "nchw":
            sys.exit("frame_torch.py: this comparison is for detectors with a YOLO output and a letterboxed NCHW input")
        self.engine = runner.library.tern_engine_open(plan.encode())
        runner.must(self.engine)
        self.tensors = {}
        for line in runner.library.tern_engine_ports(self.engine).decode().splitlines():
            _, name, dtype, *shape = line.split()
            self.tensors[name] = torch.zeros([int(s) for s in shape], dtype=DTYPES[dtype], device="cuda")
            runner.must(runner.library.tern_engine_bind(self.engine, name.encode(), self.tensors[name].data_ptr()) == 0)
        self.x, self.y = self.tensors[self.input["tensor"]], self.tensors[self.output["tensor"]]
        self.side_y, self.side_x = self.x.shape[2:]
        self.stream = torch.cuda.Stream()
        mean, std = (torch.tensor(self.input[k][:3], device="cuda").view(1, 3, 1, 1) for k in ("mean", "std"))
        self.scale, self.shift = self.input["scale"] / std, mean / std
        self.pad = self.input["pad_value"] * self.scale - self.shift

    def geometry(self, height, width):
        r = min(self.side_x / width, self.side_y / height)
        w, h = round(width * r), round(height * r)
        left, top = (self.side_x - w) // 2, (self.side_y - h) // 2
        return w, h, left, top

    def preprocess(self, pixels):
        """u8 BGR (height, width, 3) on the GPU to the engine's input."""
        w, h, left, top = self.geometry(*pixels.shape[:2])
        image = F.interpolate(pixels.permute(2, 0, 1)[None].float(), size=(h, w), mode="bilinear", align_corners=False)
        if self.input["color"] == "rgb":
            image = image.flip(1)
        self.x.copy_(self.pad.expand_as(self.x))
        self.x[:, :, top:top + h, left:left + w] = image * self.scale - self.shift

    def infer(self):
        self.runner.must(self.enqueue(self.engine, torch.cuda.current_stream().cuda_stream) == 0)

    def decode(self, height, width):
        w, h, left, top = self.geometry(height, width)
        y = self.y[0].float()
        scores, classes = y[4:].max(0)
        keep = scores > self.output["score_threshold"]
        scores, classes, boxes = scores[keep], classes[keep], y[:4, keep].T
        boxes = torch.cat([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
        groups = classes if self.output["class_aware_nms"] else torch.zeros_like(classes)
        kept = batched_nms(boxes, scores, groups, self.output["nms_iou"])[:self.output["max_detections"]]
        boxes = boxes[kept]
        boxes[:, 0::2] = ((boxes[:, 0::2] - left) * (width / w)).clamp(0, width)
        boxes[:, 1::2] = ((boxes[:, 1::2] - top) * (height / h)).clamp(0, height)
        return torch.cat([boxes, scores[kept, None], classes[kept, None].float()], 1).cpu()

    def __call__(self, frame):
        with torch.cuda.stream(self.stream):
            self.preprocess(frame.to("cuda", non_blocking=True))
            self.infer()
            return self.decode(*frame.shape[:2])

    def opencv(self, frame):
        height, width = frame.shape[:2]
        w, h, left, top = self.geometry(height, width)
        image = cv2.copyMakeBorder(cv2.resize(frame.numpy(), (w, h), interpolation=cv2.INTER_LINEAR), top, self.side_y - h - top, left,
                                   self.side_x - w - left, cv2.BORDER_CONSTANT, value=(self.input["pad_value"],) * 3)
        pixels = torch.from_numpy(cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if self.input["color"] == "rgb" else image)
        with torch.cuda.stream(self.stream):
            self.x.copy_(pixels.to("cuda", non_blocking=True).permute(2, 0, 1)[None].float() * self.scale - self.shift)
            self.infer()
            return self.decode(height, width)

    def graph(self, frame):
        """A call that replays the way from this pinned frame to the engine's output."""
        with torch.cuda.stream(self.stream):
            pixels = frame.to("cuda")
            for _ in range(3):
                self.preprocess(pixels)
                self.infer()
        self.stream.synchronize()
        captured = torch.cuda.CUDAGraph()
        with torch.cuda.graph(captured, stream=self.stream, capture_error_mode="thread_local"):
            pixels.copy_(frame, non_blocking=True)
            self.preprocess(pixels)
            self.infer()

        def run(_):
            with torch.cuda.stream(self.stream):
                captured.replay()
                return self.decode(*frame.shape[:2])
        return run


def frame_of(picture, width, height):
    """u8 BGR."""
    if picture is None:
        return torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    rows = torch.arange(height) * picture.shape[0] // height
    columns = torch.arange(width) * picture.shape[1] // width
    return picture[rows][:, columns].contiguous()


def read_ppm(path):
    with open(path, "rb") as file:
        magic, size, most = file.readline().split(), file.readline().split(), file.readline().split()
        if magic != [b"P6"] or most != [b"255"]:
            sys.exit(f"frame_torch.py: {path} is no binary PPM of 8 bits")
        width, height = map(int, size)
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).reshape(height, width, 3).flip(2).contiguous()


def alike(rows, others, limit):
    """How many rows have one of their class near them."""
    if not len(rows) or not len(others):
        return 0
    far = (rows[:, None, :4] - others[None, :, :4]).abs().amax(2)
    far[rows[:, None, 5] != others[None, :, 5]] = float("inf")
    return int((far.amin(1) <= limit).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("library")
    parser.add_argument("model")
    parser.add_argument("plan")
    parser.add_argument("--sizes", nargs="+", default=["1920x1080", "3840x2160"])
    parser.add_argument("--picture", help="a binary PPM")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    picture = read_ppm(options.picture) if options.picture else None
    runner = Runner(options.library)
    tern = Tern(runner, options.model, options.plan)
    pipeline = Pipeline(runner, options.plan, tern.contract)

    def say(**line):
        print(json.dumps(line), flush=True)

    say(torch=torch.__version__, cuda=torch.version.cuda, device=torch.cuda.get_device_name(), nms=NMS, opencv=cv2.__version__ if cv2 else None)
    with torch.inference_mode():
        for size in options.sizes:
            width, height = map(int, size.split("x"))
            pageable = frame_of(picture, width, height)
            pinned = pageable.pin_memory()
            ways = {"tern_pageable": (tern, pageable), "tern_pinned": (tern, pinned), "torch_pageable": (pipeline, pageable),
                    "torch_pinned": (pipeline, pinned), "torch_graph": (pipeline.graph(pinned), pinned)}
            if cv2:
                ways["opencv_pageable"] = (pipeline.opencv, pageable)
            reference = tern(pageable).clone()
            limit = 2 * max(width, height) / 640
            for way, (run, frame) in ways.items():
                rows = run(frame)
                say(frame=size, check=way, boxes=len(rows), boxes_of_tern=len(reference), alike=alike(rows, reference, limit))
            times, medians = {way: [] for way in ways}, {way: [] for way in ways}
            for r in range(options.rounds + 1):
                for way, (run, frame) in ways.items():
                    turn = []
                    for _ in range(options.runs):
                        start = time.perf_counter()
                        run(frame)
                        turn.append((time.perf_counter() - start) * 1e3)
                    if r:  # the first round warms up
                        times[way] += turn
                        medians[way].append(statistics.median(turn))
            for way, values in times.items():
                values.sort()
                def at(part): return round(values[int(part * (len(values) - 1))], 4)
                say(frame=size, way=way, p50=at(.5), p95=at(.95), p99=at(.99), frames_a_second=round(1e3 / at(.5), 1), runs=len(values))
            for way in ways:
                if way.startswith("tern"):
                    continue
                ours = "tern_pageable" if way.endswith("_pageable") else "tern_pinned"
                ratios = sorted(a / b for a, b in zip(medians[way], medians[ours]))
                say(frame=size, ratio=f"{way} / {ours}", median=round(statistics.median(ratios), 3), least=round(ratios[0], 3), most=round(ratios[-1], 3))


if __name__ == "__main__":
    main()
