#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""tern compile, cache, keys, verify and config, and what must hold when processes die, race, or the disk refuses.

FAULT_ROUNDS (environment): how many compiles are killed, default 8. SOAK_SECONDS, where it is set, ends the killing early; the
number reached is printed.
"""
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import time

import program
from program import BACKENDS, DATA, DETECT, EXIT, IMAGE, PROGRAM, TINY, ProgramTest

AFFINE = TINY / "affine.onnx"


class StoreTest(ProgramTest):
    """Every test has a store and a state of its own."""

    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        self.environment = {"TERN_STORE_PATH": str(self.store), "TERN_STATE_PATH": str(self.folder / "state")}

    @staticmethod
    def named(args):
        """`args` with a backend's name where a model is opened: `auto` would build the engines of two."""
        opens = args[0] in ("compile", "detect", "segment", "classify", "run", "bench", "eval") or tuple(args[:2]) == ("cache", "why")
        return (*args, "--backend", "openvino") if opens and "--backend" not in args and "--help" not in args else args

    def tern(self, *args, env=None, **keywords):
        return super().tern(*self.named(args), env={**self.environment, **(env or {})}, **keywords)

    def compile(self, model=AFFINE, *args, **keywords):
        return json.loads(self.tern("compile", model, *args, "--json", "-", "--quiet", **keywords)[0])

    def entries(self):
        """Engines of the store; none may be half there."""
        found = sorted(p for p in self.store.glob("*/*.engine") if p.parent.parent == self.store and not p.parent.name.startswith("."))
        for engine in found:
            for suffix in (".json", ".sha256", ".golden"):
                self.assertTrue(pathlib.Path(str(engine) + suffix).exists(), engine)
        return found

    def spawn(self, *args, **keywords):
        return subprocess.Popen([PROGRAM, *map(str, self.named(args))], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                cwd=self.folder, env={**os.environ, **self.environment}, **keywords)


class Auto(StoreTest):
    def setUp(self):
        super().setUp()
        if "backend onnxruntime: ready" not in self.tern("doctor")[0]:
            self.skipTest("tern was built without ONNX Runtime")

    def test_auto_measures_once_says_what_it_took_and_shows_it(self):
        built = self.compile(AFFINE, "--backend", "auto")
        self.assertIn(built["backend"], BACKENDS)
        self.assertTrue(built["golden"]["independent"])
        self.assertEqual(built["golden"]["reference"], next(b for b in BACKENDS if b != built["backend"]))
        self.assertEqual(len(self.entries()), 2)
        choice = json.loads(pathlib.Path(built["engine"] + ".json").read_text())["choice"]
        self.assertEqual(choice["candidates"][0]["backend"], built["backend"])
        self.assertEqual({c["backend"] for c in choice["candidates"]}, set(BACKENDS))
        again = self.compile(AFFINE, "--backend", "auto")
        self.assertTrue(again["hit"])
        self.assertEqual(again["engine"], built["engine"])
        for out in (self.tern("cache", "why", AFFINE, "--backend", "auto")[0], self.tern("inspect", built["engine"])[0]):
            self.assertRegex(out, rf"{built['backend']} f32: \d+\.\d+ ms an inference, (openvino|onnxruntime) \d+\.\d+ ms \([+-]\d+\.\d %\)")
        self.assertIn("hit", self.tern("cache", "why", AFFINE, "--backend", "auto")[0])
        run = ("run", AFFINE, "--inputs", self.npy_input(), "--outputs", "out.npy", "--backend", "auto", "--log-level", "info")
        self.assertNotIn("(measured 20", self.tern(*run)[1])  # another config than compile's: measured now
        _, said = self.tern(*run)
        self.assertRegex(said, r"backend auto is (openvino|onnxruntime) .*\(measured 20")
        self.assertNotIn("built", said)

    def npy_input(self):
        self.write("in.npy", program.npy("<f4", (1, 4), struct.pack("<4f", 1, 2, 3, 4)))
        return "in.npy"

    def test_inspect_shows_what_runs_the_nodes(self):
        out, _ = self.tern("inspect", DETECT, "--backend", "onnxruntime")
        self.assertRegex(out, r"layers by precision  \d+ f32")
        self.assertRegex(out, r"nodes by provider    \d+ CPUExecutionProvider")
        self.fails("BackendError", "inspect", DETECT, "--backend", "onnx_trt_ep", says="onnx_trt_ep")


