#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""tern top on a made-up pipeline, without a terminal and in one: top_test.py PROGRAM FIXTURE SOURCE_FOLDER [unittest options]."""
import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

PROGRAM, FIXTURE, ROOT = (pathlib.Path(one).resolve() for one in sys.argv[1:4])
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from schema import problems  # noqa: E402

TOKEN = "a-token-of-this-test-0123456789"


class Top(unittest.TestCase):
    def serve(self, *options):
        self.server = subprocess.Popen([FIXTURE, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        self.url = self.server.stdout.readline().strip()

    def stop(self):
        if self.server.poll() is None:
            self.server.communicate(timeout=60)

    def top(self, *args, expect=0):
        done = subprocess.run([PROGRAM, "top", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout if expect == 0 else done.stderr

    def test_prints_once_without_a_terminal(self):
        self.serve()
        for arguments in ([self.url], [self.url.removeprefix("http://").rstrip("/"), "--once"]):
            table = self.top(*arguments)
            self.assertRegex(table, r"(?m)^SOURCE +STATE ")
            self.assertRegex(table, r"(?m)^yard +running +24\.6 ")
            self.assertNotIn("\x1b", table)
            self.assertTrue(table.endswith("\n"))

    def test_json_follows_the_schema(self):
        self.serve()
        status = json.loads(self.top(self.url, "--json"))
        schema = json.loads((ROOT / "docs/schemas/pipeline-status.schema.json").read_text())
        self.assertEqual(list(problems(status, schema)), [])

    def test_says_what_is_wrong(self):
        self.serve()
        self.assertIn("https", self.top("https://localhost/", expect=2))
        port = self.url.rsplit(":", 1)[1].rstrip("/")
        self.stop()
        error = self.top(f"127.0.0.1:{port}", expect=13)
        self.assertIn("no live page answers", error)
        self.assertIn("sink of kind web", error)

    def test_presents_the_token(self):
        with tempfile.TemporaryDirectory() as folder:
            token = pathlib.Path(folder) / "token"
            token.write_text(TOKEN + "\n")
            token.chmod(0o600)
            self.serve("--token-file", token)
            self.assertIn("a token is needed", self.top(self.url, expect=2))
            self.assertIn("north-gate", self.top(self.url, "--token-file", token))

    # In a terminal.

    def follow(self, columns=120, rows=40):
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(PROGRAM, [str(PROGRAM), "top", self.url])
        self.addCleanup(os.close, terminal)
        self.resize(terminal, columns, rows)
        return pid, terminal

    @staticmethod
    def resize(terminal, columns, rows):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, terminal, word, seconds=20):
        text = ""
        until = time.monotonic() + seconds
        while word not in text:
            self.assertLess(time.monotonic(), until, f"no {word!r} in {text!r}")
            if select.select([terminal], [], [], 0.5)[0]:
                try:
                    text += os.read(terminal, 65536).decode(errors="replace")
                except OSError:  # the program has ended
                    break
        return text

    def assert_ends(self, pid, terminal):
        text = self.read_until(terminal, "\x1b[?1049l")
        self.assertIn("\x1b[?25h", text)  # the cursor is back
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)

    def test_redraws_each_second_and_when_the_window_changes_until_q(self):
        self.serve()
        pid, terminal = self.follow()
        first = self.read_until(terminal, "MEMORY")
        self.assertIn("SOURCE", first)
        self.assertRegex(first, r"north-gate +running")
        self.read_until(terminal, "MEMORY")
        self.resize(terminal, 30, 8)
        small = self.read_until(terminal, "\x1b[J") + self.read_until(terminal, "\x1b[J")
        last = small.split("\x1b[H")[-1]
        self.assertNotIn("MEMORY", last)
        self.assertTrue(all(len(line.replace("\x1b[K", "").strip()) <= 30 for line in last.replace("\x1b[J", "").split("\n")), last)
        os.write(terminal, b"q")
        self.assert_ends(pid, terminal)

    def test_says_that_the_connection_is_lost_and_ends_with_control_c(self):
        self.serve()
        pid, terminal = self.follow()
        self.read_until(terminal, "MEMORY")
        self.stop()
        self.assertIn("north-gate", self.read_until(terminal, "CONNECTION LOST") + self.read_until(terminal, "MEMORY"))
        os.kill(pid, signal.SIGINT)
        self.assert_ends(pid, terminal)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
