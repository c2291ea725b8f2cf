#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""tern calib and tern quantize, on good and bad input."""
import hashlib
import html.parser
import json
import re
import shutil

import program
from program import CLASSIFY, DATA, DETECT, TINY, VIDEO, ProgramTest

CROPS = DATA / "crops"
FRAMES = 4


class CalibrationTest(ProgramTest):
    made_once = {}  # the files of one calibration, for tests that need any

    def setUp(self):
        super().setUp()
        shutil.copy(CLASSIFY, self.folder / "m.onnx")

    def calibrate(self, *args, images=CROPS, frames=FRAMES):
        return self.tern("calib", "run", "m.onnx", "--images", images, "--frames", frames, *args)[0]

    def have_calibration(self):
        """As calibrate() leaves it. Nothing in these files is of a time or place, so one run serves all tests."""
        if not self.made_once:
            self.calibrate()
            self.made_once.update((p.name, p.read_bytes()) for p in self.folder.glob("m.calib*"))
        for name, content in self.made_once.items():
            self.write(name, content)

    def passport(self, name="m.calib.json"):
        return json.loads((self.folder / name).read_text())


class Calib(CalibrationTest):
    def test_run_check_and_run_again(self):
        out = self.calibrate("--tensorrt", "8.6.1")
        self.assertRegex(out, rf"(?m)^\d+ tensors on {FRAMES} pictures, mse, openvino ")
        first = (self.folder / "m.calib.json").read_bytes()
        self.assertEqual({p.name for p in self.folder.iterdir() if p.name.startswith("m.")},
                         {"m.onnx", "m.calib.json", "m.calib_cache", "m.calib_cache.sha256", "m.calib_cache.dataset_sha256"})
        self.assertIn("trusted", self.tern("calib", "check", "m.onnx")[0])
        self.assertIn("trusted", self.tern("calib", "check", "m.onnx", "--images", CROPS, "--frames", FRAMES)[0])
        self.fails("CalibrationCacheError", "calib", "check", "m.onnx", "--images", CROPS, says="another data set")
        self.assertIn("nothing is to be done", self.calibrate())
        self.calibrate("--anew", "--workers", 1)
        self.assertEqual((self.folder / "m.calib.json").read_bytes(), first, "the same calibration gives the same bytes")
        self.assertIn("another data set", self.calibrate(frames=FRAMES + 1))
        self.assertEqual(self.passport()["images"]["frames"], FRAMES + 1)
        self.assertIn("trusted", self.tern("calib", "check", "m.onnx", "--images", CROPS, "--frames", FRAMES + 1)[0])

    def test_show_export_and_import(self):
        self.calibrate("--method", "max")
        ranges = self.passport()["ranges"]
        shown = self.tern("calib", "show", "m.calib.json")[0]
        self.assertIn(self.passport()["model"]["sha256"], shown)
        for tensor in ranges:
            self.assertIn(tensor, shown)
        self.tern("calib", "export", "m.calib.json", "--tensorrt", "10.3", "--algorithm", "minmax", "-o", "x.cache")
        lines = (self.folder / "x.cache").read_text().splitlines()
        self.assertEqual(lines[0], "TRT-100300-MinMaxCalibration")
        self.assertEqual(len(lines), 1 + len(ranges))
        self.assertIn("TensorRT 10.3.0, MinMaxCalibration", self.tern("calib", "show", "x.cache")[0])
        shutil.copy(self.folder / "m.onnx", self.folder / "n.onnx")
        out = self.tern("calib", "import", "x.cache", "--model", "n.onnx")[0]
        self.assertRegex(out, r"\d+ matched, 0 renamed, 0 unknown; 0 of \d+ wanted tensors are missing \(100.0% covered\); 0 suspicious")
        self.assertEqual((self.folder / "n.calib_cache").read_bytes(), (self.folder / "x.cache").read_bytes())
        imported = self.passport("n.calib.json")
        self.assertEqual(imported["method"], "imported")
        for tensor, value in ranges.items():
            self.assertAlmostEqual(imported["ranges"][tensor] / value, 1, places=6)
        self.assertIn("trusted", self.tern("calib", "check", "n.onnx")[0])

    def test_a_bare_cache_is_refused_and_importing_it_is_the_cure(self):
        self.have_calibration()
        self.tern("calib", "export", "m.calib.json", "--tensorrt", "8.6")
        for name in ("m.calib.json", "m.calib_cache.sha256", "m.calib_cache.dataset_sha256"):
            (self.folder / name).unlink()
        before = (self.folder / "m.calib_cache").read_bytes()
        self.fails("CalibrationCacheError", "calib", "check", "m.onnx", says="tern calib import")
        self.fails("CalibrationCacheError", "calib", "run", "m.onnx", "--images", CROPS, says="tern calib import")
        self.tern("calib", "import", "m.calib_cache", "--model", "m.onnx")
        self.assertIn("trusted", self.tern("calib", "check", "m.onnx")[0])
        self.assertEqual((self.folder / "m.calib_cache").read_bytes(), before)

    def test_a_cache_of_another_model_is_refused(self):
        self.have_calibration()
        self.tern("calib", "export", "m.calib.json", "--tensorrt", "8.6", "-o", "x.cache")
        self.fails("CalibrationCacheError", "calib", "import", "x.cache", "--model", DETECT, "-o", "d.calib.json", says="asked for")
        self.assertFalse((self.folder / "d.calib.json").exists())

    def test_junk_is_refused(self):
        for text, why in (("", "empty"), ("junk\n", "TRT-"), ("TRT-8601-EntropyCalibration2\nx: zz\n", "hex digits"),
                          ("TRT-8601-EntropyCalibration2\nx: ff800000\n", "inf"), ("TRT-8601-EntropyCalibration2\n" + "x" * 5000 + ": 1\n", "line of")):
            self.write("x.cache", text)
            self.fails("CalibrationCacheError", "calib", "show", "x.cache", says=why)
            self.fails("CalibrationCacheError", "calib", "import", "x.cache", "--model", "m.onnx", says=why)
        self.write("x.json", "{}")
        self.fails("CalibrationCacheError", "calib", "show", "x.json", says="format")

    def test_frames_of_a_video(self):
        run = ("calib", "run", DETECT, "--images", VIDEO, "--frames", 2, "--method", "max", "-o", "v.calib.json")
        self.assertIn("on 2 pictures", self.tern(*run, "--sampling", "scene")[0])
        scene = self.passport("v.calib.json")["images"]["sha256"]
        self.tern(*run)
        self.assertNotEqual(self.passport("v.calib.json")["images"]["sha256"], scene)

    def test_bad_pictures(self):
        (self.folder / "empty").mkdir()
        self.fails("InputError", "calib", "run", "m.onnx", "--images", "empty", says="empty")
        (self.folder / "same").mkdir()
        (self.folder / "black").mkdir()
        self.write("same/a.png", program.png(20, 20))
        self.write("same/b.png", program.png(20, 20))
        self.fails("InputError", "calib", "run", DETECT, "--images", "same", "-o", "d.calib.json", says="hold the same bytes")
        self.write("black/a.png", program.png(20, 20, pixels=[bytes(60)] * 20))
        self.fails("InputError", "calib", "run", DETECT, "--images", "black", "-o", "d.calib.json", says="each of the 1 pictures is of one colour")
        self.fails("ConfigError", "calib", "run", "m.onnx", "--images", CROPS, "--method", "average", says="average")
        self.fails("ConfigError", "calib", "run", "m.onnx", "--images", CROPS, "-o", "x.txt", says="calib.json")
        self.assertFalse((self.folder / "d.calib.json").exists())