class Commands(StoreTest):
    def test_compile_then_detect_is_a_hit(self):
        built = self.compile(DETECT)
        self.assertFalse(built["hit"])
        self.assertEqual(built["backend"], "openvino")
        self.assertEqual(built["golden"]["source"], "noise")
        self.assertTrue(self.compile(DETECT)["hit"])
        out, _ = self.tern("detect", DETECT, IMAGE, "--json", "-", "--quiet", "--no-build", "--score", "0.4")
        self.assertEqual(json.loads(out.splitlines()[0])["backend"], "openvino")
        self.assertEqual(len(self.entries()), 1)

    def test_no_build_says_what_to_do(self):
        self.fails("EngineGateError", "detect", DETECT, IMAGE, "--no-build", says=["tern compile", "tern cache why"])

    def test_ls_why_verify_path_and_prune(self):
        self.assertEqual(self.tern("cache", "path")[0].strip(), str(self.store))
        self.assertIn("0 engines", self.tern("cache", "ls")[0])
        self.assertIn("no engine at all", self.tern("cache", "why", AFFINE)[0])
        self.compile()
        self.compile(TINY / "two_ports.onnx")
        out, _ = self.tern("cache", "ls")
        self.assertIn("2 engines", out)
        self.assertIn("affine.", out)
        self.assertIn("hit", self.tern("cache", "why", AFFINE)[0])
        out, _ = self.tern("cache", "why", AFFINE, "--threads", "1")
        self.assertRegex(out, r"(?m)^threads +1 +0")
        self.assertIn("ok", self.tern("cache", "verify")[0])
        engine = self.entries()[0]
        content = bytearray(engine.read_bytes())
        content[100] ^= 1
        engine.write_bytes(content)
        _, error = self.tern("cache", "verify", expect=EXIT["EngineGateError"])
        self.assertIn(engine.name, error)
        self.tern("cache", "prune", "--max-bytes", "0")
        self.assertEqual(self.entries(), [])
        self.fails("ConfigError", "cache", "prune", "--max-bytes", "many")

    def test_verify_prints_a_table_and_refuses_what_was_changed(self):
        engine = self.compile(DETECT, "-o", "engines", "--golden", DATA / "validation")["engine"]
        out, _ = self.tern("verify", engine)
        for text in ("gate A    passed", "gate B    passed", "golden    passed", "cosine", "labels"):
            self.assertIn(text, out)
        report = json.loads(self.tern("verify", engine, "--json", "-", "--quiet")[0])
        self.assertTrue(report["ok"])
        self.assertFalse(report["raw_only"])
        golden = self.folder / (engine + ".golden")
        content = bytearray(golden.read_bytes())
        content[-1] ^= 1
        golden.write_bytes(content)
        self.fails("EngineGateError", "verify", engine, says="golden")

    def test_wrong_labels_are_caught_when_the_engine_is_built(self):
        labelled = self.folder / "labelled"
        shutil.copytree(DATA / "validation" / "images", labelled / "images")
        labels = json.loads((DATA / "validation" / "instances.json").read_text())
        ids = [c["id"] for c in labels["categories"]]
        for annotation in labels["annotations"]:
            annotation["category_id"] = ids[(ids.index(annotation["category_id"]) + 1) % len(ids)]
        (labelled / "instances.json").write_text(json.dumps(labels))
        self.fails("GoldenCheckError", "compile", DETECT, "--golden", labelled, says="label")
        self.assertEqual(self.entries(), [])

    def test_signing(self):
        self.tern("keys", "new", "robot.key")
        self.fails("ConfigError", "keys", "new", "robot.key", says="robot.key")
        trusted = self.folder / "trusted"
        trusted.mkdir()
        shutil.copy(self.folder / "robot.key.pub", trusted / "robot.pub")
        self.assertRegex(self.tern("keys", "show", trusted)[0], r"^[0-9a-f]{16}\n$")
        plain = self.compile(AFFINE, "-o", "plain")["engine"]
        self.fails("EngineGateError", "verify", plain, "--trust-keys", trusted, says="sign")
        signed = self.compile(AFFINE, "-o", "signed", "--sign", "robot.key")["engine"]
        self.assertIn("signed", self.tern("verify", signed, "--trust-keys", trusted)[0])
        renamed = self.folder / "signed" / pathlib.Path(signed).name.replace("affine", "other")
        for suffix in ("", ".json", ".sha256", ".golden", ".sig"):
            (self.folder / (signed + suffix)).rename(str(renamed) + suffix)
        self.fails("EngineGateError", "verify", renamed, "--trust-keys", trusted)

    def test_config_file_errors_name_the_key(self):
        for text, key in (('{"precison": "f32"}', "precison"), ('{"max_batch": "4"}', "max_batch"), ('{"timeout_s": 0}', "timeout_s"),
                          ('{"workspace": "lots"}', "workspace"), ('{"precision": "int4"}', "precision"), ("{", "JSON")):
            self.fails("ConfigError", "compile", AFFINE, self.write("build.json", text), says=["build.json", key])
        self.fails("ConfigError", "compile", AFFINE, "--precision", "int8", says="precision")
        self.fails("ConfigError", "compile", AFFINE, "--workspace", "90%", says="workspace")
        self.fails("ConfigError", "compile", AFFINE, "--opt-level", "3", says="optimization_level")
        self.fails("ConfigError", "compile", AFFINE, "--profile", "x=1x4", "--profile", "x=2x4", says="one shape profile")
        self.fails("ConfigError", "compile", DETECT, "--profile", "images=1x3x640", says="images")

    def test_profiles(self):
        built = self.compile(DETECT, "--profile", "images=1x3x640x640:2x3x640x640:4x3x640x640")
        manifest = json.loads(pathlib.Path(built["engine"] + ".json").read_text())
        self.assertIn("4", json.dumps(manifest))
        again = self.compile(DETECT, "--profile", "images=1x3x640x640:2x3x640x640:4x3x640x640", "--timing-cache", "timings")
        self.assertEqual(again["engine"], built["engine"])  # where timings are kept makes no other engine


