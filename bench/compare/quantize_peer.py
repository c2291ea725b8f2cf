#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""One peer's post-training quantisation: quantize_peer.py TOOL MODEL CONTRACT IMAGES OUT COUNT -> one JSON line.

TOOL is `onnxruntime` (quantize_static: QDQ, int8 per channel, and its default min-max calibration) or `nncf` (nncf.quantize with its
default preset). CONTRACT is the JSON of `tern inspect`. The pictures become the input as the contract says, with OpenCV.
"""
import json
import pathlib
import sys
import time

import cv2
import numpy as np

tool, model, contract_file, images, out, count = sys.argv[1:]
contract = json.loads(pathlib.Path(contract_file).read_text())["input"]
width, height = contract["width"], contract["height"]


def fit(pixels, interpolation):
    if contract["resize"] == "stretch":
        return cv2.resize(pixels, (width, height), interpolation=interpolation), 0, 0
    if contract["resize"] != "letterbox":
        raise SystemExit(f"resize rule {contract['resize']}")
    r = min(width / pixels.shape[1], height / pixels.shape[0])
    w, h = round(pixels.shape[1] * r), round(pixels.shape[0] * r)
    return cv2.resize(pixels, (w, h), interpolation=interpolation), (width - w) // 2, (height - h) // 2


def padded(pixels, left, top, value):
    return cv2.copyMakeBorder(pixels, top, height - pixels.shape[0] - top, left, width - pixels.shape[1] - left, cv2.BORDER_CONSTANT, value=[value] * 3)


def tensor(path):
    pixels, left, top = fit(cv2.imread(str(path)), cv2.INTER_LINEAR)
    pixels = padded(pixels, left, top, contract["pad_value"]).astype(np.float32)
    if contract["color"] == "rgb":
        pixels = pixels[:, :, ::-1]
    pixels = (pixels * contract["scale"] - np.array(contract["mean"][:3])) / np.array(contract["std"][:3])
    planes = list(pixels.transpose(2, 0, 1))
    if contract["mask_channel"]:
        mask, left, top = fit(cv2.imread(str(path.with_name(path.stem + "-region.png")), cv2.IMREAD_GRAYSCALE), cv2.INTER_NEAREST)
        planes.append((padded(mask, left, top, 0) > 0).astype(np.float32))
    return np.stack(planes)[None].astype(np.float32)


files = sorted(pathlib.Path(images).glob("*.jpg"))[:int(count)]
start = time.monotonic()
if tool == "onnxruntime":
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.left = iter(files)

        def get_next(self):
            path = next(self.left, None)
            return None if path is None else {contract["tensor"]: tensor(path)}
    quant_pre_process(model, out + ".pre.onnx", skip_symbolic_shape=True)
    quantize_static(out + ".pre.onnx", out, Reader(), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QInt8, weight_type=QuantType.QInt8)
    pathlib.Path(out + ".pre.onnx").unlink()
    version = onnxruntime.__version__
else:
    import nncf
    import onnx
    made = nncf.quantize(onnx.load(model), nncf.Dataset(files, lambda path: {contract["tensor"]: tensor(path)}), subset_size=len(files))
    onnx.save(made, out)
    version = nncf.__version__
print(json.dumps({"version": version, "seconds": time.monotonic() - start, "images": len(files)}))
