#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of tern's post-training quantisation against ONNX Runtime's quantize_static and NNCF's, as a Markdown table.

The same models, calibration pictures and labelled data; every result is scored by `tern eval` on OpenVINO, which computes exactly
what the Q/DQ nodes say (where the CPU has no VNNI in f32 arithmetic).
"""
import argparse
import datetime
import json
import pathlib
import platform
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CASES = [("overhead-detect", "calibration/images", "validation", "ap"), ("overhead-detect-e2e", "calibration/images", "validation", "ap"),
         ("overhead-segment", "calibration/images", "validation", "miou"), ("overhead-obstruction", "crops", "crops", "top1")]


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(" ".join(map(str, command)) + "\n" + done.stderr[-2000:])
    return done.stdout


def score(tern, model, data, metric):
    return json.loads(run(tern, "eval", model, "--data", data, "--json", "-", "--quiet", "--in-process"))[metric]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tern", default=ROOT / "build/release/bin/tern")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--models", nargs="*", default=[case[0] for case in CASES])
    args = parser.parse_args()
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    print(f"{datetime.date.today()}, {cpu}, {args.images} calibration pictures; score and change in points.\n")
    print("| model | metric | f32 | tern | onnxruntime quantize_static | nncf |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, images, data, metric in CASES:
            if name not in args.models:
                continue
            model, images, data = ROOT / "models" / (name + ".onnx"), ROOT / "data" / images, ROOT / "data" / data
            contract = folder / "contract.json"
            contract.write_text(json.dumps(json.loads(run(args.tern, "inspect", model, "--json", "-"))["contract"]))
            before = score(args.tern, model, data, metric)
            cells = [f"{100 * before:.2f}"]
            for tool in ("tern", "onnxruntime", "nncf"):
                print(f"\r{name}: {tool}          ", end="", file=sys.stderr, flush=True)
                made = folder / f"{name}.{tool}.onnx"
                try:
                    if tool == "tern":
                        run(args.tern, "quantize", model, "--images", images, "--frames", args.images, "--target", "tensorrt", "-o", made)
                    else:
                        run(sys.executable, HERE / "quantize_peer.py", tool, model, contract, images, made, args.images)
                    after = score(args.tern, made, data, metric)
                    cells.append(f"{100 * after:.2f} ({100 * (after - before):+.2f})")
                except RuntimeError as error:
                    print(error, file=sys.stderr)
                    cells.append("failed")
            print(f"| {name} | {metric} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
