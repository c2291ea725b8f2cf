# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: the real program, the demo data, files made with the standard library alone.

Each test script is called as SCRIPT PROGRAM SOURCE_FOLDER [unittest options].
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(sys.argv[2]).resolve()
DATA = ROOT / "data"
MODELS = ROOT / "models"
DETECT = MODELS / "overhead-detect.onnx"
SEGMENT = MODELS / "overhead-segment.onnx"
CLASSIFY = MODELS / "overhead-obstruction.onnx"
TINY = ROOT / "tests" / "data"
IMAGE = DATA / "validation" / "images" / "000.jpg"
VIDEO = DATA / "flight-1080p.mp4"

BACKENDS = ("openvino", "onnxruntime")  # what `--backend auto` chooses from on a CPU

EXIT = {"ConfigError": 2, "ModelError": 10, "ContractError": 11, "InputError": 12, "IoError": 13, "BackendError": 14,
        "EngineBuildError": 15, "EngineGateError": 16, "OutOfMemoryError": 17, "CalibrationCacheError": 18, "GoldenCheckError": 19, "InferenceError": 20,
        "Timeout": 21, "Cancelled": 22}


def png(width, height, bits=8, color=2, pixels=None):
    """A PNG; color 0: grey, 2: RGB, 6: RGBA. Pixels default to a gradient."""
    channels = {0: 1, 2: 3, 6: 4}[color]
    row = width * channels * bits // 8
    raw = b"".join(b"\0" + (pixels[y] if pixels else bytes((x + y) % 251 for x in range(row))) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 1)) + chunk(b"IEND", b"")


def png_size(content):
    return struct.unpack(">II", content[16:24])


def npy(descr, shape, data):
    text = repr({"descr": descr, "fortran_order": False, "shape": tuple(shape)}).encode() + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + data


def boxes_of_mp4(content, start=0, end=None):
    """Top-level boxes of an MP4 as (type, offset, size)."""
    end = len(content) if end is None else end
    while start + 8 <= end:
        size = struct.unpack(">I", content[start:start + 4])[0]
        yield content[start + 4:start + 8], start, size
        start += max(size, 8)


def cut_video(content, share):
    """An MP4 whose index stands in front, with only the first `share` of its frames' bytes."""
    boxes = {kind: content[offset:offset + size] for kind, offset, size in boxes_of_mp4(content)}
    old_start = next(offset for kind, offset, _ in boxes_of_mp4(content) if kind == b"mdat")
    moov = bytearray(boxes[b"moov"])
    shift = len(boxes[b"ftyp"]) + len(moov) - old_start
    at = moov.index(b"stco")
    for i in range(struct.unpack(">I", moov[at + 8:at + 12])[0]):
        entry = at + 12 + 4 * i
        moov[entry:entry + 4] = struct.pack(">I", struct.unpack(">I", moov[entry:entry + 4])[0] + shift)
    mdat = boxes[b"mdat"]
    return boxes[b"ftyp"] + bytes(moov) + mdat[:int(len(mdat) * share)]


class ProgramTest(unittest.TestCase):
    """Runs the program in an empty folder."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def tern(self, *args, stdout=subprocess.PIPE, env=None, expect=0):
        """Runs to the end and checks the exit code; (stdout, stderr)."""
        done = subprocess.run([PROGRAM, *map(str, args)], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                              cwd=self.folder, env={**os.environ, **(env or {})}, timeout=280)
        error = done.stderr.decode(errors="replace")
        out = (done.stdout or b"").decode(errors="replace")
        self.assertEqual(done.returncode, expect, f"tern {' '.join(map(str, args))}\n{out}\n{error}")
        return out, error

    def fails(self, kind, *args, says=(), **keywords):
        """The program fails with this class of error, says all of `says`, in one readable message, and leaves no new file."""
        before = sorted(self.folder.rglob("*"))
        _, error = self.tern(*args, expect=EXIT[kind], **keywords)
        self.assertRegex(error, rf"(?m)^tern: {kind}: ")
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, error)
        self.assertNotIn("AddressSanitizer", error)
        self.assertNotIn("\x1b", error)
        left = [p for p in sorted(self.folder.rglob("*")) if p not in before and not p.is_dir() and p.suffix != ".lock"]
        self.assertEqual(left, [])
        return error

    def json_lines(self, text):
        return [json.loads(line) for line in text.splitlines()]


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
