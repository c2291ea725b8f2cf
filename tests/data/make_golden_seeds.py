#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the golden fuzzer (fuzz/corpus/golden). Needs nothing."""
import json
import os
import struct

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "fuzz", "corpus", "golden")


def write(name, tensors, metadata=None, tail=b""):
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for key, (dtype, shape, values) in tensors.items():
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data + tail)


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def golden(frames, **more):
    return {"format": "tern-golden-1", "source": "user", "reference": "openvino", "independent": "false", "frames": str(frames), **more}


os.makedirs(OUT, exist_ok=True)
write("empty", {})
write("every_dtype", {d: (d, [2], bytes(2 * size)) for d, size in (("F64", 8), ("I64", 8), ("U64", 8), ("F32", 4), ("I32", 4), ("U32", 4), ("F16", 2),
                                                                     ("BF16", 2), ("I16", 2), ("U16", 2), ("I8", 1), ("U8", 1), ("BOOL", 1))})
ports = {"frame.0.input.x": ("F32", [1, 2], floats(1, 2)), "frame.0.output.y": ("F32", [1], floats(3))}
write("noise", ports, {**golden(1), "source": "noise", "frame.0.size": "0x0"})
write("labels", {**ports, "frame.0.boxes": ("F32", [1, 5], floats(0, 0, 2, 1, 3)), "frame.0.mask": ("U8", [1, 2], b"\x01\xff")},
      {**golden(1), "frame.0.size": "2x1", "frame.0.class": "7"})
write("two_frames", {**ports, **{k.replace("frame.0", "frame.1"): v for k, v in ports.items()}},
      {**golden(2), "frame.0.size": "2x1", "frame.1.size": "0x0"})
write("trailing_byte", ports, {**golden(1), "frame.0.size": "0x0"}, b"x")
write("nan_box", {**ports, "frame.0.boxes": ("F32", [1, 5], floats(0, float("nan"), 2, 1, 3))}, {**golden(1), "frame.0.size": "2x1"})
