#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""tern against OpenVINO's and ONNX Runtime's Python packages on the same models and threads, as a Markdown table.

Every measurement is a process of its own (two runtimes in one process would share cores), the candidates take turns for several
rounds, and the ratios are medians over the rounds, so that a machine that drifts drifts for all of them.
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


RUNTIMES = ("openvino", "onnxruntime")


def cpu_name():
    with open("/proc/cpuinfo") as f:
        return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.processor())


def tern(args, backend, model, image):
    command = [args.tern, "bench", model, "--backend", backend, "--threads", str(args.threads), "--seconds", str(args.seconds), "--source", image,
               "--json", "-", "--quiet"]
    row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {"runtime": row["backend"], "version": row["backend_version"], "infer_ms": row["stages"]["infer"]["p50_ms"], "whole_ms": row["p50_ms"]}


def peer(args, runtime, model, image):
    command = [sys.executable, os.path.join(HERE, "peer.py"), runtime, model, image, str(args.threads), str(args.seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def overhead_of(rounds):
    """Medians over the rounds of tern's time over the same runtime's, for each runtime; and of auto's over the faster runtime's."""
    def ratio(ours, theirs):
        return statistics.median(row["infer_ms"] / base for row, base in zip(rounds[ours], theirs))
    bare = {runtime: [row["infer_ms"] for row in rounds[f"{runtime} (Python)"]] for runtime in RUNTIMES}
    return [ratio(f"tern on {runtime}", bare[runtime]) for runtime in RUNTIMES] + [ratio("tern", [min(pair) for pair in zip(*bare.values())])]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tern", default=os.path.join(ROOT, "build/release/bin/tern"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3, help="of measuring for each figure")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    cases = [("overhead-detect", "data/validation/images/000.jpg"), ("overhead-detect", "data/frame-4k.jpg"),
             ("overhead-detect-e2e", "data/validation/images/000.jpg"), ("overhead-segment", "data/validation/images/000.jpg")]
    candidates = {"tern": lambda a, m, i: tern(a, "auto", m, i)}
    for runtime in RUNTIMES:
        candidates[f"tern on {runtime}"] = lambda a, m, i, r=runtime: tern(a, r, m, i)
        candidates[f"{runtime} (Python)"] = lambda a, m, i, r=runtime: peer(a, r, m, i)
    print(f"{datetime.date.today()}, {cpu_name()}, {args.threads} threads, {args.rounds} interleaved rounds of {args.seconds:g} s, p50.\n")
    print("| model | image | runtime | version | model alone | ratio to tern | pixels to result | ratio to tern |")
    print("|---|---|---|---|---|---|---|---|")
    overheads = []
    for model, image in cases:
        rounds = {name: [] for name in candidates}
        for number in range(args.rounds):
            for name, measure in candidates.items():
                print(f"\r{model}, {os.path.basename(image)}: round {number + 1} of {args.rounds}, {name}        ", end="", file=sys.stderr, flush=True)
                rounds[name].append(measure(args, os.path.join(ROOT, "models", model + ".onnx"), os.path.join(ROOT, image)))
        print(file=sys.stderr)
        for name, rows in rounds.items():
            cells = []
            for key in ("infer_ms", "whole_ms"):
                if key not in rows[0]:
                    cells += ["", ""]
                    continue
                ratio = statistics.median(row[key] / base[key] for row, base in zip(rows, rounds["tern"]))
                cells += [f"{statistics.median(row[key] for row in rows):.2f} ms", f"{ratio:.2f}"]
            label = f"{name} (auto: {rows[0]['runtime']})" if name == "tern" else name
            print(f"| {model} | {os.path.basename(image)} | {label} | {rows[0]['version']} | " + " | ".join(cells) + " |", flush=True)
        overheads.append((model, os.path.basename(image), overhead_of(rounds)))
    print("\nThe model alone, tern against the same runtime in Python, and tern (auto) against the faster of the two:\n")
    print("| model | image | " + " | ".join(RUNTIMES) + " | auto |\n|---|---|---|---|---|")
    for model, image, ratios in overheads:
        print(f"| {model} | {image} | " + " | ".join(f"{ratio:.3f}" for ratio in ratios) + " |")


if __name__ == "__main__":
    main()
