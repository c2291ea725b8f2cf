#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""preprocess_gpu.py: tern's CUDA preprocessing against the chains that people write with NPP, CV-CUDA, torchvision and OpenCV.

The task: BGR u8 frames in GPU memory (OpenCV: in host memory) to 640x640 f32 NCHW RGB / 255, letterboxed with 114, bilinear
without low-pass filter. Sizes 3840x2160, 1920x1080, 1280x720; batches 1, 4, 16.

Every contender is captured into a CUDA graph of its own that runs it on several sets of frames and outputs in turn, more bytes than
the L2 cache holds; the graphs are replayed in turns and timed by events on one stream, so that what is compared is work on the GPU.
A contender that cannot be captured, or asked for by --eager, is called in a loop between the same events, with what its host code costs.
Ratios are medians of the rounds' own ratios. Before anything is timed, each output is compared with tern's.

  preprocess_gpu.py LIBTERN_PREPROCESS_PLAN [--rounds N] [--json FILE] [--eager] [--npp FOLDER] [--cvcuda FOLDER]
"""
import argparse
import ctypes
import glob
import json
import os
import statistics
import sys
import time

SIDE, PAD = 640, 114
SIZES = [(3840, 2160), (1920, 1080), (1280, 720)]
BATCHES = [1, 4, 16]
ROTATION = 256e6  # bytes of a rotation, at least


def letterbox(width, height):
    """Ultralytics' inner rectangle: left, top, width, height."""
    r = min(SIDE / width, SIDE / height)
    w, h = round(width * r), round(height * r)
    return (SIDE - w) // 2, (SIDE - h) // 2, w, h


class Tern:
    """libtern_preprocess_plan: one kernel a batch."""

    name = "tern"

    def __init__(self, library, torch, sets, is_letterbox=True):
        self.torch, self.library = torch, library
        library.tern_plan_open.restype = ctypes.c_void_p
        library.tern_plan_error.restype = ctypes.c_char_p
        library.tern_plan_bytes_touched.restype = ctypes.c_double
        library.tern_plan_bytes_touched.argtypes = [ctypes.c_void_p]
        library.tern_plan_enqueue.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        library.tern_plan_open.argtypes = [ctypes.POINTER(ctypes.c_void_p)] + [ctypes.c_int] * 6 + [ctypes.c_void_p]
        self.plans, self.outs = [], []
        for frames in sets:
            count, height, width, _ = frames.shape
            out = torch.full((count, 3, SIDE, SIDE), float("nan"), device="cuda")
            pointers = (ctypes.c_void_p * count)(*[frames[i].data_ptr() for i in range(count)])
            plan = library.tern_plan_open(pointers, count, width, height, SIDE, SIDE, int(is_letterbox), out.data_ptr())
            if not plan:
                raise RuntimeError(library.tern_plan_error().decode())
            self.plans.append(plan)
            self.outs.append(out)
        self.bytes_touched = library.tern_plan_bytes_touched(self.plans[0])

    def run(self, i):
        if self.library.tern_plan_enqueue(self.plans[i], self.torch.cuda.current_stream().cuda_stream):
            raise RuntimeError(self.library.tern_plan_error().decode())

    def out(self, i):
        return self.outs[i]


class NppContext(ctypes.Structure):
    _fields_ = [("stream", ctypes.c_void_p), ("device", ctypes.c_int), ("multiprocessors", ctypes.c_int),
                ("threads_per_multiprocessor", ctypes.c_int), ("threads_per_block", ctypes.c_int),
                ("shared_per_block", ctypes.c_size_t), ("major", ctypes.c_int), ("minor", ctypes.c_int),
                ("stream_flags", ctypes.c_uint), ("reserved", ctypes.c_int)]


class NppSize(ctypes.Structure):
    _fields_ = [("width", ctypes.c_int), ("height", ctypes.c_int)]


class NppRect(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int), ("width", ctypes.c_int), ("height", ctypes.c_int)]


