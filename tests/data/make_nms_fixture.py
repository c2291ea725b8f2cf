#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Writes nms.json: boxes, and which of them torchvision keeps. Needs torch and torchvision (made with 0.29).

Numbers are multiples of 1/4 (boxes) and 1/64 (scores), so that text holds them exactly. Thresholds are f32 values. Kept
boxes stand in order of falling score, the lower index first: torchvision's nms gives them so; its batched_nms sorts
without a promise about equals, so the exact per-class form is sorted here.
"""
import json
import pathlib

import numpy as np
import torch
from torchvision.ops import nms
from torchvision.ops.boxes import _batched_nms_vanilla

rng = np.random.default_rng(20261)


def quantise(a, step):
    return np.round(np.asarray(a) / step) * step


def clustered(n, spread, size=64.0, classes=5, levels=64):
    centres = rng.uniform(-100, 600, (max(1, n // 8), 2))
    c = centres[rng.integers(len(centres), size=n)] + rng.normal(0, spread, (n, 2))
    wh = rng.uniform(size / 4, size, (n, 2))
    boxes = quantise(np.concatenate([c - wh / 2, c + wh / 2], 1), .25)
    return boxes, rng.integers(1, levels + 1, n) / 64, rng.integers(classes, size=n)


def with_odd_boxes(n):
    boxes, scores, classes = clustered(n, 10)
    boxes[::7, 2] = boxes[::7, 0]  # no width
    boxes[3::11, 2:] = boxes[3::11, :2]  # points
    boxes[1::5] = boxes[::5][: len(boxes[1::5])]  # identical to their neighbours
    return boxes, scores, classes


cases = {
    "empty": (np.zeros((0, 4)), np.zeros(0), np.zeros(0, int)),
    "one": clustered(1, 1),
    "sparse": clustered(100, 80),
    "dense": clustered(400, 8),
    "ties": clustered(200, 8, levels=3),
    "all scores equal": clustered(120, 8, levels=1),
    "identical boxes": (np.tile([[10., 20, 30, 40]], (50, 1)), rng.integers(1, 65, 50) / 64, rng.integers(3, size=50)),
    "no area, points, twins": with_odd_boxes(150),
    "all negative": (clustered(80, 8)[0] - 2000, *clustered(80, 8)[1:]),
    "large": (clustered(80, 8)[0] * 4096, *clustered(80, 8)[1:]),
    # IoU of exactly 1/2 and 1/3 at those thresholds: a ratio equal to the threshold does not suppress.
    "ratio at the threshold": (np.array([[0., 0, 8, 4], [0, 0, 4, 4], [0, 4, 8, 12], [4, 4, 12, 12]]), np.array([.5, .25, .75, .5]), np.zeros(4, int)),
}
out = []
for name, (boxes, scores, classes) in cases.items():
    b, s, c = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), torch.tensor(scores, dtype=torch.float32), torch.tensor(classes)
    assert np.array_equal(b.numpy(), boxes) and np.array_equal(s.numpy(), scores)
    runs = []
    for iou in (0.0, 1 / 3, 0.45, 0.5, 0.65, 1.0):
        iou = float(np.float32(iou))
        plain = nms(b, s, iou).tolist()
        assert plain == sorted(plain, key=lambda i: (-scores[i], i))
        per_class = sorted(_batched_nms_vanilla(b, s, c, iou).tolist(), key=lambda i: (-scores[i], i))
        runs.append({"iou": iou, "agnostic": plain, "class_aware": per_class})
    # A box is [x1 * 4, y1 * 4, x2 * 4, y2 * 4, score * 64, class].
    rows = np.concatenate([boxes * 4, scores[:, None] * 64, classes[:, None]], 1).astype(np.int64).tolist()
    out.append({"name": name, "boxes": rows, "runs": runs})
path = pathlib.Path(__file__).with_name("nms.json")
path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in out) + "\n]\n")
print(path.stat().st_size, "bytes")
