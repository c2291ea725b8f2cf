// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sidecar.h"
#include "tern/gate.h"
#include "tern/store.h"
#include "unit/app/temporary_folder.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

using ::testing::HasSubstr;

const std::string kHex(64, 'a');

TEST(PackEngine, what_it_makes_passes_the_gate) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{5000}, std::size_t{EngineManifest::kChunkBytes},
                                 std::size_t{EngineManifest::kChunkBytes * 2 + 1}}) {
    const test::Packed p = test::packed(1, size);
    const auto gated = gate_bytes(p.files.engine, p.files.manifest, p.files.golden, p.files.signature);
    ASSERT_TRUE(gated.ok()) << gated.status().to_string();
    EXPECT_EQ(gated->manifest.size, size);
    EXPECT_EQ(gated->manifest.sha256, to_hex(Sha256::of(p.engine)));
    EXPECT_EQ(gated->manifest.golden.sha256, to_hex(Sha256::of(std::as_bytes(std::span(p.files.golden)))));
    EXPECT_EQ(p.files.name, gated->manifest.name);
  }
}

TEST(PackEngine, without_golden_frames_and_signature_both_are_empty) {
  const auto engine = test::random_bytes(10);
  const EngineFiles files = pack_engine(test::sample_manifest(), engine, "", nullptr).value();
  EXPECT_TRUE(files.golden.empty());
  EXPECT_TRUE(files.signature.empty());
  EXPECT_TRUE(EngineManifest::from_json(files.manifest, "m").value().golden.sha256.empty());
}

TEST(PackEngine, what_the_gate_would_refuse_is_not_packed) {
  const auto engine = test::random_bytes(10);
  const auto refused = [&](const EngineManifest& m, const std::string& golden, const std::string& why) {
    const auto files = pack_engine(m, engine, golden, nullptr);
    ASSERT_FALSE(files.ok()) << why;
    EXPECT_EQ(files.status().code(), StatusCode::kConfigError);
    EXPECT_THAT(files.status().to_string(), HasSubstr(why));
  };
  EngineManifest m = test::sample_manifest();
  refused(m, "golden", "cannot hold 0 frames");
  m.golden.frames = 1;
  refused(m, "", "cannot hold 1 frames");
  m = test::sample_manifest();
  m.stem = "other";
  refused(m, "", "stem");
  m = test::sample_manifest();
  m.built_at = "now";
  refused(m, "", "built_at");
  m = test::sample_manifest();
  m.build_seconds = std::numeric_limits<double>::quiet_NaN();
  refused(m, "", "build_seconds");
  m = test::sample_manifest();
  m.contract = "no json";
  refused(m, "", "contract");
  m = test::sample_manifest();
  m.backend = "another";
  refused(m, "", "backend");
  EXPECT_EQ(pack_engine(test::sample_manifest(), {}, "", nullptr).status().code(), StatusCode::kConfigError);
}

TEST(PackEngine, signs_the_manifests_exact_bytes) {
  const TemporaryFolder folder;
  const SigningKey signer = SigningKey::generate().value();
  ASSERT_TRUE(signer.write(folder / "k").ok());
  const test::Packed p = test::packed(1, 100, &signer);
  EXPECT_TRUE(TrustStore::from_path(folder / "k.pub").value().verify(p.files.manifest, p.files.signature).ok());
}

TEST(Sidecar, is_what_sha256sum_writes_and_checks) {
  const TemporaryFolder folder;
  for (const std::string& stem :
       {std::string("yolo.v8"), std::string("a b\xc3\xa9"), std::string("back\\slash\\\\"), std::string("*x")}) {
    EngineManifest m = test::sample_manifest();
    m.stem = stem;
    m.name = stem + ".x86_64_avx2.fp32.engine";
    const auto engine = test::random_bytes(1000);
    const EngineFiles files = pack_engine(m, engine, "", nullptr).value();
    folder.write(files.name, std::string(reinterpret_cast<const char*>(engine.data()), engine.size()));
    folder.write("sums", files.sha256);
    const std::string in = "cd '" + folder.path().string() + "' && ";
    EXPECT_EQ(std::system((in + "sha256sum --status --strict -c sums").c_str()), 0) << stem;
    EXPECT_EQ(std::system((in + "sha256sum -- '" + files.name + "' | cmp -s - sums").c_str()), 0) << stem;
    EXPECT_EQ(parse_sidecar(files.sha256, StatusCode::kEngineGateError).value().name, files.name);
    EXPECT_EQ(parse_sidecar(files.sha256, StatusCode::kEngineGateError).value().sha256, to_hex(Sha256::of(engine)));
    folder.write(files.name, "changed");
    EXPECT_NE(std::system((in + "sha256sum --status --strict -c sums").c_str()), 0);
  }
}

TEST(Sidecar, bare_digits_and_binary_mode_are_read_too) {
  for (const std::string& text :
       {kHex, kHex + "\n", kHex + "  n", kHex + "  n\n", kHex + " *n\n", std::string(64, 'A')})
    EXPECT_EQ(parse_sidecar(text, StatusCode::kEngineGateError).value().sha256, kHex) << text;
  EXPECT_EQ(parse_sidecar(kHex, StatusCode::kEngineGateError).value().name, "");
  EXPECT_EQ(parse_sidecar(kHex + " *n\n", StatusCode::kEngineGateError).value().name, "n");
  EXPECT_EQ(parse_sidecar("\\" + kHex + "  a\\\\b\n", StatusCode::kEngineGateError).value().name, "a\\b");
  EXPECT_EQ(parse_sidecar(kHex + "  a\\b\n", StatusCode::kEngineGateError).value().name, "a\\b");
}

TEST(Sidecar, anything_else_is_refused) {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'), kHex + " ",
        kHex + "  ", kHex + "  \n", kHex + " n", kHex + "\tn", kHex + "  n\n" + kHex + "  m\n", " " + kHex, "\\" + kHex,
        "\\" + kHex + "  a\\b\n", "\\" + kHex + "  a\\", kHex + "\n\n", kHex + std::string("\0", 1)}) {
    const auto sidecar = parse_sidecar(text, StatusCode::kEngineGateError);
    ASSERT_FALSE(sidecar.ok()) << text;
    EXPECT_EQ(sidecar.status().code(), StatusCode::kEngineGateError);
  }
}

}  // namespace
}  // namespace tern
