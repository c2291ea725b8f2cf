#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Every bad input that users are known to bring: the right exit code, a message that helps, and no output file."""
import json
import os
import shutil
import struct
import subprocess
import zipfile

import program
from program import CLASSIFY, DATA, DETECT, IMAGE, PROGRAM, SEGMENT, TINY, VIDEO, ProgramTest, npy, png

SAVE = ("--save", "out", "--json", "out.jsonl")


class BadCommandLine(ProgramTest):
    def test_unknown_words(self):
        self.fails("ConfigError", "detect", DETECT, IMAGE, "--sacre", "0.5", says=["--sacre", "tern detect --help"])
        self.fails("ConfigError", "detekt", DETECT, says="tern --help")
        self.fails("ConfigError", says="tern --help")
        self.fails("ConfigError", "detect", says="MODEL")
        self.fails("ConfigError", "detect", DETECT, says="SOURCE")

    def test_values(self):
        for flag, value in (("--score", "1.5"), ("--score", "many"), ("--iou", "-1"), ("--threads", "-1"), ("--batch", "0"),
                            ("--hint", "speed"), ("--log-level", "loud"), ("--precision", "f8"), ("--set", "nonsense"),
                            ("--set", "=1")):
            with self.subTest(flag=flag, value=value):
                self.fails("ConfigError", "detect", DETECT, IMAGE, flag, value, *SAVE)
        self.fails("ContractError", "detect", DETECT, IMAGE, "--set", "output.scorre=1", *SAVE, says="scorre")
        self.fails("ConfigError", "bench", DETECT, "--iterations", "3", "--seconds", "3")

    def test_backend(self):
        self.fails("BackendError", "detect", DETECT, IMAGE, "--backend", "abacus", *SAVE, says=["abacus", "openvino"])
        self.fails("ConfigError", "detect", DETECT, IMAGE, "--precision", "mixed", *SAVE)

    def test_wrong_task(self):
        self.fails("ContractError", "detect", SEGMENT, IMAGE, *SAVE, says="tern segment")

    def test_contract_file(self):
        self.fails("IoError", "detect", DETECT, IMAGE, "--contract", "none.json", *SAVE, says="none.json")
        self.write("bad.json", "{")
        self.fails("ContractError", "detect", DETECT, IMAGE, "--contract", "bad.json", *SAVE, says="bad.json")

    def test_save_plans(self):
        shutil.copy(IMAGE, self.folder / "a.jpg")
        self.fails("ConfigError", "detect", DETECT, "a.jpg", "--save", ".", says="overwrite")
        self.fails("ConfigError", "detect", DETECT, "a.jpg", "--save", "a.mp4", says="not a video")
        self.fails("ConfigError", "detect", DETECT, "a.jpg", IMAGE, "--save", "b.jpg", says="folder")
        self.fails("ConfigError", "detect", DETECT, "a.jpg", "a.jpg", "--save", "out", says="both")
        self.fails("IoError", "detect", DETECT, "a.jpg", "--save", "none/b.jpg")
        self.fails("IoError", "detect", DETECT, "a.jpg", "--json", "none/b.jsonl", says="none")
        self.fails("IoError", "detect", DETECT, "a.jpg", "--json", ".", says="folder")


class BadModels(ProgramTest):
    def check(self, path):
        self.fails("ModelError", "detect", path, IMAGE, *SAVE, says=str(path))

    def test_every_command(self):
        path = self.write("text.onnx", "hello")
        for command in (("inspect", path, "--json", "out.json"), ("segment", path, IMAGE, *SAVE), ("bench", path),
                        ("run", path, "--inputs", "in.npy", "--outputs", "out.npy"), ("eval", path, "--data", DATA / "crops")):
            with self.subTest(command=command[0]):
                self.fails("ModelError", *command, says=str(path))

    def test_missing(self):
        self.fails("IoError", "detect", "none.onnx", IMAGE, *SAVE, says="none.onnx")

    def test_truncated(self):
        whole = DETECT.read_bytes()
        for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
            self.check(self.write("cut.onnx", whole[:size]))

    def test_not_onnx(self):
        self.check(self.write("text.onnx", "hello"))
        self.check(self.write("archive.onnx", b"PK\x03\x04" + bytes(100)))
        shutil.copy(IMAGE, self.folder / "picture.onnx")
        self.check(self.folder / "picture.onnx")

    def test_huge(self):
        with open(self.folder / "huge.onnx", "wb") as file:
            file.truncate(3 << 30)  # sparse: takes no room
        self.check(self.folder / "huge.onnx")

    def test_folder(self):
        self.fails("IoError", "detect", self.folder, IMAGE, *SAVE, says="regular file")

    def test_operator_that_nobody_knows(self):
        self.write("in.npy", npy("<f4", (1, 4), bytes(16)))
        self.fails("EngineBuildError", "run", TINY / "unknown_op.onnx", "--inputs", "in.npy", "--outputs", "out.npy",
                   says="Frobnicate")