class Faults(StoreTest):
    def test_a_killed_compile_leaves_the_store_whole_and_the_next_one_succeeds(self):
        rounds = int(os.environ.get("FAULT_ROUNDS", "8"))
        seconds = float(os.environ.get("SOAK_SECONDS", "inf"))
        start = time.monotonic()
        self.compile(AFFINE)
        whole = time.monotonic() - start
        chance = random.Random(7)
        for i in range(rounds):
            if time.monotonic() - start > seconds:
                rounds = i
                break
            shutil.rmtree(self.store)
            process = self.spawn("compile", AFFINE, *([] if i % 2 else ["--in-process"]))
            time.sleep(chance.uniform(0, whole * 1.1))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            found = self.entries() if self.store.exists() else []
            self.assertLessEqual(len(found), 1)
            if found:
                self.tern("cache", "verify")
            self.compile(AFFINE)
            self.assertEqual(len(self.entries()), 1)
            self.tern("cache", "verify")
            self.assertEqual([p for p in self.store.iterdir() if p.name.startswith(".tmp")], [], "the next builder sweeps up")
        self.assertGreater(rounds, 0)
        print(f"killed {rounds} compiles")

    def test_eight_processes_compile_one_key_one_builds_and_seven_hit(self):
        processes = [self.spawn("compile", AFFINE, "--json", "-", "--quiet") for _ in range(8)]
        hits = []
        for process in processes:
            out, error = process.communicate(timeout=280)
            self.assertEqual(process.returncode, 0, error.decode())
            hits.append(json.loads(out)["hit"])
        self.assertEqual(hits.count(False), 1, hits)
        self.assertEqual(len(self.entries()), 1)

    def test_interrupt_ends_a_build_and_leaves_nothing(self):
        process = self.spawn("compile", DETECT)
        while process.poll() is None and not list(self.store.glob("locks/*")):  # until the build has begun
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertIn(process.returncode, (EXIT["Cancelled"], 0), error.decode())  # 0: it was done already
        if process.returncode != 0:
            self.assertEqual(self.entries(), [])
            self.assertIn("Cancelled", error.decode())

    def test_a_full_disk_is_an_error_and_leaves_no_entry(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        process = self.spawn("compile", DETECT, "--in-process", preexec_fn=limit, restore_signals=False)
        _, error = process.communicate(timeout=120)
        self.assertEqual(process.returncode, EXIT["IoError"], error.decode())
        self.assertEqual(self.entries(), [])
        self.compile(DETECT)

    def test_a_store_that_cannot_be_written_is_an_error_that_names_it(self):
        self.store.write_text("a file, not a folder")
        error = self.fails("IoError", "compile", AFFINE)
        self.assertIn(str(self.store), error)

    def test_a_clock_that_went_back_does_no_harm(self):
        engine = pathlib.Path(self.compile(AFFINE)["engine"])
        future = time.time() + 10 * 365 * 86400
        for path in (engine.parent, engine, pathlib.Path(str(engine) + ".json")):
            os.utime(path, (future, future))
        self.assertTrue(self.compile(AFFINE)["hit"])
        self.tern("cache", "ls")
        self.tern("cache", "prune", "--max-bytes", "0")
        self.assertEqual(self.entries(), [])

    def test_a_cut_engine_is_quarantined_and_built_anew(self):
        engine = pathlib.Path(self.compile(AFFINE)["engine"])
        size = engine.stat().st_size
        for length in (0, 1, size // 2, size - 1):
            os.truncate(engine, length)
            _, error = self.tern("compile", AFFINE)
            self.assertIn("quarantine", error)
            self.assertEqual(engine.stat().st_size, size)
        self.assertGreaterEqual(len(list((self.store / "quarantine").iterdir())), 4)


if __name__ == "__main__":
    program.main()
