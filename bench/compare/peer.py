#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""One peer measured in a process of its own: peer.py RUNTIME MODEL IMAGE THREADS SECONDS -> one JSON line.

RUNTIME is `openvino` or `onnxruntime`. Two figures, both p50 in milliseconds after a warm-up: `infer_ms`, the model alone on a
ready tensor, and `whole_ms`, from decoded BGR pixels to boxes (detectors) or to the raw output (other tasks), with OpenCV for the
letterbox, cv2.dnn.blobFromImage for the tensor and cv2.dnn.NMSBoxesBatched for NMS: what a careful Python user would write.
"""
import json
import sys
import time

import cv2
import numpy as np

runtime, model, image, threads, seconds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
cv2.setNumThreads(threads)


def openvino_session():
    import openvino as ov
    core = ov.Core()
    graph = core.read_model(model)
    shape = graph.input(0).partial_shape
    shape[0] = 1
    graph.reshape({graph.input(0): shape})
    compiled = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                                                 "ENABLE_CPU_PINNING": False})
    request = compiled.create_infer_request()

    def run(x):
        request.infer({0: x}, share_inputs=True)
        return request.get_output_tensor(0).data
    return run, list(compiled.input(0).shape), ov.__version__


def onnxruntime_session():
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    info = session.get_inputs()[0]
    return lambda x: session.run(None, {info.name: x})[0], [d if isinstance(d, int) else 1 for d in info.shape], ort.__version__


run, shape, version = {"openvino": openvino_session, "onnxruntime": onnxruntime_session}[runtime]()
height, width = shape[2], shape[3]
frame = cv2.imread(image)


def letterbox(pixels):
    r = min(width / pixels.shape[1], height / pixels.shape[0])
    w, h = round(pixels.shape[1] * r), round(pixels.shape[0] * r)
    if (w, h) != (pixels.shape[1], pixels.shape[0]):
        pixels = cv2.resize(pixels, (w, h), interpolation=cv2.INTER_LINEAR)
    left, top = (width - w) // 2, (height - h) // 2
    return cv2.copyMakeBorder(pixels, top, height - h - top, left, width - w - left, cv2.BORDER_CONSTANT, value=(114, 114, 114)), r, left, top


def whole():
    padded, r, left, top = letterbox(frame)
    out = run(cv2.dnn.blobFromImage(padded, 1 / 255, swapRB=True))
    if out.ndim != 3 or out.shape[1] >= out.shape[2]:
        return out
    scores = out[0, 4:].max(0)
    keep = scores > .25
    boxes, scores, classes = out[0, :4, keep], scores[keep], out[0, 4:, keep].argmax(1)
    xywh = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], 1)
    kept = cv2.dnn.NMSBoxesBatched(xywh.tolist(), scores.tolist(), classes.tolist(), .25, .45)
    return (xywh[kept] - [left, top, 0, 0]) / r


def p50(call):
    for _ in range(5):
        call()
    end, times = time.perf_counter() + seconds, []
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


ready = np.random.default_rng(0).random(shape, dtype=np.float32)
result = {"runtime": runtime, "version": version, "infer_ms": p50(lambda: run(ready))}
if shape[1] == 3:
    result["whole_ms"] = p50(whole)
print(json.dumps(result))
