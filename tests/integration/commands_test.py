#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Every subcommand on the demo data."""
import json
import os
import shutil
import signal
import struct
import subprocess
import time
import zipfile

import program
from program import BACKENDS, CLASSIFY, DATA, DETECT, IMAGE, PROGRAM, ROOT, SEGMENT, TINY, VIDEO, ProgramTest
from schema import problems

SCHEMA = json.loads((ROOT / "docs/schemas/result.schema.json").read_text())


class Commands(ProgramTest):
    def check_lines(self, lines, count):
        self.assertEqual(len(lines), count)
        for line in lines:
            self.assertEqual(list(problems(line, SCHEMA)), [])
            self.assertIn(line["backend"], BACKENDS)

    def test_version_and_help(self):
        out, _ = self.tern("--version")
        self.assertRegex(out, r"^tern \d+\.\d+\.\d+ ")
        out, _ = self.tern("--help")
        for command in ("inspect", "detect", "segment", "classify", "run", "eval", "bench", "compile", "cache", "verify", "keys", "config", "top", "doctor"):
            self.assertIn(command, out)
            text, _ = self.tern(command, "--help")
            self.assertIn(f"tern {command} ", text.split("Examples:")[1])
        self.assertIn("12  InputError", out)

    def test_doctor(self):
        out, _ = self.tern("doctor")
        self.assertIn("backend openvino: ready", out)
        report = json.loads(self.tern("doctor", "--json", "-", "--quiet")[0])
        self.assertGreater(report["backends"][0]["score"], 0)
        self.assertNotIn("cuda", [backend["name"] for backend in report["backends"]])

    def test_doctor_lists_gpus_or_says_why_there_are_none(self):
        out, _ = self.tern("doctor")
        report = json.loads(self.tern("doctor", "--json", "-", "--quiet")[0])
        self.assertEqual(bool(report["gpus"]), report["gpu_problem"] is None)
        if report["gpus"]:
            for gpu in report["gpus"]:
                self.assertIn(gpu["target"], out)
                self.assertNotIn("self_test", gpu)
            tested = json.loads(self.tern("doctor", "--gpu-test", "--json", "-", "--quiet")[0])
            self.assertTrue(all(gpu["self_test"]["passed"] for gpu in tested["gpus"]))
            self.assertIn("test passed", self.tern("doctor", "--gpu-test")[0])
        else:
            self.assertIn("gpu       none: " + report["gpu_problem"], out)
            self.assertTrue(report["gpu_hint"])
            self.assertIn(report["gpu_problem"], self.fails("BackendError", "doctor", "--gpu-test"))

    def test_doctor_says_how_hot_the_device_is_or_why_it_does_not_know(self):
        out, _ = self.tern("doctor")
        thermal = json.loads(self.tern("doctor", "--json", "-", "--quiet")[0])["thermal"]
        self.assertEqual(set(thermal), {"source", "available", "temperature_c", "throttled", "reasons", "clock_mhz", "max_clock_mhz"})
        self.assertEqual(thermal["available"], thermal["source"] != "none")
        if thermal["available"]:
            self.assertRegex(out, r"thermal   -?[0-9]+ C")
        else:
            self.assertIsNone(thermal["temperature_c"])
            self.assertIn("thermal   not known: " + "; ".join(thermal["reasons"]), out)

    def test_doctor_without_a_backend(self):
        error = self.fails("BackendError", "doctor", env={"TERN_PLUGIN_PATH": str(self.folder)})
        self.assertIn("tern: BackendError", error)

    def test_inspect(self):
        out, _ = self.tern("inspect", DETECT, "--score", "0.5")
        for text in ("images", "output0", "input.resize", "Conv"):
            self.assertIn(text, out)
        self.assertRegex(out, r"(?m)^output\.score_threshold +0\.5 +.*output\.score_threshold")
        report = json.loads(self.tern("inspect", DETECT, "--json", "-", "--quiet")[0])
        self.assertEqual(report["contract"]["task"], "detect")
        self.assertEqual(report["inputs"][0]["name"], "images")

    def test_detect_images(self):
        images = [DATA / "validation/images" / f"{i:03}.jpg" for i in range(3)]
        out, _ = self.tern("detect", DETECT, *images, "--save", "out", "--json", "boxes.jsonl", "--batch", "2")
        self.assertIn("frames/s", out)
        self.assertRegex(out, r"(?m)^infer ")
        lines = self.json_lines((self.folder / "boxes.jsonl").read_text())
        self.check_lines(lines, 3)
        self.assertEqual([line["source"] for line in lines], [str(path) for path in images])
        self.assertTrue(all(line["detections"] for line in lines))
        self.assertEqual(sorted(os.listdir(self.folder / "out")), ["000.jpg", "001.jpg", "002.jpg"])
        self.check_against_labels(lines)

    def check_against_labels(self, lines):
        """Nearly every labelled object has a box of its class with IoU over 0.5."""
        labels = json.loads((DATA / "validation/instances.json").read_text())
        names = {c["id"]: c["name"] for c in labels["categories"]}
        files = {image["id"]: os.path.basename(image["file_name"]) for image in labels["images"]}
        found = total = 0
        for line in lines:
            for a in labels["annotations"]:
                if files[a["image_id"]] != os.path.basename(line["source"]):
                    continue
                x, y, w, h = a["bbox"]
                total += 1
                for d in line["detections"]:
                    x1, y1, x2, y2 = d["box"]
                    inter = max(0, min(x + w, x2) - max(x, x1)) * max(0, min(y + h, y2) - max(y, y1))
                    if d["label"] == names[a["category_id"]] and inter > 0.5 * (w * h + (x2 - x1) * (y2 - y1) - inter):
                        found += 1
                        break
        self.assertGreater(total, 10)
        self.assertGreaterEqual(found, 0.95 * total)

    def test_detect_to_standard_output(self):
        out, error = self.tern("detect", DETECT, IMAGE, "--json", "-", "--score", "0.9")
        self.check_lines(self.json_lines(out), 1)
        self.assertTrue(all(d["score"] > 0.9 for d in self.json_lines(out)[0]["detections"]))
        self.assertIn("frames/s", error)
        out, error = self.tern("detect", DETECT, IMAGE, "--json", "-", "--quiet")
        self.assertEqual(error, "")

    def test_thresholds_and_overrides(self):
        def count(*flags):
            return len(self.json_lines(self.tern("detect", DETECT, IMAGE, "--json", "-", "--quiet", *flags)[0])[0]["detections"])
        self.assertEqual(count("--score", "0.4"), count("--set", "output.score_threshold=0.4"))
        self.assertEqual(count("--set", "output.max_detections=1"), 1)
        self.assertGreater(count("--score", "0.01", "--iou", "0.99"), count("--score", "0.01", "--iou", "0.45"))

    def test_detect_video(self):
        """The first frames of the demo flight, then the annotated video that came of them."""
        self.write("cut.mp4", program.cut_video(VIDEO.read_bytes(), 0.15))
        _, error = self.tern("detect", DETECT, "cut.mp4", "--save", "boxes.mp4", "--json", "boxes.jsonl",
                             expect=program.EXIT["InputError"])
        lines = self.json_lines((self.folder / "boxes.jsonl").read_text())
        self.check_lines(lines, len(lines))
        self.assertIn(f"ends early at frame {len(lines)} of 240", error)
        self.assertTrue(5 < len(lines) < 60, len(lines))
        self.assertEqual([line["frame"] for line in lines], list(range(len(lines))))
        self.assertAlmostEqual(lines[3]["time_s"], 0.1, places=3)
        out, error = self.tern("detect", DETECT, "boxes.mp4", "--json", "-", "--quiet")
        self.assertEqual(error, "")
        again = self.json_lines(out)
        self.check_lines(again, len(lines))
        self.assertEqual((again[0]["width"], again[0]["height"]), (1920, 1080))
        self.assertAlmostEqual(again[3]["time_s"], 0.1, places=3)

    def test_segment(self):
        out, _ = self.tern("segment", SEGMENT, IMAGE, "--save", "out", "--json", "-")
        line = self.json_lines(out)[0]
        self.check_lines([line], 1)
        self.assertAlmostEqual(sum(c["share"] for c in line["classes"]) + line["background"], 1, places=4)
        self.assertEqual(sorted(os.listdir(self.folder / "out")), ["000.mask.png", "000.overlay.jpg"])
        self.assertEqual(program.png_size((self.folder / line["mask"]).read_bytes()), (640, 640))

    def test_classify_finds_regions(self):
        for name in ("000.jpg", "000-region.png", "001.jpg", "001-region.png"):
            shutil.copy(DATA / "crops" / name, self.folder)
        out, _ = self.tern("classify", CLASSIFY, ".", "--json", "-", "--save", "out")
        lines = self.json_lines(out)
        self.check_lines(lines, 2)
        labels = json.loads((DATA / "crops/labels.json").read_text())
        self.assertTrue(labels)
        for line in lines:
            self.assertAlmostEqual(sum(line["probabilities"]), 1, places=5)
            self.assertEqual(line["label"], ["clear", "obstructed"][line["class_id"]])
        same, _ = self.tern("classify", CLASSIFY, "000.jpg", "--region", "000-region.png", "--json", "-", "--quiet")
        self.assertEqual(self.json_lines(same)[0]["logits"], lines[0]["logits"])

    def test_run_npz_and_npy(self):
        x = struct.pack("<6f", *range(6))
        k = struct.pack("<6i", *range(6))
        with zipfile.ZipFile(self.folder / "in.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", program.npy("<f4", (2, 3), x))
            archive.writestr("k.npy", program.npy("<i4", (2, 3), k))
        self.tern("run", TINY / "two_ports.onnx", "--inputs", "in.npz", "--outputs", "out.npz")
        with zipfile.ZipFile(self.folder / "out.npz") as archive:
            self.assertEqual(sorted(archive.namelist()), ["difference.npy", "sum.npy"])
            self.assertIsNone(archive.testzip())
            self.assertEqual(struct.unpack("<6f", archive.read("sum.npy")[-24:]), tuple(2.0 * i for i in range(6)))
            self.assertEqual(struct.unpack("<6f", archive.read("difference.npy")[-24:]), (0.0,) * 6)
        # A dynamic batch takes the shape that comes.
        self.write("in.npy", program.npy("<f4", (3, 4), struct.pack("<12f", *range(12))))
        self.tern("run", TINY / "affine.onnx", "--inputs", "in.npy", "--outputs", "out.npy", "--precision", "f32")
        content = (self.folder / "out.npy").read_bytes()
        self.assertEqual(struct.unpack("<12f", content[-48:]), tuple(2.0 * i + 1 for i in range(12)))

    def test_bench(self):
        out, _ = self.tern("bench", DETECT, "--iterations", "3", "--warmup", "1", "--source", IMAGE, "--json", "bench.json")
        self.assertIn("whole path / infer", out)
        report = json.loads((self.folder / "bench.json").read_text())
        for key in ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "throughput"):
            self.assertGreater(report[key], 0)
        self.assertIn(report["backend"], BACKENDS)
        self.assertEqual((report["calls"], report["warmup"]["calls"]), (3, 1))
        self.assertGreaterEqual(report["p50_ms"], report["stages"]["infer"]["p50_ms"])
        report = json.loads(self.tern("bench", CLASSIFY, "--seconds", "0.2", "--contexts", "2", "--threads", "1", "--json", "-", "--quiet")[0])
        self.assertEqual((report["contexts"], report["threads"]), (2, 1))

    def test_ac8_bench_gives_p50_and_p95_of_every_model(self):
        for model in (DETECT, SEGMENT, CLASSIFY):
            report = json.loads(self.tern("bench", model, "--iterations", "5", "--warmup", "1", "--json", "-", "--quiet")[0])
            self.assertLess(0, report["p50_ms"])
            self.assertLessEqual(report["p50_ms"], report["p95_ms"])

    def test_ctrl_c_keeps_what_is_done(self):
        process = subprocess.Popen([PROGRAM, "detect", DETECT, VIDEO, "--save", "boxes.mp4", "--json", "boxes.jsonl"],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not list(self.folder.glob(".boxes.*.mp4")):
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, program.EXIT["Cancelled"], error)
        self.assertEqual(sorted(os.listdir(self.folder)), ["boxes.jsonl", "boxes.mp4"])
        lines = self.json_lines((self.folder / "boxes.jsonl").read_text())
        self.assertTrue(0 < len(lines) < 240)


if __name__ == "__main__":
    program.main()
