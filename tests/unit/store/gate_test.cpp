// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/gate.h"

#include <array>
#include <fcntl.h>
#include <functional>
#include <random>
#include <ranges>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/places.h"
#include "unit/app/temporary_folder.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// An entry on disk, signed, with the trust store that accepts it.
class GateTest : public ::testing::Test {
 protected:
  GateTest() : signer_(SigningKey::generate().value()) {
    EXPECT_TRUE(signer_.write(keys_ / "k").ok());
    trust_.emplace(TrustStore::from_path(keys_ / "k.pub").value());
    place(test::packed(1, 5000, &signer_));
  }

  /// Writes the files of an engine under its name.
  EngineEntry place(const test::Packed& p) {
    packed_ = p;
    entry_ = EngineEntry{folder_ / p.files.name};
    test::write(entry_.engine, text_of(p.engine));
    test::write(entry_.manifest(), p.files.manifest);
    test::write(entry_.sha256(), p.files.sha256);
    test::write(entry_.golden(), p.files.golden);
    test::write(entry_.signature(), p.files.signature);
    return entry_;
  }
  static std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  GateOptions trusting() const { return {.trust = &*trust_}; }
  Status gate(const GateOptions& options = {}) const { return gate_files(entry_, options).status(); }
  /// EngineGateError at `where` with `message` in it and a cure.
  static void refused(const Status& status, const fs::path& where, const std::string& message) {
    EXPECT_EQ(status.code(), StatusCode::kEngineGateError) << status.to_string();
    EXPECT_THAT(status.where(), HasSubstr(where.string())) << status.to_string();
    EXPECT_THAT(status.message(), HasSubstr(message));
    EXPECT_FALSE(status.hint().empty()) << status.to_string();
  }
  /// Changes the manifest and makes its hash right again; the sidecar stays.
  void edit_manifest(const std::function<void(EngineManifest&)>& edit) const {
    EngineManifest m = EngineManifest::from_json(packed_.files.manifest, "m").value();
    edit(m);
    test::write(entry_.manifest(), m.to_json());
  }
  std::array<fs::path, 5> all_files() const {
    return {entry_.engine, entry_.manifest(), entry_.sha256(), entry_.golden(), entry_.signature()};
  }

  TemporaryFolder folder_, keys_;
  SigningKey signer_;
  std::optional<TrustStore> trust_;
  test::Packed packed_;
  EngineEntry entry_;
};

TEST_F(GateTest, a_whole_entry_passes_and_comes_back_complete) {
  for (const bool with_trust : {false, true}) {
    const GateOptions options{.trust = with_trust ? &*trust_ : nullptr, .key = &packed_.key, .stem = "yolo.v8"};
    const auto gated = gate_files(entry_, options);
    ASSERT_TRUE(gated.ok()) << gated.status().to_string();
    EXPECT_EQ(std::vector<std::byte>(gated->bytes.begin(), gated->bytes.end()), packed_.engine);
    EXPECT_EQ(gated->golden, packed_.files.golden);
    EXPECT_EQ(gated->is_signed, with_trust);
    EXPECT_EQ(gated->manifest.to_json(), packed_.files.manifest);
    EXPECT_NE(gated->owner, nullptr);
  }
}

