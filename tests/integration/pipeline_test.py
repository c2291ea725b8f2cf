# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""`tern pipeline` and `tern bench --streams` as users run them."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from program import CLASSIFY, DATA, DETECT, EXIT, PROGRAM, ROOT, SEGMENT, TINY, VIDEO, ProgramTest, main, png
from schema import problems

STREAM = "  - {name: made_up, kind: pattern, width: 320, height: 240, rate: 20, deadline: 5s, models: [detect]}\n"
ENGINE = ("--backend", "openvino", "--precision", "f32")


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class PipelineTest(ProgramTest):
    def pipeline(self, sources, models="", sinks="", name="p.yaml"):
        text = f"version: 1\nsources:\n{sources}models:\n{models or f'  - {{name: detect, file: {DETECT}}}' + chr(10)}"
        return self.write(name, text + (f"sinks:\n{sinks}" if sinks else ""))

    def start(self, *args, wait_for=None):
        """A running program; `wait_for`: a pattern that its stdout shows first."""
        process = subprocess.Popen([PROGRAM, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=self.folder, text=True)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.communicate()))
        if wait_for is None:
            return process, None
        for line in process.stdout:
            if match := re.search(wait_for, line):
                return process, match
        self.fail(f"ended: {process.communicate()}")

    def end(self, process, expect=0, how=signal.SIGTERM):
        process.send_signal(how)
        out, error = process.communicate(timeout=120)
        self.assertEqual(process.returncode, expect, error)
        return out, error

    def until(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.1)


class Running(PipelineTest):
    def test_three_models_on_images_write_lines_and_a_video(self):
        images = self.folder / "images"
        images.mkdir()
        for i in range(4):
            shutil.copy(DATA / "validation" / "images" / f"00{i}.jpg", images)
        file = self.pipeline(
            "  - {name: still, kind: images, path: images, deadline: 1min}\n",
            f"  - {{name: detect, file: {DETECT}}}\n  - {{name: segment, file: {SEGMENT}}}\n"
            f"  - {{name: way, file: {CLASSIFY}, crops_of: detect, region_mask: segment, region_classes: [road], max_crops: 1}}\n",
            "  - {kind: json_lines, path: lines.jsonl}\n  - {kind: video, path: video.mp4, source: still}\n")
        out, _ = self.tern("pipeline", file, *ENGINE, "--trace", "trace.json", "--json", "figures.json")
        self.assertIn("still", out)
        lines = lines_of(self.folder / "lines.jsonl")
        schema = json.loads((ROOT / "docs/schemas/pipeline-result.schema.json").read_text())
        for line in lines:
            self.assertEqual(list(problems(line, schema)), [])
        self.assertEqual(sorted(line["sequence"] for line in lines), [0, 1, 2, 3])
        self.assertEqual({line["end"] for line in lines}, {"delivered"})
        self.assertTrue(any(line["models"]["way"]["crops"] for line in lines))
        self.assertIn(b"ftyp", (self.folder / "video.mp4").read_bytes()[:64])
        trace = json.loads((self.folder / "trace.json").read_text())["traceEvents"]
        self.assertEqual(sum(event["ph"] == "X" and event["name"] == "segment" for event in trace), 4)
        figures = json.loads((self.folder / "figures.json").read_text())
        status = json.loads((ROOT / "docs/schemas/pipeline-status.schema.json").read_text())
        self.assertEqual(list(problems(figures, status)), [])

    def test_sigterm_drains_and_loses_no_line(self):
        file = self.pipeline(STREAM, sinks="  - {kind: json_lines, path: lines.jsonl}\n  - {kind: web, port: 0}\n")
        process, _ = self.start("pipeline", file, *ENGINE, "--json", "figures.json", wait_for="live page: ")
        lines = self.folder / "lines.jsonl"
        self.until(lambda: lines.exists() and lines.read_text().count("\n") >= 3, "no lines came")
        self.end(process)
        figures = json.loads((self.folder / "figures.json").read_text())
        ends = figures["sources"][0]["ends"]
        self.assertEqual(len(lines_of(lines)), ends["delivered"] + ends["late"])
        self.assertEqual(sum(ends.values()), figures["sources"][0]["frames"])

    def test_a_duration_ends_it(self):
        file = self.pipeline(STREAM)
        began = time.monotonic()
        self.tern("pipeline", file, *ENGINE, "--duration", "1")
        self.assertLess(time.monotonic() - began, 60)

    def test_the_page_and_top_show_the_running_pipeline(self):
        process, match = self.start("pipeline", self.pipeline(STREAM, sinks="  - {kind: web, port: 0}\n"), *ENGINE,
                                    wait_for=r"live page: (http://127\.0\.0\.1:(\d+)/)")
        url = match[1]

        def get(path):
            with urllib.request.urlopen(url + path, timeout=20) as answer:
                return answer.read()
        self.until(lambda: json.loads(get("status.json"))["sources"][0]["ends"]["delivered"] > 0, "nothing was delivered")
        self.assertEqual(get("frame/made_up.jpg?wait=5000")[:2], b"\xff\xd8")
        metrics = get("metrics").decode()
        self.assertRegex(metrics, r'tern_frames_ended_total\{end="delivered",source="made_up"\} [1-9]')
        self.assertIn(b"<html", get("").lower())
        out, _ = self.tern("top", f"127.0.0.1:{match[2]}", "--once")
        self.assertIn("made_up", out)
        # The same port again is refused before anything is built.
        taken = self.pipeline(STREAM, sinks=f"  - {{kind: web, port: {match[2]}}}\n", name="taken.yaml")
        self.fails("IoError", "pipeline", taken, *ENGINE, says=match[2])
        self.end(process)

    def test_sighup_reloads_a_model_that_changed(self):
        model = self.folder / "m.onnx"
        shutil.copy(DETECT, model)
        file = self.pipeline(STREAM, f"  - {{name: detect, file: {model}}}\n", "  - {kind: web, port: 0}\n")
        process, match = self.start("pipeline", file, *ENGINE, wait_for=r"live page: (\S+)")

        def reloads():
            with urllib.request.urlopen(match[1] + "status.json", timeout=20) as answer:
                return json.load(answer)["models"][0]["reloads"]
        os.utime(model, (1, 1))
        process.send_signal(signal.SIGHUP)
        self.until(lambda: reloads() == 1, "it was not reloaded")
        self.end(process)

    def test_restart_begins_anew_when_a_model_fails_for_good(self):
        images = self.folder / "black"
        images.mkdir()
        (images / "black.png").write_bytes(png(8, 8, pixels=[bytes(24)] * 8))
        file = self.pipeline("  - {name: black, kind: images, path: black, rate: 50, loop: true, deadline: 1s}\n",
                             f"  - {{name: n, file: {TINY / 'nan_when_black.onnx'}}}\n")
        process, _ = self.start("pipeline", file, "--backend", "openvino", "--restart", "--give-up-after", "0.5")
        said = ""
        for line in process.stderr:
            said += line
            if "a new one begins" in line:
                break
        self.assertIn("InferenceError", said)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=120)
        self.assertIn(process.returncode, (0, EXIT["InferenceError"]), error)
        self.assertNotIn("AddressSanitizer", error)
        # Without --restart the same ends with the failure.
        self.tern("pipeline", file, "--backend", "openvino", "--give-up-after", "0.5", expect=EXIT["InferenceError"])

    def test_streams_are_counted(self):
        self.pipeline(STREAM)
        out, _ = self.tern("bench", "p.yaml", *ENGINE, "--streams", "2", "--rate", "2", "--deadline-ms", "20000", "--seconds", "2",
                           "--json", "streams.json")
        report = json.loads((self.folder / "streams.json").read_text())
        self.assertEqual(report["streams"], 2)
        self.assertEqual(report["runs"][0]["frames"], 8)
        self.assertEqual(report["runs"][0]["in_time"], 8)
        self.assertIn("100.000 %", out)
        self.fails("ConfigError", "bench", "p.yaml", *ENGINE, "--streams", "many", says="auto")


