// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Gate A of a 100 MB engine with a warm page cache, against hashing the same bytes and nothing else.
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "store/digest.h"
#include "tern/gate.h"
#include "tern/store.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytes = 100'000'000;

/// A signed engine in a folder that goes away with the program.
struct Entry {
  Entry() : engine(kBytes), signer(SigningKey::generate().value()) {
    std::string name = (fs::temp_directory_path() / "tern-gate-bench-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    std::mt19937_64 random(1);
    for (std::byte& b : engine)
      b = static_cast<std::byte>(random());
    EngineManifest m;
    m.name = "bench.x86_64_avx2.fp32.engine";
    m.stem = "bench";
    m.backend = "bench";
    m.backend_version = "1";
    m.engine_id = "bench-0";
    m.key.fields = {{"model", "bench"}};
    m.inputs = m.outputs = {{"x", DType::kF32, Shape{1}}};
    m.build_config = BuildConfig{}.to_json();
    m.built_at = "2026-11-21T10:00:00Z";
    m.tern_version = "0";
    const EngineFiles files = pack_engine(m, engine, "", &signer).value();
    entry = write_flat(folder / "engines", m.key, files).value();
    (void)signer.write(folder / "key");
    trust = std::make_unique<TrustStore>(TrustStore::from_path(folder / "key.pub").value());
  }
  ~Entry() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  std::vector<std::byte> engine;
  SigningKey signer;
  std::unique_ptr<TrustStore> trust;
  fs::path folder;
  EngineEntry entry;
};

const Entry& stored() {
  static const Entry entry;
  return entry;
}

void count_bytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBytes));
}

/// The floor: SHA-256 of the chunks, in memory already.
void hash_alone(benchmark::State& state) {
  const Entry& s = stored();
  for (auto _ : state)
    benchmark::DoNotOptimize(chunk_digests(s.engine, static_cast<int>(state.range(0))));
  count_bytes(state);
}

void gate(benchmark::State& state, bool with_trust) {
  const Entry& s = stored();
  const GateOptions options{.trust = with_trust ? s.trust.get() : nullptr, .threads = static_cast<int>(state.range(0))};
  for (auto _ : state) {
    const auto gated = gate_files(s.entry, options);
    if (!gated.ok()) state.SkipWithError(gated.status().to_string().c_str());
  }
  count_bytes(state);
}

BENCHMARK(hash_alone)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(gate, plain, false)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(gate, sealed_copy, true)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tern

BENCHMARK_MAIN();
