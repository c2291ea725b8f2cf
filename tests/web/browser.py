# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven through its DevTools protocol over two pipes: https://chromedevtools.github.io/devtools-protocol/"""
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

# Debian's programs in /usr/bin are scripts, which would stand between the browser and who ends it.
NAMES = ("/usr/lib/chromium/chromium-headless-shell", "/usr/lib/chromium/chromium", "chromium-headless-shell", "chromium", "google-chrome")


def find():
    """The program, or None."""
    for name in (os.environ.get("CHROMIUM", ""), *NAMES):
        if name and shutil.which(name):
            return shutil.which(name)
    return None


class Browser:
    """One page. What it asked for, wrote to its console, and failed at is kept in `requests`, `console` and `errors`."""

    def __init__(self, program, width=1280, height=900, dark=False):
        self.requests, self.console, self.errors = [], [], []
        self._next = 0
        self._answers = {}
        self._folder = tempfile.TemporaryDirectory()
        to_read, self._to = os.pipe()
        self._from, from_write = os.pipe()

        def pipes():  # Chromium reads from 3 and writes to 4
            high = [os.dup(to_read), os.dup(from_write)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self._process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-extensions", "--disable-sync", "--hide-scrollbars", "--no-proxy-server",
             f"--user-data-dir={self._folder.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pipes, close_fds=False)
        os.close(to_read)
        os.close(from_write)
        self._buffer = b""
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def close(self):
        try:
            self._call("Browser.close", {})
        except (OSError, EOFError):
            pass
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._folder.name, ignore_errors=True)
        self._folder._finalizer.detach()

    def _receive(self, timeout):
        while b"\0" not in self._buffer:
            if not select.select([self._from], [], [], timeout)[0]:
                return None
            data = os.read(self._from, 1 << 20)
            if not data:
                raise EOFError("the browser has gone")
            self._buffer += data
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def _note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(one.get("value", one.get("description"))) for one in params["args"]))
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded":  # a file that is missing, what the Content-Security-Policy forbids
            self.errors.append(f"{params['entry']['text']} ({params['entry'].get('url')})")

    def _call(self, method, params, session=None, timeout=30):
        self._next += 1
        message = {"id": self._next, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            answer = self._receive(1)
            if answer is None:
                continue
            if answer.get("id") == self._next:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)
        raise TimeoutError(method)

    def call(self, method, params=None):
        return self._call(method, params or {}, self._session)

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def open(self, url):
        return self.call("Page.navigate", {"url": url})

    def evaluate(self, script):
        """The value of a JavaScript expression; promises are waited for."""
        result = self.call("Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def wait_until(self, script, timeout=20):
        """Until the expression is true. While it throws (what it looks for is not there yet), it is not."""
        until = time.monotonic() + timeout
        failure = ""
        while time.monotonic() < until:
            try:
                if self.evaluate(script):
                    return
            except RuntimeError as thrown:
                failure = str(thrown)
            time.sleep(0.1)
        raise TimeoutError(f"{script}\n{failure}\n{self.errors}\n{self.evaluate('document.body.innerText')}")

    def screenshot(self, path, whole=True):
        """PNG of the page, beyond the window where `whole`."""
        data = self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
