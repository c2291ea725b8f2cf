#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""What the number of calibration pictures and the method do to accuracy, and what calibration costs: tables and a plot.

study.py [--tern PROGRAM] [--models NAME...] [--counts N...] [--plot FILE.svg]
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = {"overhead-detect": ("calibration", "validation"), "overhead-detect-e2e": ("calibration", "validation"),
         "overhead-segment": ("calibration", "validation"), "overhead-obstruction": ("crops", "crops")}
METHODS = ("max", "mse", "percentile", "entropy")
COLORS = {"max": "#3568c0", "mse": "#2a8a4a", "percentile": "#c07a1a", "entropy": "#c0392b"}


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(" ".join(map(str, command)) + "\n" + done.stderr)
    return done.stdout


def measure(tern, model, images, data, count, folder):
    """Score by method, and of f32."""
    line = run(tern, "quantize", model, "--images", images, "--frames", count, "--data", data, "--target", "tensorrt", "--json", "-", "--quiet",
               "-o", folder / "q.onnx")
    return {row["what"]: 100 * row["score"] for row in json.loads(line)["measured"]}


def cost(tern, model, images, count, workers, folder):
    """Seconds and peak memory of one calibration."""
    start = time.monotonic()
    child = subprocess.Popen([tern, "calib", "run", model, "--images", images, "--frames", str(count), "--workers", str(workers), "--anew", "-o",
                              folder / "m.calib.json"], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit("tern calib run failed")
    return time.monotonic() - start, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def plot(path, results, counts):
    """One panel a model: change against f32 in points, by number of pictures."""
    width, height, pad = 330, 220, 46
    parts = []
    for panel, (name, rows) in enumerate(results.items()):
        drops = {m: [rows[n][m] - rows[n]["f32"] for n in counts] for m in METHODS}
        low = min(-1.0, min(min(d) for d in drops.values()) * 1.08)
        high = max(0.5, max(max(d) for d in drops.values()) * 1.08)

        def x(i):
            return panel * width + pad + i * (width - pad - 16) / max(1, len(counts) - 1)

        def y(v):
            return 30 + (high - v) / (high - low) * (height - 30 - 30)
        parts.append(f'<text x="{panel * width + pad}" y="18" font-weight="600">{name}</text>')
        for value in (low, 0, -0.5):
            parts.append(f'<line x1="{x(0):.1f}" x2="{x(len(counts) - 1):.1f}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#8886"/>'
                         f'<text x="{x(0) - 6:.1f}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.1f}</text>')
        for i, n in enumerate(counts):
            parts.append(f'<text x="{x(i):.1f}" y="{height - 8}" text-anchor="middle">{n}</text>')
        for method, values in drops.items():
            points = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(values))
            parts.append(f'<polyline points="{points}" fill="none" stroke="{COLORS[method]}" stroke-width="2"/>')
    total = width * len(results)
    for i, (method, color) in enumerate(COLORS.items()):
        parts.append(f'<rect x="{pad + 100 * i}" y="{height + 6}" width="12" height="12" fill="{color}"/><text x="{pad + 18 + 100 * i}" y="{height + 16}">{method}</text>')
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height + 26}" width="{total}" font-family="sans-serif" font-size="11">'
                    f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tern", default=ROOT / "build/release/bin/tern", type=pathlib.Path)
    parser.add_argument("--models", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--counts", nargs="*", type=int, default=[1, 4, 8, 16, 32])
    parser.add_argument("--plot", type=pathlib.Path)
    args = parser.parse_args()
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    print(f"{datetime.date.today()}, {cpu}. Score of f32, and change of int8 in points.\n")
    print("| model | pictures | f32 | " + " | ".join(METHODS) + " |\n|---|---|---|" + "---|" * len(METHODS))
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in args.models:
            model, (images, data) = ROOT / "models" / (name + ".onnx"), CASES[name]
            for count in args.counts:
                print(f"\r{name}, {count} pictures    ", end="", file=sys.stderr, flush=True)
                row = measure(args.tern, model, ROOT / "data" / images, ROOT / "data" / data, count, folder)
                results.setdefault(name, {})[count] = row
                print(f"| {name} | {count} | {row['f32']:.2f} | " + " | ".join(f"{row[m] - row['f32']:+.2f}" for m in METHODS) + " |", flush=True)
        print("\n| model | pictures | workers | wall time | CPU time | peak memory |\n|---|---|---|---|---|---|")
        for name in args.models:
            for workers in (1, 2):
                seconds, peak, busy = cost(args.tern, ROOT / "models" / (name + ".onnx"), ROOT / "data" / CASES[name][0], max(args.counts), workers, folder)
                print(f"| {name} | {max(args.counts)} | {workers} | {seconds:.1f} s | {busy:.1f} s | {peak:.0f} MiB |", flush=True)
    if args.plot:
        plot(args.plot, results, args.counts)


if __name__ == "__main__":
    main()
