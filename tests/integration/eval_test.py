#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""tern eval on small sets, good and bad."""
import json
import os
import shutil
import subprocess

import program
from program import BACKENDS, CLASSIFY, DATA, DETECT, MODELS, PROGRAM, SEGMENT, ProgramTest


class Evaluation(ProgramTest):
    def test_eval(self):
        self.make_small_set(6)
        for model, key, least in ((DETECT, "ap50", 0.9), (MODELS / "overhead-detect-e2e.onnx", "ap50", 0.9), (SEGMENT, "miou", 0.85)):
            out, _ = self.tern("eval", model, "--data", "set", "--json", "eval.json")
            report = json.loads((self.folder / "eval.json").read_text())
            self.assertGreater(report[key], least)
            self.assertIn(report["backend"], BACKENDS)
            self.assertTrue(report["per_class"])
            self.assertRegex(out, r"(?m) on 6 images \((openvino|onnxruntime) in ")
        report = json.loads(self.tern("eval", CLASSIFY, "--data", DATA / "crops", "--json", "-", "--quiet")[0])
        self.assertEqual(round(60 * report["top1"]), 58)

    def make_small_set(self, count):
        """The first images of the validation set, with their labels."""
        (self.folder / "set/images").mkdir(parents=True)
        (self.folder / "set/masks").mkdir()
        labels = json.loads((DATA / "validation/instances.json").read_text())
        labels["images"] = labels["images"][:count]
        kept = {image["id"] for image in labels["images"]}
        labels["annotations"] = [a for a in labels["annotations"] if a["image_id"] in kept]
        (self.folder / "set/instances.json").write_text(json.dumps(labels))
        for image in labels["images"]:
            name = os.path.basename(image["file_name"])
            shutil.copy(DATA / "validation/images" / name, self.folder / "set/images")
            shutil.copy(DATA / "validation/masks" / name.replace(".jpg", ".png"), self.folder / "set/masks")


class BadDataSets(ProgramTest):
    def make_set(self, labels=True, images=True):
        (self.folder / "set/images").mkdir(parents=True)
        if images:
            shutil.copy(DATA / "validation/images/000.jpg", self.folder / "set/images")
        if labels:
            shutil.copy(DATA / "validation/instances.json", self.folder / "set")

    def test_missing_folder(self):
        error = self.fails_either(("InputError", "IoError"), "eval", DETECT, "--data", "none", "--json", "out.json")
        self.assertIn("none", error)

    def test_missing_labels(self):
        self.make_set(labels=False)
        error = self.fails_either(("InputError", "IoError"), "eval", DETECT, "--data", "set", "--json", "out.json")
        self.assertIn("instances.json", error)
        error = self.fails_either(("InputError", "IoError"), "eval", SEGMENT, "--data", "set", "--json", "out.json")
        self.assertIn("masks", error)

    def test_missing_images(self):
        self.make_set(images=False)
        error = self.fails_either(("InputError", "IoError"), "eval", DETECT, "--data", "set", "--json", "out.json")
        self.assertIn("000.jpg", error)

    def test_damaged_labels(self):
        self.make_set()
        self.write("set/instances.json", "{")
        self.fails("InputError", "eval", DETECT, "--data", "set", "--json", "out.json", says="instances.json")

    def fails_either(self, kinds, *args):
        done = subprocess.run([PROGRAM, *map(str, args)], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=100)
        self.assertIn(done.returncode, [program.EXIT[kind] for kind in kinds], done.stderr)
        self.assertFalse((self.folder / "out.json").exists())
        return done.stderr


if __name__ == "__main__":
    program.main()
