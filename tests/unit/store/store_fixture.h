// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "store/digest.h"
#include "tern/contract.h"
#include "tern/manifest.h"

namespace tern::test {

inline std::vector<std::byte> random_bytes(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& b : bytes)
    b = static_cast<std::byte>(random());
  return bytes;
}

inline Contract sample_contract() {
  Contract c;
  c.input.tensor = "images";
  c.output = {.tensor = "out", .classes = 2, .names = {"car", "boat"}, .score_threshold = 0.3F};
  return c;
}

inline EngineKey sample_key(const std::string& model = "6d6f64656c") {
  EngineKey key;
  key.fields = {
      {"model", model},        {"contract", sample_contract().hash()}, {"precision", "auto"},  {"max_batch", "0"},
      {"backend", "openvino"}, {"backend_version", "2026.4.1-1"},      {"fit.arch", "x86_64"}, {"fit.isa", "avx2"}};
  return key;
}

/// Complete but for what belongs to the engine's bytes (size, digests) and to the golden file.
inline EngineManifest sample_manifest(const std::string& model = "6d6f64656c") {
  EngineManifest m;
  m.key = sample_key(model);
  m.name = "yolo.v8.x86_64_avx2.fp32.engine";
  m.stem = "yolo.v8";
  m.backend = "openvino";
  m.backend_version = "2026.4.1-1";
  m.engine_id = "yolo.v8-0123456789ab";
  m.precision = Precision::kF32;
  m.layers = {{"f32", 12}, {"i8", 3}};
  m.opt_buffer_bytes = 5'000'000'000;
  m.inputs = {{"images", DType::kF32, Shape{Shape::kDynamic, 3, 640, 640}}};
  m.outputs = {{"out", DType::kF32, Shape{1, 6, 8400}}, {"scalar", DType::kI64, Shape{}}};
  m.contract = sample_contract().to_json();
  m.build_config = BuildConfig{}.to_json();
  m.build_seconds = 1.25;
  m.built_at = "2026-11-21T10:00:00Z";
  m.tern_version = "0.1.0";
  return m;
}

/// sample_manifest() with the digests of `engine` and of a golden file.
inline EngineManifest complete_manifest(const std::vector<std::byte>& engine, const std::string& golden = "golden") {
  EngineManifest m = sample_manifest();
  m.size = engine.size();
  m.sha256 = to_hex(Sha256::of(engine));
  const auto chunks = chunk_digests(engine, 1);
  for (const auto& chunk : chunks)
    m.chunks.push_back(to_hex(chunk));
  m.root = to_hex(root_of(chunks));
  m.golden = {.sha256 = to_hex(Sha256::of(std::as_bytes(std::span(golden)))),
              .frames = 2,
              .source = "noise",
              .reference = "onnxruntime",
              .independent = true};
  return m;
}

}  // namespace tern::test
