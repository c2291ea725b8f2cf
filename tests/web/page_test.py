#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""The live page in a headless Chromium: page_test.py FIXTURE [unittest options]. Exits with 77 where there is no Chromium.

SCREENSHOTS=FOLDER keeps pictures of the page.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from browser import Browser, find

FIXTURE = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = find()
TOKEN = "a-token-of-this-test-0123456789"


# Texts whose contrast with what is behind them is below 4.5, which WCAG 2 asks for (https://www.w3.org/TR/WCAG22/#contrast-minimum).
FAINT_TEXTS = """(() => {
  const linear = (part) => { const c = part / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [];
  for (const node of document.querySelectorAll("main *")) {
    const hasText = [...node.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim());
    if (!hasText || node.closest(".off, figcaption")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(back(node))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(node.textContent.slice(0, 40));
  }
  return faint;
})()"""


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def serve(self, *options):
        self.server = subprocess.Popen([FIXTURE, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        self.url = self.server.stdout.readline().strip()
        self.assertRegex(self.url, r"^http://127\.0\.0\.1:\d+/$")

    def stop(self):
        """The fixture's exit code and how many pictures it drew."""
        out, _ = self.server.communicate(timeout=60) if self.server.poll() is None else ("0", None)
        return self.server.returncode, int(out or "0")

    def tell(self, word):
        self.server.stdin.write(word + "\n")
        self.server.stdin.flush()

    def browse(self, url, **keywords):
        browser = Browser(PROGRAM, **keywords)
        self.addCleanup(browser.close)
        browser.open(url)
        return browser

    def keep(self, browser, name):
        if "SCREENSHOTS" in os.environ:
            browser.screenshot(pathlib.Path(os.environ["SCREENSHOTS"]) / f"{name}.png")

    def assert_clean(self, browser):
        """Nothing was asked of anyone else, nothing failed, nothing was forbidden."""
        self.assertGreater(len(browser.requests), 5)
        for url in browser.requests:
            self.assertTrue(url.startswith((self.url, "blob:" + self.url.rstrip("/"))), url)
        self.assertEqual(browser.errors, [])
        self.assertEqual(browser.console, [])

    def wait_for_pictures(self, browser):
        browser.wait_until("document.querySelectorAll('figure.picture img:not([hidden])').length === 2 && "
                           "[...document.querySelectorAll('figure.picture img:not([hidden])')].every((one) => one.naturalWidth === 960)")

    def test_shows_the_numbers_and_the_pictures(self):
        self.serve()
        browser = self.browse(self.url, width=1400, height=1800)
        self.wait_for_pictures(browser)
        text = browser.evaluate("document.body.innerText")
        for words in ("north-gate", "yard", "roof", "flight", "99.88 % since the start", "connection refused; trying again in 8 s", "reconnecting",
                      "superseded by a newer frame", "limited by a thermal step", "hopeless: dropped early", "detect_small", "off", "× 1.31",
                      "584 MiB of 2.0 GiB", "cuda:0", "78 °C", "slows itself down",
                      "step 1 of its ladder", "out/yard.mp4: no space left on the device", "runs for 1 h 2 min", "1920×1080"):
            self.assertIn(words, text)
        self.assertRegex(text, r"Batch size\n2\.[4-8]")
        self.assertNotIn("no picture yet", text)
        self.assertEqual(browser.evaluate("document.querySelectorAll('article svg .bar').length > 100"), True)
        self.assertIn("p50 11.5, p95", browser.evaluate("document.querySelector('#models svg[aria-label^=infer]').getAttribute('aria-label')"))
        self.assertTrue(browser.evaluate("document.getElementById('lost').hidden"))
        self.keep(browser, "desktop")
        self.assert_clean(browser)

    def test_numbers_and_pictures_go_on(self):
        self.serve()
        browser = self.browse(self.url)
        self.wait_for_pictures(browser)
        frames = "Number(document.querySelector('#sources dl.facts').children[1].children[1].textContent.replace(/\\D/g, ''))"
        before = browser.evaluate(frames)
        picture = browser.evaluate("document.querySelector('figure.picture img').src")
        browser.wait_until(f"{frames} > {before}")
        browser.wait_until(f"document.querySelector('figure.picture img').src !== '{picture}'")
        browser.wait_until("/^100 %|^9\\d\\.\\d %/.test(document.querySelector('#sources .hits .value span').textContent)")
        self.tell("still")
        browser.wait_until("document.querySelectorAll('figure.picture.stale').length === 2")
        self.assertIn("an old picture", browser.evaluate("document.querySelector('figure.picture').innerText"))
        self.assert_clean(browser)

    def test_says_plainly_that_there_is_no_telemetry(self):
        self.serve()
        self.tell("cold")
        browser = self.browse(self.url)
        browser.wait_until("document.getElementById('thermal').innerText.includes('no telemetry')")
        text = browser.evaluate("document.getElementById('thermal').innerText")
        self.assertIn("no sensor under /sys/class/thermal", text)
        self.assertIn("without telemetry it stays there", text)

    def test_says_that_the_connection_is_lost_and_finds_it_again(self):
        self.serve()
        browser = self.browse(self.url)
        browser.wait_until("document.getElementById('connection').textContent === 'live'")
        self.assertEqual(self.stop()[0], 0)
        browser.wait_until("!document.getElementById('lost').hidden")
        self.assertIn("Connection lost", browser.evaluate("document.getElementById('lost').innerText"))
        self.assertIn("north-gate", browser.evaluate("document.body.innerText"))
        self.serve("--port", self.url.rsplit(":", 1)[1].strip("/"))
        browser.wait_until("document.getElementById('lost').hidden")

    def test_fits_a_phone_light_and_dark(self):
        self.serve()
        for dark in (False, True):
            browser = self.browse(self.url, width=400, height=800, dark=dark)
            self.wait_for_first_picture(browser)
            self.assertEqual(browser.evaluate("document.documentElement.scrollWidth"), 400)
            beyond = browser.evaluate("[...document.querySelectorAll('main *')].filter((one) => !one.closest('.scrolled') && "
                                      "one.getBoundingClientRect().right > 401).map((one) => one.outerHTML.slice(0, 80))")
            self.assertEqual(beyond, [])
            back = browser.evaluate("getComputedStyle(document.body).backgroundColor")
            self.assertEqual(back, "rgb(14, 20, 25)" if dark else "rgb(244, 246, 247)")
            self.assertEqual(browser.evaluate(FAINT_TEXTS), [])
            self.keep(browser, "phone-dark" if dark else "phone")
            self.assert_clean(browser)

    def wait_for_first_picture(self, browser):
        browser.wait_until("document.querySelector('figure.picture img').naturalWidth === 960")

    def test_has_what_a_screen_reader_needs(self):
        self.serve()
        browser = self.browse(self.url)
        self.wait_for_first_picture(browser)
        self.assertEqual(browser.evaluate("document.querySelectorAll('img:not([alt]), svg[role=img]:not([aria-label]), section:not([aria-label]):not([aria-labelledby])').length"), 0)
        self.assertEqual(browser.evaluate("document.getElementById('lost').getAttribute('role')"), "alert")
        self.assertEqual(browser.evaluate("document.querySelectorAll('tbody th[scope=row]').length"), 3)

    def test_nobody_who_looks_costs_no_picture(self):
        self.serve()
        with urllib.request.urlopen(self.url + "status.json", timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        time.sleep(0.5)
        code, drawn = self.stop()
        self.assertEqual((code, drawn), (0, 0))

    def test_the_token_opens_the_page_and_leaves_the_address_bar(self):
        token = pathlib.Path(self.folder.name) / "token"
        token.write_text(TOKEN + "\n")
        token.chmod(0o600)
        self.serve("--token-file", token, "--address", "0.0.0.0")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(self.url, timeout=10)
        self.assertEqual(refused.exception.code, 401)
        refused.exception.close()
        browser = self.browse(self.url + "?token=" + TOKEN)
        self.wait_for_first_picture(browser)
        self.assertEqual(browser.evaluate("location.href"), self.url)
        self.assertEqual(browser.evaluate("document.cookie"), "")
        browser.requests = [url for url in browser.requests if not url.endswith(TOKEN)]
        self.assert_clean(browser)


if __name__ == "__main__":
    if PROGRAM is None:
        print("SKIPPED: there is no Chromium (tools/setup test installs it where the distribution has it)")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