class Npp:
    """NPP: resize, border, swap channels, to float, multiply, to planes; for each image."""

    name = "NPP, 6 calls an image"

    def __init__(self, folder, torch, sets):
        self.torch = torch
        self.calls = {}
        for library, names in (("libnppig", ["nppiResize_8u_C3R_Ctx"]),
                               ("libnppidei", ["nppiCopyConstBorder_8u_C3R_Ctx", "nppiSwapChannels_8u_C3R_Ctx",
                                               "nppiConvert_8u32f_C3R_Ctx", "nppiCopy_32f_C3P3R_Ctx"]),
                               ("libnppial", ["nppiMulC_32f_C3IR_Ctx"])):
            found = find_library(folder, library)
            for name in names:
                self.calls[name] = getattr(found, name)
        self.sets = sets
        batch, height, width, _ = sets[0].shape
        self.source = NppSize(width, height)
        self.left, self.top, w, h = letterbox(width, height)
        self.inner = NppSize(w, h)
        self.outs = [torch.full((batch, 3, SIDE, SIDE), float("nan"), device="cuda") for _ in sets]
        self.resized = torch.empty((batch, h, w, 3), dtype=torch.uint8, device="cuda")
        self.padded = torch.empty((batch, SIDE, SIDE, 3), dtype=torch.uint8, device="cuda")
        self.swapped = torch.empty_like(self.padded)
        self.floats = torch.empty((batch, SIDE, SIDE, 3), device="cuda")
        self.context = NppContext()
        p = torch.cuda.get_device_properties(0)
        self.context.multiprocessors = p.multi_processor_count
        self.context.threads_per_multiprocessor = 2048
        self.context.threads_per_block = 1024
        self.context.shared_per_block = 48 * 1024
        self.context.major, self.context.minor = p.major, p.minor
        self.order = (ctypes.c_int * 3)(2, 1, 0)
        self.pad = (ctypes.c_ubyte * 3)(PAD, PAD, PAD)
        self.scale = (ctypes.c_float * 3)(1 / 255, 1 / 255, 1 / 255)

    def call(self, name, *arguments):
        status = self.calls[name](*arguments, self.context)
        if status != 0:
            raise RuntimeError(f"{name} returned {status}")

    def run(self, i):
        self.context.stream = self.torch.cuda.current_stream().cuda_stream
        side = NppSize(SIDE, SIDE)
        inner_rect = NppRect(0, 0, self.inner.width, self.inner.height)
        source_rect = NppRect(0, 0, self.source.width, self.source.height)
        pointer = ctypes.c_void_p
        frames, out = self.sets[i], self.outs[i]
        for k in range(frames.shape[0]):
            resized, padded = self.resized[k].data_ptr(), self.padded[k].data_ptr()
            swapped, floats = self.swapped[k].data_ptr(), self.floats[k].data_ptr()
            planes = (ctypes.c_void_p * 3)(*[out[k, c].data_ptr() for c in range(3)])
            self.call("nppiResize_8u_C3R_Ctx", pointer(frames[k].data_ptr()), 3 * self.source.width, self.source, source_rect,
                      pointer(resized), 3 * self.inner.width, self.inner, inner_rect, 2)  # NPPI_INTER_LINEAR
            self.call("nppiCopyConstBorder_8u_C3R_Ctx", pointer(resized), 3 * self.inner.width, self.inner, pointer(padded),
                      3 * SIDE, side, self.top, self.left, self.pad)
            self.call("nppiSwapChannels_8u_C3R_Ctx", pointer(padded), 3 * SIDE, pointer(swapped), 3 * SIDE, side, self.order)
            self.call("nppiConvert_8u32f_C3R_Ctx", pointer(swapped), 3 * SIDE, pointer(floats), 12 * SIDE, side)
            self.call("nppiMulC_32f_C3IR_Ctx", self.scale, pointer(floats), 12 * SIDE, side)
            self.call("nppiCopy_32f_C3P3R_Ctx", pointer(floats), 12 * SIDE, planes, 4 * SIDE, side)

    def out(self, i):
        return self.outs[i]