class BadImages(ProgramTest):
    def bad(self, name, content, *says, kind="InputError"):
        path = self.write(name, content)
        return self.fails(kind, "classify", TINY / "nan_when_black.onnx", path, *SAVE, says=[name, *says])

    def test_empty_and_cut(self):
        self.bad("empty.jpg", b"", "empty")
        jpeg, picture = IMAGE.read_bytes(), png(64, 64)
        for part in (0.01, 0.3, 0.9, 0.999):
            self.bad("cut.jpg", jpeg[:int(len(jpeg) * part)])
            self.bad("cut.png", picture[:int(len(picture) * part)])

    def test_damaged(self):
        jpeg = IMAGE.read_bytes()
        half = len(jpeg) // 2
        error = self.bad("hole.jpg", jpeg[:half] + jpeg[-2:])
        self.assertNotRegex(error, r"(?m)^(Premature|Corrupt)")  # libjpeg's own line only as our cause
        picture = bytearray(png(64, 64))
        picture[60] ^= 0x55
        error = self.bad("bad.png", bytes(picture))
        self.assertNotRegex(error, r"(?m)^libpng")

    def test_other_files(self):
        self.bad("text.jpg", "hello")
        self.bad("text.txt", "hello", "neither an image nor a video")

    def test_deep(self):
        self.bad("deep.png", png(8, 8, bits=16), "16-bit", "8 bits")
        self.bad("deepgrey.png", png(8, 8, bits=16, color=0), "16-bit")

    def test_huge_claim(self):
        picture = bytearray(png(8, 8))
        picture[16:24] = struct.pack(">II", 60000, 60000)
        self.bad("huge.png", bytes(picture), "60000x60000")

    def test_sources(self):
        self.fails("InputError", "detect", DETECT, "-", *SAVE, says="standard input")
        self.fails("IoError", "detect", DETECT, "none.jpg", *SAVE, says="none.jpg")
        self.fails("InputError", "detect", DETECT, "*.jpg", *SAVE, says="*.jpg")
        (self.folder / "folder").mkdir()
        self.fails("InputError", "detect", DETECT, "folder", *SAVE, says="no images")

    def test_unusual_but_right(self):
        """1x1, very wide, grey and with alpha are fine, in every task."""
        files = [self.write("dot.png", png(1, 1)), self.write("wide.png", png(20000, 10)),
                 self.write("grey.png", png(50, 40, color=0)), self.write("alpha.png", png(50, 40, color=6))]
        sizes = [(1, 1), (20000, 10), (50, 40), (50, 40)]
        for model, command in ((DETECT, "detect"), (SEGMENT, "segment")):
            out, error = self.tern(command, model, *files, "--json", "-", "--quiet", "--save", command)
            self.assertEqual(error, "")
            self.assertEqual([(line["width"], line["height"]) for line in self.json_lines(out)], sizes)
        for name, size in zip(("dot", "wide", "grey", "alpha"), sizes):
            self.assertEqual(program.png_size((self.folder / f"segment/{name}.mask.png").read_bytes()), size)
            self.assertEqual(program.png_size((self.folder / f"detect/{name}.png").read_bytes()), size)

    def test_names_cannot_steer_the_terminal(self):
        error = self.fails("InputError", "classify", TINY / "nan_when_black.onnx", self.write("a\x1b[2Jb.jpg", b""))
        self.assertIn("\\x1b[2J", error)

    def test_results_before_a_bad_image_are_kept(self):
        bad = self.write("z.jpg", b"")
        _, error = self.tern("detect", DETECT, IMAGE, bad, "--json", "out.jsonl", "--batch", "4", "--quiet",
                             expect=program.EXIT["InputError"])
        self.assertIn("z.jpg", error)
        self.assertEqual(len(self.json_lines((self.folder / "out.jsonl").read_text())), 1)


class BadRegions(ProgramTest):
    def setUp(self):
        super().setUp()
        shutil.copy(DATA / "crops/000.jpg", self.folder)

    def test_missing(self):
        self.fails("InputError", "classify", CLASSIFY, "000.jpg", *SAVE, says="000-region.png")

    def test_wrong_size(self):
        self.write("000-region.png", png(8, 8, color=0))
        self.fails("InputError", "classify", CLASSIFY, "000.jpg", *SAVE, says=["8x8", "512x224"])

    def test_coloured(self):
        self.write("000-region.png", png(512, 224))
        self.fails("InputError", "classify", CLASSIFY, "000.jpg", *SAVE, says="grey")


