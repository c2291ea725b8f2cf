#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Writes coco.json: labelled boxes, detections, and what pycocotools (made with 2.0.11) makes of them.

Coordinates are multiples of 1/4 and scores of 1/64, exact in f32, and scores tie often. Crowds, images without labels or
without detections, classes without labels or without detections, and more detections than maxDets are among the cases.
"""
import contextlib
import io
import json
import pathlib

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = ["car", "truck", "bus", "boat", "plane", "never"]


def make(seed, images, objects, clutter, classes, crowds, jitter):
    rng = np.random.default_rng(seed)
    quantise = lambda a: np.round(np.asarray(a) * 4) / 4
    gts, dts = [], []
    for image in range(images):
        for _ in range(rng.integers(0, objects + 1)):
            xy, wh, c = quantise(rng.uniform(0, 500, 2)), quantise(rng.uniform(4, 90, 2)), int(rng.integers(classes))
            crowd = int(rng.random() < crowds)
            gts.append([image, c, *xy, *wh, crowd])
            for _ in range(int(rng.integers(0, 4))):
                noise = quantise(rng.normal(0, jitter, 4) * np.concatenate([wh, wh]))
                box = np.concatenate([xy, wh]) + noise
                box[2:] = np.maximum(box[2:], .25)
                label = c if rng.random() < .85 else int(rng.integers(classes))
                dts.append([image, label, *box, int(rng.integers(1, 65)) / 64])
        for _ in range(rng.integers(0, clutter + 1)):
            dts.append([image, int(rng.integers(classes)), *quantise(rng.uniform(0, 500, 2)), *quantise(rng.uniform(4, 90, 2)), int(rng.integers(1, 33)) / 64])
    rng.shuffle(dts)
    dts.sort(key=lambda d: d[0])
    return gts, dts


def evaluate(images, gts, dts, max_detections):
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i} for i in range(images)],
        "categories": [{"id": i, "name": n} for i, n in enumerate(NAMES)],
        "annotations": [{"id": i + 1, "image_id": int(g[0]), "category_id": g[1], "bbox": [float(v) for v in g[2:6]], "area": float(g[4] * g[5]), "iscrowd": g[6]} for i, g in enumerate(gts)],
    }
    coco.createIndex()
    results = coco.loadRes([{"image_id": int(d[0]), "category_id": int(d[1]), "bbox": [float(v) for v in d[2:6]], "score": float(d[6])} for d in dts])
    run = COCOeval(coco, results, "bbox")
    run.params.maxDets = [1, 2, max_detections]  # sorted by evaluate(); the last is scored below
    run.evaluate()
    run.accumulate()
    p = run.eval["precision"][:, :, :, 0, 2]
    mean = lambda a: float(a[a > -1].mean()) if (a > -1).any() else None
    return {"ap": mean(p), "ap50": mean(p[0]), "ap75": mean(p[5]), "per_class": [[mean(p[:, :, k]), mean(p[0, :, k]), mean(p[5, :, k])] for k in range(len(NAMES))]}


out = []
for name, images, max_detections, args in [
    ("typical", 20, 300, dict(objects=10, clutter=6, classes=5, crowds=0, jitter=.06)),
    ("crowds", 16, 300, dict(objects=10, clutter=8, classes=3, crowds=.3, jitter=.12)),
    ("exact boxes", 6, 300, dict(objects=6, clutter=0, classes=4, crowds=.1, jitter=0)),
    ("few detections allowed", 10, 5, dict(objects=12, clutter=10, classes=2, crowds=.1, jitter=.08)),
    ("only clutter", 3, 300, dict(objects=1, clutter=20, classes=6, crowds=1, jitter=.1)),
]:
    gts, dts = make(len(out), images, **args)
    with contextlib.redirect_stdout(io.StringIO()):
        expected = evaluate(images, gts, dts, max_detections)
    # truth: [image, class, x, y, w, h, crowd]; detections: [image, class, x, y, w, h, score]
    number = lambda rows: [[float(v) if isinstance(v, (float, np.floating)) and v != int(v) else int(v) for v in r] for r in rows]
    out.append({"name": name, "images": images, "max_detections": max_detections, "truth": number(gts), "detections": number(dts), "expected": expected})
    print(name, expected["ap"], expected["ap50"], expected["ap75"], len(gts), len(dts))
path = pathlib.Path(__file__).with_name("coco.json")
path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in out) + "\n]\n")
print(path.stat().st_size, "bytes")
