// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "base/sha256.h"
#include "store/digest.h"
#include "tern/contract.h"
#include "tern/manifest.h"
#include "tern/store.h"

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
  m.notes = {"auto took i8 first, which did not build: \"too small\""};
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

/// An engine ready to be stored.
struct Packed {
  EngineKey key;
  std::vector<std::byte> engine;
  EngineFiles files;
};

/// Engine `seed`: a key, bytes and a golden file of its own.
inline Packed packed(unsigned seed = 1, std::size_t size = 5000, const SigningKey* signer = nullptr) {
  Packed p;
  EngineManifest m = sample_manifest("model" + std::to_string(seed));
  m.golden = {.sha256 = {}, .frames = 2, .source = "noise", .reference = "onnxruntime", .independent = true};
  p.key = m.key;
  p.engine = random_bytes(size, seed);
  p.files = pack_engine(std::move(m), p.engine, "golden frames " + std::to_string(seed), signer).value();
  return p;
}

inline std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

/// Runs as a user whom permissions bind, where the tests run as root.
class AsNobody {
 public:
  static constexpr uid_t kNobody = 65534;
  AsNobody() : was_root_(::geteuid() == 0) {
    if (was_root_ && ::seteuid(kNobody) != 0) std::abort();
  }
  ~AsNobody() {
    if (was_root_ && ::seteuid(0) != 0) std::abort();
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  bool was_root_;
};

/// Runs `work` in a process of its own, which ends without clean-up.
template <typename Work>
pid_t in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  return child;
}

/// The signal or exit status that a child ended with.
inline int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace tern::test
