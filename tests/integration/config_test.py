#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""`tern config`: which settings are in force, and where each came from."""
import json
import os

import program
from program import ProgramTest


class Config(ProgramTest):
    def setUp(self):
        super().setUp()
        # The test preset sets TERN_ variables; an empty value is the same as none.
        unset = dict.fromkeys((name for name in os.environ if name.startswith("TERN_")), "")
        self.env = {**unset, "HOME": str(self.folder), "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": "", "XDG_STATE_HOME": ""}

    def settings(self, *args, **env):
        out, _ = self.tern("config", "--json", "-", "--quiet", *args, env={**self.env, **env})
        return {key: (row["value"], row["from"]) for key, row in json.loads(out).items()}

    def refused(self, kind, *args, says=(), **env):
        return self.fails(kind, "config", *args, says=says, env={**self.env, **env})

    def test_defaults(self):
        settings = self.settings()
        self.assertEqual(settings["store.path"], (f"{self.folder}/.cache/tern/engines", "default"))
        self.assertEqual(settings["gpu_memory_budget_bytes"], ("4GiB", "default"))
        self.assertEqual(settings["build_timeout_s"], ("600", "default"))
        self.assertEqual(settings["golden.policy"], ("first_load", "default"))
        self.assertTrue(all(origin == "default" for _, origin in settings.values()))

    def test_table(self):
        out, _ = self.tern("config", "--fallback", "at_load", env=self.env)
        self.assertRegex(out, r"(?m)^key +value +from")
        self.assertRegex(out, r"(?m)^fallback\.policy +at_load +flag --fallback")
        self.assertRegex(out, r"(?m)^trust\.keys +\(none\) +default")

    def test_the_json_may_go_to_a_file(self):
        out, _ = self.tern("config", "--json", "settings.json", env=self.env)
        self.assertIn("golden.policy", out)
        self.assertIn("golden.policy", json.loads((self.folder / "settings.json").read_text()))

    def test_precedence(self):
        file = self.write("tern.json", '{"golden": {"policy": "always"}, "store": {"path": "engines"}, "build_timeout_s": 5}')
        settings = self.settings("--config", file)
        self.assertEqual(settings["golden.policy"], ("always", f"file {file}"))
        self.assertEqual(settings["store.path"], (f"{self.folder}/engines", f"file {file}"))
        settings = self.settings("--config", file, TERN_GOLDEN_POLICY="never", TERN_STORE_PATH="/from/variable")
        self.assertEqual(settings["golden.policy"], ("never", "environment TERN_GOLDEN_POLICY"))
        self.assertEqual(settings["store.path"], ("/from/variable", "environment TERN_STORE_PATH"))
        self.assertEqual(settings["build_timeout_s"], ("5", f"file {file}"))
        settings = self.settings("--config", file, "--golden-policy", "first_load", "--store", "here", TERN_GOLDEN_POLICY="never")
        self.assertEqual(settings["golden.policy"], ("first_load", "flag --golden-policy"))
        self.assertEqual(settings["store.path"], (f"{self.folder.resolve()}/here", "flag --store"))

    def test_all_flags(self):
        settings = self.settings("--store", "/s", "--golden-policy", "always", "--fallback", "on_fault", "--trust-keys", "/k",
                                 "--sign", "/p", "--host-memory-budget", "1GiB", "--gpu-memory-budget", "2GB", "--build-timeout", "9")
        flags = {key: (value, origin[5:]) for key, (value, origin) in settings.items() if origin.startswith("flag ")}
        self.assertEqual(flags, {
            "store.path": ("/s", "--store"), "golden.policy": ("always", "--golden-policy"),
            "fallback.policy": ("on_fault", "--fallback"), "trust.keys": ("/k", "--trust-keys"), "sign.key": ("/p", "--sign"),
            "host_memory_budget_bytes": ("1GiB", "--host-memory-budget"),
            "gpu_memory_budget_bytes": ("1953125KiB", "--gpu-memory-budget"), "build_timeout_s": ("9", "--build-timeout")})

    def test_the_users_file(self):
        (self.folder / ".config/tern").mkdir(parents=True)
        file = self.write(".config/tern/config.json", '{"build_timeout_s": 7}')
        self.assertEqual(self.settings()["build_timeout_s"], ("7", f"file {file}"))

    def test_bad_values_are_named(self):
        file = self.write("tern.json", '{"gpu_memory_budget_bytes": 0}')
        self.refused("ConfigError", "--config", file, says=("tern.json", "gpu_memory_budget_bytes", "'0'"))
        self.refused("ConfigError", "--gpu-memory-budget", "0", says=("--gpu-memory-budget", "gpu_memory_budget_bytes", "more than 0"))
        self.refused("ConfigError", says=("TERN_BUILD_TIMEOUT_S", "'soon'"), TERN_BUILD_TIMEOUT_S="soon")
        self.refused("ConfigError", "--golden-policy", "sometimes", says=("--golden-policy", "always", "first_load"))

    def test_unknown_names_are_suggested(self):
        file = self.write("tern.json", '{"golden": {"polcy": "always"}}')
        self.refused("ConfigError", "--config", file, says=("golden.'polcy'", "did you mean 'policy'"))
        self.refused("ConfigError", says=("TERN_STORE_PAHT", "did you mean 'TERN_STORE_PATH'"), TERN_STORE_PAHT="/x")
        self.settings(TERN_BUILD_WORKER="/x", TERN_PLUGIN_PATH="/x", TERN_SOMETHING_ELSE="x")

    def test_no_home(self):
        self.refused("ConfigError", says=("store.path", "TERN_STORE_PATH"), HOME="")
        self.settings("--store", "/s", HOME="", TERN_STATE_PATH="/t")

    def test_a_file_that_is_not_there(self):
        self.refused("IoError", "--config", "none.json", says="none.json")


if __name__ == "__main__":
    program.main()