class CvCuda:
    """CV-CUDA on the batch as one tensor, every result into a tensor that is kept."""

    name = "CV-CUDA, 5 operators"

    def __init__(self, cvcuda, torch, sets):
        self.cvcuda, self.torch = cvcuda, torch
        batch, height, width, _ = sets[0].shape
        self.left, self.top, w, h = letterbox(width, height)
        wrap = lambda tensor, layout: cvcuda.as_tensor(tensor, layout)
        self.sets = [wrap(frames, "NHWC") for frames in sets]
        self.outs = [torch.full((batch, 3, SIDE, SIDE), float("nan"), device="cuda") for _ in sets]
        self.wrapped = [wrap(out, "NCHW") for out in self.outs]
        make = lambda shape, dtype: wrap(torch.empty(shape, dtype=dtype, device="cuda"), "NHWC")
        self.resized = make((batch, h, w, 3), torch.uint8)
        self.padded = make((batch, SIDE, SIDE, 3), torch.uint8)
        self.rgb = make((batch, SIDE, SIDE, 3), torch.uint8)
        self.floats = make((batch, SIDE, SIDE, 3), torch.float32)

    def run(self, i):
        cvcuda = self.cvcuda
        stream = cvcuda.as_stream(self.torch.cuda.current_stream().cuda_stream)
        cvcuda.resize_into(self.resized, self.sets[i], cvcuda.Interp.LINEAR, stream=stream)
        cvcuda.copymakeborder_into(self.padded, self.resized, cvcuda.Border.CONSTANT, [PAD, PAD, PAD], top=self.top, left=self.left,
                                   stream=stream)
        cvcuda.cvtcolor_into(self.rgb, self.padded, cvcuda.ColorConversion.BGR2RGB, stream=stream)
        cvcuda.convertto_into(self.floats, self.rgb, 1 / 255, 0.0, stream=stream)
        cvcuda.reformat_into(self.wrapped[i], self.floats, stream=stream)

    def out(self, i):
        return self.outs[i]


class CvCudaFused:
    """CV-CUDA's own fused operator, which cannot pad: stretched to 640x640. Its peer is tern stretching."""

    name = "CV-CUDA, ResizeCropConvertReformat, no padding"

    def __init__(self, cvcuda, torch, sets):
        self.cvcuda, self.torch = cvcuda, torch
        batch = sets[0].shape[0]
        self.sets = [cvcuda.as_tensor(frames, "NHWC") for frames in sets]
        self.outs = [torch.full((batch, 3, SIDE, SIDE), float("nan"), device="cuda") for _ in sets]
        self.wrapped = [cvcuda.as_tensor(out, "NCHW") for out in self.outs]

    def run(self, i):
        cvcuda = self.cvcuda
        cvcuda.resize_crop_convert_reformat_into(
            self.wrapped[i], self.sets[i], (SIDE, SIDE), cvcuda.Interp.LINEAR, (0, 0), manip=cvcuda.ChannelManip.REVERSE,
            scale=1 / 255, stream=cvcuda.as_stream(self.torch.cuda.current_stream().cuda_stream))

    def out(self, i):
        return self.outs[i]


class TernStretch(Tern):
    name = "tern, no padding"

    def __init__(self, library, torch, sets):
        super().__init__(library, torch, sets, is_letterbox=False)


class Torchvision:
    """torchvision.transforms.v2.functional, antialias off."""

    name = "torchvision"

    def __init__(self, functional, torch, sets):
        self.f, self.torch = functional, torch
        batch, height, width, _ = sets[0].shape
        self.left, self.top, self.w, self.h = letterbox(width, height)
        self.sets = sets
        self.outs = [torch.full((batch, 3, SIDE, SIDE), float("nan"), device="cuda") for _ in sets]

    def run(self, i):
        x = self.sets[i].permute(0, 3, 1, 2)
        x = self.f.resize(x, [self.h, self.w], interpolation=self.f.InterpolationMode.BILINEAR, antialias=False)
        x = self.f.pad(x, [self.left, self.top, SIDE - self.w - self.left, SIDE - self.h - self.top], fill=PAD)
        x = self.f.to_dtype(x.flip(1), self.torch.float32, scale=True)
        self.outs[i].copy_(x)

    def out(self, i):
        return self.outs[i]