class BadVideos(ProgramTest):
    def check(self, path, *says):
        self.fails("InputError", "classify", TINY / "nan_when_black.onnx", path, *SAVE, says=[path.name, *says])

    def test_no_index(self):
        """Cut off before the index at the end was written."""
        whole = VIDEO.read_bytes()
        path = self.write("cut.mp4", whole[:len(whole) // 2])
        self.check(path, "index")

    def test_no_frame_at_all(self):
        path = self.write("cut.mp4", program.cut_video(VIDEO.read_bytes(), 0.0001))
        self.check(path)

    def test_not_a_video(self):
        self.check(self.write("text.mp4", "hello"))
        self.check(self.write("empty.mp4", b""))


class BadNumbers(ProgramTest):
    def test_nan_is_never_a_result(self):
        error = self.fails("InferenceError", "classify", TINY / "nan_when_black.onnx",
                           self.write("black.png", png(8, 8, pixels=[bytes(24)] * 8)), *SAVE, says="black.png")
        self.assertRegex(error, "(?i)nan|infinit")
        self.tern("classify", TINY / "nan_when_black.onnx", self.write("grey.png", png(8, 8)))


class BadArrays(ProgramTest):
    def run_with(self, path, says, model="two_ports.onnx", outputs="out.npz", kind="InputError"):
        return self.fails(kind, "run", TINY / model, "--inputs", path, "--outputs", outputs, says=says)

    def npz(self, **arrays):
        with zipfile.ZipFile(self.folder / "in.npz", "w") as archive:
            for name, content in arrays.items():
                archive.writestr(name + ".npy", content)
        return "in.npz"

    def test_names(self):
        x, k = npy("<f4", (2, 3), bytes(24)), npy("<i4", (2, 3), bytes(24))
        self.run_with(self.npz(x=x), ["'k'", "in.npz"])
        self.run_with(self.npz(x=x, k=k, z=k), ["'z'", "'x', 'k'"])

    def test_types_and_shapes(self):
        x, k = npy("<f4", (2, 3), bytes(24)), npy("<i4", (2, 3), bytes(24))
        self.run_with(self.npz(x=npy("<f8", (2, 3), bytes(48)), k=k), ["'x'", "f32", "f64", "numpy.float32"])
        self.run_with(self.npz(x=npy("<f4", (3, 2), bytes(24)), k=k), ["'x'", "2x3", "3x2"])
        self.run_with(self.npz(x=x, k=x), ["'k'", "i32", "f32"])

    def test_files(self):
        self.run_with(self.write("in.npy", npy("<f4", (2, 3), bytes(24))), "2 inputs")
        self.run_with(self.write("text.npz", "hello"), "text.npz")
        self.run_with(self.write("cut.npy", npy("<f4", (3, 4), bytes(40))), "cut.npy", model="affine.onnx")
        self.run_with("none.npz", "none.npz", kind="IoError")
        content = (self.folder / self.npz(x=npy("<f4", (2, 3), bytes(24)))).read_bytes()
        self.run_with(self.write("cut.npz", content[:-10]), "cut.npz")
        self.run_with("in.npz", "2 outputs", outputs="out.npy", kind="ConfigError")
        self.run_with("in.npz", "neither", outputs="out.bin", kind="ConfigError")


class FullDisk(ProgramTest):
    def test_standard_output(self):
        with open("/dev/full", "wb") as full:
            self.fails("IoError", "detect", DETECT, IMAGE, "--json", "-", "--quiet", stdout=full, says="free some space")

    def test_device(self):
        self.fails("IoError", "detect", DETECT, IMAGE, "--json", "/dev/full", says=["/dev/full", "free some space"])
        self.assertFalse(os.path.isfile("/dev/full"))

    def test_small_file_system(self):
        """A file system of 24 KiB, in a mount namespace of its own; skipped where the kernel gives none."""
        if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", self.folder], capture_output=True).returncode:
            self.skipTest("no mount namespaces here")
        small = self.folder / "small"
        small.mkdir()
        for save in ("small", "small/boxes.mp4"):
            source = IMAGE if save == "small" else VIDEO
            script = f'mount -t tmpfs -o size=24k none small && "$@"; code=$?; find small -type f; exit $code'
            done = subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", PROGRAM, "classify",
                                   TINY / "nan_when_black.onnx", source, "--save", save, "--quiet"],
                                  cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(done.returncode, program.EXIT["IoError"], done.stderr)
            self.assertIn("free some space", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_reader_that_goes_away(self):
        process = subprocess.Popen([PROGRAM, "detect", DETECT, VIDEO, "--json", "-", "--quiet"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=self.folder)
        self.addCleanup(process.kill)
        self.assertTrue(json.loads(process.stdout.readline()))
        process.stdout.close()
        self.assertEqual(process.wait(timeout=60), program.EXIT["IoError"])
        self.assertIn(b"standard output", process.stderr.read())
        process.stderr.close()


if __name__ == "__main__":
    program.main()