class Quantize(CalibrationTest):
    def test_quantize_with_a_report(self):
        out = self.tern("quantize", "m.onnx", "--images", CROPS, "--frames", 12, "--data", CROPS, "--floor", "-10pt", "--report", "r.html", "--json", "q.json",
                        "-o", "q.onnx")[0]
        for method in ("f32", "mse", "max", "percentile", "entropy"):
            self.assertRegex(out, rf"(?m)^{method} +top-1 ")
        self.assertIn("holds with all layers in int8", out)
        self.assertIn("QuantizeLinear", self.tern("inspect", "q.onnx")[0])
        report = json.loads((self.folder / "q.json").read_text())
        self.assertEqual([row["what"] for row in report["measured"]], ["f32", "mse", "max", "percentile", "entropy"])
        best = max(report["measured"][1:], key=lambda row: row["score"])
        self.assertEqual(next(row["score"] for row in report["measured"] if row["what"] == report["method"]), best["score"])
        self.check_page((self.folder / "r.html").read_text())
        top1 = json.loads(self.tern("eval", "q.onnx", "--data", CROPS, "--json", "-", "--quiet")[0])["top1"]
        self.assertGreaterEqual(round(60 * top1), 57)
        self.fails("ModelError", "quantize", "q.onnx", "--images", CROPS, "-o", "qq.onnx", says="already")
        self.fails("ModelError", "calib", "run", "q.onnx", "--images", CROPS, says="already")
        self.assertFalse((self.folder / "qq.onnx").exists())

    def check_page(self, page):
        """Whole, and nothing in it comes from elsewhere."""
        for heading in ("Accuracy", "Speed", "Most different pictures", "Layers, the most disturbed first", "Activations and their ranges"):
            self.assertIn(f"<h2>{heading}</h2>", page)
        self.assertGreaterEqual(page.count('src="data:image/jpeg;base64,'), 12)
        self.assertGreater(page.count("<svg"), 5)
        self.assertNotRegex(page, r"https?:|<script|@import|url\(")
        html.parser.HTMLParser().feed(page)

    def test_quantize_from_a_passport(self):
        self.have_calibration()
        self.tern("quantize", "m.onnx", "--ranges", "m.calib.json", "--target", "tensorrt", "-o", "q.onnx")
        self.assertIn("QuantizeLinear", self.tern("inspect", "q.onnx")[0])
        passport = self.passport()
        passport["model"]["sha256"] = hashlib.sha256(b"another").hexdigest()
        self.write("m.calib.json", json.dumps(passport))
        self.fails("CalibrationCacheError", "quantize", "m.onnx", "--ranges", "m.calib.json", "-o", "r.onnx", says="another model")

    def test_bad_options(self):
        for args, why in ((("-o", "q.onnx"), "either --images or --ranges"),
                          (("--images", CROPS, "--ranges", "x", "-o", "q.onnx"), "either --images or --ranges"),
                          (("--images", CROPS, "--floor", "-1pt", "-o", "q.onnx"), "--data"),
                          (("--images", CROPS, "--data", CROPS, "--floor", "x", "-o", "q.onnx"), "floor"),
                          (("--images", CROPS, "-o", "m.onnx"), "is the float model itself"),
                          (("--images", CROPS, "--method", "no", "-o", "q.onnx"), "no"),
                          (("--images", CROPS, "--target", "no", "-o", "q.onnx"), "no"),
                          (("--images", CROPS, "--exclude", "no such node", "-o", "q.onnx"), "no such node")):
            self.fails("ConfigError", "quantize", "m.onnx", *args, says=why)
        self.assertFalse((self.folder / "q.onnx").exists())

    def test_int8_builds(self):
        self.fails("ConfigError", "compile", "m.onnx", "--precision", "int8", says="calibration")
        self.have_calibration()
        self.tern("compile", "m.onnx", "--json", "auto.json")
        self.assertIn(json.loads((self.folder / "auto.json").read_text())["precision"], ("i8", "f32"))
        def why():
            out = self.tern("cache", "why", "m.onnx")[0]
            return re.search(r"^key (\w{64})$", out, re.M).group(1), out
        calibrated, out = why()
        self.assertRegex(out, "hit")
        (self.folder / "m.calib.json").unlink()
        self.assertNotEqual(why()[0], calibrated, "the calibration is part of the key")


if __name__ == "__main__":
    program.main()