class BadInput(PipelineTest):
    def test_mistakes_are_told_with_their_place(self):
        misspelt = self.pipeline(STREAM.replace("deadline: 5s", "deadline: 5s, in_flght: 1"), name="a.yaml")
        self.fails("ConfigError", "pipeline", misspelt, says=["a.yaml:3", "did you mean 'in_flight'?"])
        self.fails("IoError", "pipeline", "none.yaml", says="none.yaml")
        self.tern("pipeline", self.pipeline(STREAM), "--check")
        missing = self.pipeline("  - {name: v, kind: video, path: none.mp4, deadline: 1s}\n")
        self.fails("IoError", "pipeline", missing, *ENGINE, says="none.mp4")
        rubbish = self.write("rubbish.mp4", b"\0" * 1000)
        self.fails("InputError", "pipeline", self.pipeline(f"  - {{name: v, kind: video, path: {rubbish}, deadline: 1s}}\n"),
                   *ENGINE, says="rubbish.mp4")
        wrong = self.pipeline(STREAM, f"  - {{name: detect, file: {SEGMENT}}}\n  - {{name: c, file: {CLASSIFY}, crops_of: detect}}\n")
        self.fails("ConfigError", "pipeline", wrong, *ENGINE, says=["'c'", "only a detector has boxes"])

    def test_a_full_disk_is_told_and_the_rest_goes_on(self):
        images = self.folder / "images"
        images.mkdir()
        shutil.copy(DATA / "validation" / "images" / "000.jpg", images)
        file = self.pipeline("  - {name: still, kind: images, path: images, deadline: 1min}\n",
                             sinks="  - {kind: json_lines, path: /dev/full}\n  - {kind: json_lines, path: good.jsonl}\n")
        _, error = self.tern("pipeline", file, *ENGINE, expect=EXIT["IoError"])
        self.assertIn("/dev/full", error)
        self.assertEqual(len(lines_of(self.folder / "good.jsonl")), 1)


main()