TEST_F(GateTest, the_blob_is_what_a_backend_loads) {
  const GatedEngine gated = gate_files(entry_).value();
  const EngineBlob blob = gated.blob();
  EXPECT_EQ(blob.backend, "openvino");
  EXPECT_EQ(blob.backend_version, "2026.4.1-1");
  EXPECT_EQ(blob.engine_id, "yolo.v8-0123456789ab");
  EXPECT_EQ(blob.precision, Precision::kF32);
  EXPECT_EQ(blob.bytes.data(), gated.bytes.data());
  EXPECT_EQ(blob.owner, gated.owner);
  EXPECT_EQ(blob.inputs.size(), 1U);
  EXPECT_EQ(blob.outputs.size(), 2U);
  EXPECT_EQ(blob.layers.at("i8"), 3);
  EXPECT_EQ(blob.context_bytes, 5'000'000'000U);
}

TEST_F(GateTest, the_mapping_lives_as_long_as_its_owner) {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
  {
    const GatedEngine gated = gate_files(entry_).value();
    bytes = gated.bytes;
    owner = gated.owner;
  }
  fs::remove(entry_.engine);
  EXPECT_EQ(bytes[4999], packed_.engine[4999]);
}

TEST_F(GateTest, with_a_trust_store_later_writes_do_not_reach_the_engine) {
  const GatedEngine gated = gate_files(entry_, trusting()).value();
  const int file = ::open(entry_.engine.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::pwrite(file, "evil", 4, 0), 4);
  ASSERT_EQ(::ftruncate(file, 4), 0);  // would end the process with SIGBUS were the file itself mapped
  ::close(file);
  EXPECT_EQ(std::vector<std::byte>(gated.bytes.begin(), gated.bytes.end()), packed_.engine);
}

TEST_F(GateTest, without_golden_frames_none_may_be_there) {
  EngineManifest m = test::sample_manifest();
  const auto engine = test::random_bytes(100);
  test::Packed p{m.key, engine, pack_engine(m, engine, "", nullptr).value()};
  place(p);
  refused(gate(), entry_.golden(), "found 0 bytes");  // an empty file is one
  fs::remove(entry_.golden());
  EXPECT_TRUE(gate().ok());
  test::write(entry_.golden(), "frames of somebody");
  refused(gate(), entry_.golden(), "wanted none");
}

TEST_F(GateTest, names_that_are_no_engines_are_refused_before_anything_is_opened) {
  for (const char* name : {"x.engine", "yolo.engine", "yolo.x86_64_avx2.fp32.engine.json"})
    refused(gate_files({folder_ / "missing" / name}).status(), name, "");
  refused(gate({.stem = "other"}), entry_.engine, "stem: found 'yolo.v8', wanted 'other'");
}

TEST_F(GateTest, missing_files_are_io_errors) {
  for (const fs::path& path : {entry_.engine, entry_.manifest(), entry_.sha256()}) {
    place(packed_);
    fs::remove(path);
    EXPECT_EQ(gate().code(), StatusCode::kIoError);
    EXPECT_THAT(gate().where(), HasSubstr(path.string()));
  }
  place(packed_);
  fs::remove(entry_.golden());
  refused(gate(), entry_.golden(), "golden file: found none, wanted one of sha256");
  EXPECT_EQ(gate_files({folder_ / "none" / packed_.files.name}).status().code(), StatusCode::kIoError);
}

TEST_F(GateTest, an_unsigned_engine_is_refused_with_a_trust_store_alone) {
  fs::remove(entry_.signature());
  EXPECT_TRUE(gate().ok());
  refused(gate(trusting()), entry_.signature(), "signature: found none, wanted one of a trusted key (" + signer_.id());
  test::write(entry_.signature(), "");
  refused(gate(trusting()), entry_.signature(), "");
}

TEST_F(GateTest, files_that_are_too_large_are_refused_before_they_are_read) {
  refused(gate({.max_bytes = 4999}), entry_.engine, "size: found 5000 bytes, wanted 1 to 4999 bytes");
  EXPECT_TRUE(gate({.max_bytes = 5000}).ok());
  // Sparse files: reading them would take long, or all memory.
  const std::array<std::pair<fs::path, off_t>, 4> sizes{{{entry_.manifest(), (16 << 20) + 1},
                                                         {entry_.sha256(), 4097},
                                                         {entry_.golden(), (off_t{1} << 30) + 1},
                                                         {entry_.signature(), 4097}}};
  for (const auto& [path, size] : sizes) {
    place(packed_);
    ASSERT_EQ(::truncate(path.c_str(), size), 0);
    refused(gate(trusting()), path, "size: found " + std::to_string(size));
  }
  place(packed_);
  ASSERT_EQ(::truncate(entry_.engine.c_str(), off_t{1} << 33), 0);
  refused(gate(), entry_.manifest(), "size: found 8589934592 bytes, wanted 5000 bytes");
  ASSERT_EQ(::truncate(entry_.engine.c_str(), off_t{1} << 40), 0);
  refused(gate(), entry_.engine, "size: found 1099511627776 bytes");
}

TEST_F(GateTest, files_and_folders_that_others_may_write_are_refused) {
  for (const fs::path& path : all_files()) {
    for (const mode_t mode : {0664U, 0646U, 0622U}) {
      ASSERT_EQ(::chmod(path.c_str(), mode), 0);
      refused(gate(trusting()), path, "mode: found");
    }
    ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  }
  for (const mode_t mode : {0770U, 0777U, 01777U}) {
    ASSERT_EQ(::chmod(folder_.path().c_str(), mode), 0);
    refused(gate(), folder_.path(), "mode: found");
  }
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  EXPECT_TRUE(gate(trusting()).ok());
}

TEST_F(GateTest, files_and_folders_of_another_user_are_refused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  for (const fs::path& path : all_files()) {
    ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
    refused(gate(trusting()), path, "owner: found user 12345, wanted user 0 or root");
    ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
  }
  ASSERT_EQ(::chown(folder_.path().c_str(), 12345, 12345), 0);
  refused(gate(), folder_.path(), "owner: found user 12345");
  ASSERT_EQ(::chown(folder_.path().c_str(), 0, 0), 0);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  {
    const test::AsNobody user;
    EXPECT_TRUE(gate(trusting()).ok()) << "root's files serve every user";
  }
  ASSERT_EQ(::chown(entry_.engine.c_str(), 12345, 12345), 0);
  const test::AsNobody user;
  refused(gate(), entry_.engine, "wanted user 65534 or root");
}

TEST_F(GateTest, what_is_no_regular_file_is_refused_without_waiting) {
  for (const fs::path& path : all_files()) {
    place(packed_);
    const fs::path real = folder_ / "real";
    fs::rename(path, real);
    fs::create_symlink("real", path);
    refused(gate(trusting()), path, "is a symbolic link");
    fs::remove(path);
    fs::create_symlink("nowhere", path);
    refused(gate(trusting()), path, "is a symbolic link");
    fs::remove(path);
    fs::create_directory(path);
    refused(gate(trusting()), path, "is a folder");
    fs::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    refused(gate(trusting()), path, "is a FIFO");
    fs::remove(path);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.string().size(), sizeof address.sun_path);
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    refused(gate(trusting()), path, "is a socket");
    ::close(socket);
    fs::remove(path);
  }
}