class OpenCv:
    """OpenCV on the CPU, its threads as it chooses; frames in host memory, result in host memory."""

    name = "OpenCV on the CPU"
    is_host = True

    def __init__(self, cv2, numpy, sets):
        self.cv2, self.numpy = cv2, numpy
        batch, height, width, _ = sets[0].shape
        self.left, self.top, self.w, self.h = letterbox(width, height)
        self.sets = [sets[0].cpu().numpy()]
        self.outs = [numpy.empty((batch, 3, SIDE, SIDE), numpy.float32)]

    def run(self, i):
        cv2 = self.cv2
        for k, frame in enumerate(self.sets[i]):
            x = cv2.resize(frame, (self.w, self.h), interpolation=cv2.INTER_LINEAR)
            x = cv2.copyMakeBorder(x, self.top, SIDE - self.h - self.top, self.left, SIDE - self.w - self.left, cv2.BORDER_CONSTANT,
                                   value=(PAD, PAD, PAD))
            x = cv2.cvtColor(x, cv2.COLOR_BGR2RGB).astype(self.numpy.float32) * self.numpy.float32(1 / 255)
            self.outs[i][k] = x.transpose(2, 0, 1)

    def out(self, i):
        return self.outs[i]


def find_library(folder, name):
    """NPP's library from `folder`, else from the CUDA toolkit, else from where the loader looks."""
    for place in (folder, "/usr/local/cuda/lib64"):
        for path in sorted(glob.glob(os.path.join(place, f"{name}.so*"))) if place else []:
            core = sorted(glob.glob(os.path.join(os.path.dirname(path), "libnppc.so*")))
            ctypes.CDLL(core[0], mode=ctypes.RTLD_GLOBAL)
            return ctypes.CDLL(path)
    return ctypes.CDLL(f"{name}.so.13")