TEST_F(GateTest, a_folder_reached_through_a_link_is_judged_by_what_it_is) {
  fs::create_directory_symlink(folder_.path(), keys_ / "link");
  EXPECT_TRUE(gate_files({keys_ / "link" / packed_.files.name}).ok());
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0777), 0);
  EXPECT_FALSE(gate_files({keys_ / "link" / packed_.files.name}).ok());
}

TEST_F(GateTest, files_cut_to_any_length_are_refused) {
  for (const fs::path& path : all_files()) {
    place(packed_);
    const std::string whole = test::read(path);
    for (const std::size_t length : std::views::reverse(test::places_in(whole.size()))) {
      ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(length)), 0);
      const Status status = gate(trusting());
      // Digits without a name are a sidecar, and so is a line without its end.
      const bool is_sidecar = path == entry_.sha256() && (length == 64 || length + 1 == whole.size());
      ASSERT_EQ(status.ok(), is_sidecar) << path << " cut to " << length << ": " << status.to_string();
      if (!is_sidecar) {
        ASSERT_EQ(status.code(), StatusCode::kEngineGateError);
      }
    }
  }
}

TEST_F(GateTest, files_that_grew_are_refused) {
  for (const fs::path& path : all_files()) {
    place(packed_);
    test::write(path, test::read(path) + "x");
    EXPECT_EQ(gate(trusting()).code(), StatusCode::kEngineGateError) << path;
  }
}

TEST_F(GateTest, flipped_bits_are_refused) {
  std::mt19937 random(11);
  for (const fs::path& path : {entry_.engine, entry_.manifest(), entry_.golden(), entry_.signature()}) {
    const std::string whole = test::read(path);
    for (int round = 0; round < 250; ++round) {
      std::string changed = whole;
      const std::size_t at = random() % whole.size();
      changed[at] = static_cast<char>(changed[at] ^ (1 << (random() % 8)));
      test::write(path, changed);
      ASSERT_EQ(gate(trusting()).code(), StatusCode::kEngineGateError) << path << " at " << at;
    }
    test::write(path, whole);
  }
  EXPECT_TRUE(gate(trusting()).ok());
}