class Timed:
    """A contender, and how long each round took it, in microseconds a batch."""

    def __init__(self, contender, torch, count, is_eager, launches=40):
        self.contender, self.torch = contender, torch
        self.name = contender.name
        self.repeats = max(1, -(-launches // count))
        self.count, self.times, self.graph, self.note = count, [], None, ""
        self.is_host = getattr(contender, "is_host", False)
        self.stream = torch.cuda.Stream()
        if not self.is_host:
            with torch.cuda.stream(self.stream):
                for i in range(count):
                    contender.run(i)
            torch.cuda.synchronize()
            if not is_eager:
                self.capture()

    def capture(self):
        graph = self.torch.cuda.CUDAGraph()
        try:
            with self.torch.cuda.graph(graph, stream=self.stream, capture_error_mode="relaxed"):
                self.all()
            self.graph = graph
        except Exception as error:  # noqa: BLE001: whatever a library says, it then runs eagerly
            self.note = f"not captured: {str(error).splitlines()[0][:80]}"
            self.torch.cuda.synchronize()

    def all(self):
        for _ in range(self.repeats):
            for i in range(self.count):
                self.contender.run(i)

    def round(self, is_counted):
        torch = self.torch
        if self.is_host:
            start = time.perf_counter()
            self.contender.run(0)
            took = (time.perf_counter() - start) * 1e6
        else:
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            with torch.cuda.stream(self.stream):
                begin.record()
                self.graph.replay() if self.graph else self.all()
                end.record()
            end.synchronize()
            took = begin.elapsed_time(end) * 1e3 / (self.count * self.repeats)
        if is_counted:
            self.times.append(took)


def copy_bandwidth(torch):
    a = torch.empty(1 << 30, dtype=torch.uint8, device="cuda").random_()
    b = torch.empty_like(a)
    times = []
    for _ in range(20):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        b.copy_(a)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / 1e3)
    return 2 * (1 << 30) / statistics.median(times)


def largest_difference(torch, a, b):
    a, b = torch.as_tensor(a).cpu(), torch.as_tensor(b).cpu()
    difference = (a - b).abs()
    if torch.isnan(difference).any():
        raise RuntimeError("an output has elements that were never written")
    return float(difference.max()) * 255


def contenders_of(options, torch, sets, skipped):
    library = ctypes.CDLL(options.library)
    made = [Tern(library, torch, sets), TernStretch(library, torch, sets)]

    def attempt(name, make):
        try:
            made.append(make())
        except Exception as error:  # noqa: BLE001: a peer that is not there is named, and left out
            skipped[name] = str(error).splitlines()[0]

    def cvcuda():
        if options.cvcuda:
            sys.path.insert(0, options.cvcuda)
        import cvcuda as module
        return module

    attempt("NPP", lambda: Npp(options.npp, torch, sets))
    attempt("CV-CUDA", lambda: CvCuda(cvcuda(), torch, sets))
    attempt("CV-CUDA fused", lambda: CvCudaFused(cvcuda(), torch, sets))

    def torchvision():
        from torchvision.transforms.v2 import functional
        return Torchvision(functional, torch, sets)

    def opencv():
        import cv2
        import numpy
        return OpenCv(cv2, numpy, sets)

    attempt("torchvision", torchvision)
    attempt("OpenCV", opencv)
    return made


def race(options, torch, width, height, batch, bandwidth):
    inner = letterbox(width, height)
    touched = batch * (3 * width * height * min(1, 2 * inner[3] / height) + 12 * SIDE * SIDE)
    count = max(2, min(64, int(-(-ROTATION // touched))))
    sets = [torch.randint(0, 256, (batch, height, width, 3), dtype=torch.uint8, device="cuda") for _ in range(count)]
    skipped = {}
    timed = []
    for contender in contenders_of(options, torch, sets, skipped):
        try:
            timed.append(Timed(contender, torch, count, options.eager))
        except Exception as error:  # noqa: BLE001: the same
            skipped[contender.name] = str(error).splitlines()[0]
    torch.cuda.synchronize()
    if timed[0].name != "tern":
        raise RuntimeError(f"tern failed: {skipped}")
    for round_ in range(-2, options.rounds):
        for t in timed:
            t.round(round_ >= 0)
    result = {"width": width, "height": height, "batch": batch, "sets": count, "skipped": skipped, "contenders": {}}
    floor = timed[0].contender.bytes_touched / bandwidth * 1e6
    print(f"\nBGR {width}x{height}, batch {batch}: {timed[0].contender.bytes_touched / 1e6:.1f} MB touched, "
          f"{floor:.2f} us at the bandwidth of a copy")
    for t in timed:
        peer = next((p for p in timed if p.name == "tern, no padding"), timed[0]) if "no padding" in t.name else timed[0]
        if t.is_host:
            t.contender.run(0)
        off = largest_difference(torch, t.contender.out(0), peer.contender.out(0))
        ratio = statistics.median(a / b for a, b in zip(t.times, peer.times))
        us = statistics.median(t.times)
        how = "host clock" if t.is_host else ("graph" if t.graph else "eager")
        print(f"  {t.name:<48} {us:10.2f} us  x{ratio:7.2f}  {how:<10} differs by {off:6.2f}/255 {t.note}")
        result["contenders"][t.name] = {"us": us, "ratio": ratio, "how": how, "difference_255": off, "note": t.note}
    for name, why in skipped.items():
        print(f"  {name:<48} left out: {why}")
    result["floor_us"] = floor
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", help="libtern_preprocess_plan.so")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", help="where the numbers go")
    parser.add_argument("--eager", action="store_true", help="call every contender in a loop: what its host code costs counts")
    parser.add_argument("--npp", help="folder with libnppig.so and the like")
    parser.add_argument("--cvcuda", help="folder with the package cvcuda")
    parser.add_argument("--size", action="append", type=lambda s: tuple(map(int, s.split("x"))), help="WxH, instead of all")
    parser.add_argument("--batch", action="append", type=int, help="instead of 1, 4, 16")
    options = parser.parse_args()
    import torch

    if not torch.cuda.is_available():
        print("SKIPPED: torch sees no GPU", file=sys.stderr)
        return 77
    torch.manual_seed(7)
    bandwidth = copy_bandwidth(torch)
    print(f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}; a copy of 1 GiB moves {bandwidth / 1e9:.0f} GB/s (read + written)")
    print("ratios: times longer than tern, medians over rounds in which all take turns")
    results = [race(options, torch, width, height, batch, bandwidth) for width, height in options.size or SIZES
               for batch in options.batch or BATCHES]
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"gpu": torch.cuda.get_device_name(0), "copy_gb_s": bandwidth / 1e9, "rounds": options.rounds, "results": results},
                      file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