TEST_F(GateTest, a_flipped_bit_anywhere_in_a_large_engine_is_refused_and_its_chunk_is_named) {
  const std::size_t size = 2 * EngineManifest::kChunkBytes + 17;
  place(test::packed(2, size, &signer_));
  std::string whole = text_of(packed_.engine);
  for (const std::size_t at : {std::size_t{0}, std::size_t{EngineManifest::kChunkBytes}, size - 1}) {
    whole[at] = static_cast<char>(whole[at] ^ 1);
    test::write(entry_.engine, whole);
    whole[at] = static_cast<char>(whole[at] ^ 1);
    const std::string chunk = std::to_string(at / EngineManifest::kChunkBytes * EngineManifest::kChunkBytes);
    refused(gate(), entry_.engine, "sha256 of the 4 MiB from byte " + chunk + ": found ");
  }
}

TEST_F(GateTest, a_sidecar_that_disagrees_is_refused) {
  const std::string hex = EngineManifest::from_json(packed_.files.manifest, "m").value().sha256;
  test::write(entry_.sha256(), hex);
  EXPECT_TRUE(gate().ok()) << "bare digits";
  test::write(entry_.sha256(), hex + " *" + packed_.files.name + "\n");
  EXPECT_TRUE(gate().ok()) << "binary mode";
  test::write(entry_.sha256(), std::string(64, '0') + "  " + packed_.files.name + "\n");
  refused(gate(), entry_.sha256(), "sidecar's sha256: found 000");
  test::write(entry_.sha256(), hex + "  other.engine\n");
  refused(gate(), entry_.sha256(), "file name: found 'other.engine'");
  test::write(entry_.sha256(), "junk");
  refused(gate(), entry_.sha256(), "no line of sha256sum");
}

// An engine that was good once, under a name or in a place that is not its own.
TEST_F(GateTest, a_replayed_engine_is_refused_under_another_name_stem_or_key) {
  const std::string other_name = "yolo.v9.x86_64_avx2.fp32.engine";
  const EngineEntry renamed{folder_ / other_name};
  fs::rename(entry_.engine, renamed.engine);
  fs::rename(entry_.manifest(), renamed.manifest());
  fs::rename(entry_.golden(), renamed.golden());
  fs::rename(entry_.signature(), renamed.signature());
  test::write(renamed.sha256(), packed_.files.sha256.substr(0, 64) + "  " + other_name + "\n");
  refused(gate_files(renamed, trusting()).status(), renamed.manifest(),
          "name: found 'yolo.v8.x86_64_avx2.fp32.engine', wanted '" + other_name + "'");

  place(test::packed(1, 5000, &signer_));
  GateOptions options = trusting();
  options.stem = "yolo.v9";
  refused(gate(options), entry_.engine, "stem: found 'yolo.v8', wanted 'yolo.v9'");
  options = trusting();
  const EngineKey other = test::packed(2).key;
  options.key = &other;
  refused(gate(options), entry_.manifest(), "(differs in model), wanted " + other.hash());
}

TEST_F(GateTest, a_swapped_golden_file_is_refused) {
  test::write(entry_.golden(), test::packed(2).files.golden);
  refused(gate(trusting()), entry_.golden(), "sha256 of the golden file");
  refused(gate(), entry_.golden(), "sha256 of the golden file");
}

TEST_F(GateTest, a_manifest_that_was_changed_and_made_consistent_is_caught_by_the_signature_alone) {
  edit_manifest([](EngineManifest& m) { m.opt_buffer_bytes = 1; });
  EXPECT_TRUE(gate().ok()) << "without signatures nobody can tell";
  refused(gate(trusting()), entry_.signature(), "was changed");
}

TEST_F(GateTest, another_engine_with_hashes_made_anew_is_caught_by_the_signature_alone) {
  const std::string signature = packed_.files.signature;
  test::Packed evil = packed_;
  evil.engine = test::random_bytes(777, 66);
  EngineManifest m = EngineManifest::from_json(packed_.files.manifest, "m").value();
  evil.files = pack_engine(m, evil.engine, packed_.files.golden, nullptr).value();
  evil.files.signature = signature;
  place(evil);
  EXPECT_TRUE(gate({.key = &packed_.key}).ok()) << "whoever may write the store can do this";
  refused(gate(trusting()), entry_.signature(), "was changed");
  const SigningKey stranger = SigningKey::generate().value();
  test::write(entry_.signature(), stranger.sign(evil.files.manifest).value());
  refused(gate(trusting()), entry_.signature(), "not trusted");
}

TEST_F(GateTest, the_signature_of_another_engine_of_the_same_signer_is_refused) {
  test::write(entry_.signature(), test::packed(2, 5000, &signer_).files.signature);
  refused(gate(trusting()), entry_.signature(), "was changed");
}

// Everything is wrong at once; each repair brings the next step's refusal.
TEST_F(GateTest, the_steps_come_in_their_order) {
  const test::Packed good = packed_;
  test::write(entry_.golden(), "swapped");
  std::string engine = text_of(good.engine);
  engine[0] = static_cast<char>(engine[0] ^ 1);
  test::write(entry_.engine, engine);
  test::write(entry_.sha256(), "junk");
  test::write(entry_.manifest(), "junk");
  ASSERT_EQ(::chmod(entry_.golden().c_str(), 0666), 0);
  refused(gate({.trust = &*trust_, .max_bytes = 10}), entry_.engine, "size");
  refused(gate(trusting()), entry_.golden(), "mode");
  ASSERT_EQ(::chmod(entry_.golden().c_str(), 0644), 0);
  refused(gate(trusting()), entry_.signature(), "was changed");
  refused(gate(), entry_.manifest(), "not valid JSON");
  test::write(entry_.manifest(), good.files.manifest);
  refused(gate(trusting()), entry_.sha256(), "sha256sum");
  test::write(entry_.sha256(), good.files.sha256);
  refused(gate(trusting()), entry_.engine, "4 MiB from byte 0");
  test::write(entry_.engine, text_of(good.engine));
  refused(gate(trusting()), entry_.golden(), "golden");
  test::write(entry_.golden(), good.files.golden);
  EXPECT_TRUE(gate(trusting()).ok());
}

TEST_F(GateTest, engines_in_memory_pass_the_same_gate) {
  const EngineFiles& f = packed_.files;
  GateOptions options = trusting();
  options.key = &packed_.key;
  options.stem = "yolo.v8";
  const auto gated = gate_bytes(packed_.engine, f.manifest, f.golden, f.signature, options);
  ASSERT_TRUE(gated.ok()) << gated.status().to_string();
  EXPECT_EQ(gated->bytes.data(), packed_.engine.data()) << "no copy";
  EXPECT_TRUE(gated->is_signed);
  EXPECT_EQ(gated->golden, f.golden);

  const auto refuses = [&](const Result<GatedEngine>& result, const std::string& message) {
    refused(result.status(), "engine in memory", message);
  };
  std::vector<std::byte> changed = packed_.engine;
  changed[4000] ^= std::byte{1};
  refuses(gate_bytes(changed, f.manifest, f.golden, f.signature), "sha256 of the 4 MiB");
  changed.pop_back();
  refuses(gate_bytes(changed, f.manifest, f.golden, f.signature), "size: found 4999 bytes, wanted 5000");
  refuses(gate_bytes({}, f.manifest, f.golden, f.signature), "size of the engine");
  refuses(gate_bytes(packed_.engine, "", f.golden, f.signature), "size of the manifest");
  refuses(gate_bytes(packed_.engine, f.manifest, "", f.signature), "golden file: found none");
  refuses(gate_bytes(packed_.engine, f.manifest, "other", f.signature), "sha256 of the golden file");
  refuses(gate_bytes(packed_.engine, f.manifest, f.golden, "", options), "signature: found none");
  refuses(gate_bytes(packed_.engine, f.manifest + " ", f.golden, f.signature, options), "was changed");
  refuses(gate_bytes(packed_.engine, f.manifest, f.golden, std::string(5000, 'x')), "size of the signature");
  refuses(gate_bytes(packed_.engine, f.manifest, f.golden, f.signature, {.max_bytes = 10}), "size of the engine");
  options.stem = "other";
  refuses(gate_bytes(packed_.engine, f.manifest, f.golden, f.signature, options), "stem");
}

TEST_F(GateTest, any_number_of_threads_gives_the_same_answer) {
  place(test::packed(3, 3 * EngineManifest::kChunkBytes, &signer_));
  for (const int threads : {-5, 0, 1, 2, 3, 64, 100'000})
    EXPECT_TRUE(gate({.threads = threads}).ok()) << threads;
}

}  // namespace
}  // namespace tern
