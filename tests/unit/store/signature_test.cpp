// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/signature.h"

#include <random>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "unit/app/temporary_folder.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::UnorderedElementsAre;

const std::string kManifest = "{\n \"a\": 1\n}\n";

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777U;
}

/// A key of another kind, as PEM.
std::string pem_of(const char* kind, bool is_public) {
  EVP_PKEY* key = std::string_view(kind) == "EC" ? EVP_PKEY_Q_keygen(nullptr, nullptr, kind, "P-256")
                                                 : EVP_PKEY_Q_keygen(nullptr, nullptr, kind);
  BIO* bio = BIO_new(BIO_s_mem());
  if (is_public) {
    PEM_write_bio_PUBKEY(bio, key);
  } else {
    PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free_all(bio);
  EVP_PKEY_free(key);
  return text;
}

class SignatureTest : public ::testing::Test {
 protected:
  /// A key written to NAME and NAME.pub.
  SigningKey key(const std::string& name) {
    SigningKey key = SigningKey::generate().value();
    EXPECT_TRUE(key.write(folder_ / name).ok());
    return key;
  }
  TrustStore trusted(const std::string& name) { return TrustStore::from_path(folder_ / (name + ".pub")).value(); }

  TemporaryFolder folder_;
};

TEST_F(SignatureTest, a_signature_verifies_with_the_keys_public_half) {
  const SigningKey signer = key("a");
  const std::string signature = signer.sign(kManifest).value();
  EXPECT_THAT(signature, MatchesRegex("tern-engine-v1 [0-9a-f]{16} [A-Za-z0-9+/]{86}==\n"));
  EXPECT_TRUE(trusted("a").verify(kManifest, signature).ok());
  EXPECT_THAT(trusted("a").ids(), ElementsAre(signer.id()));
}

TEST_F(SignatureTest, a_key_read_from_its_file_signs_the_same) {
  const SigningKey signer = key("a");
  const SigningKey again = SigningKey::from_file(folder_ / "a").value();
  EXPECT_EQ(again.id(), signer.id());
  EXPECT_EQ(again.sign(kManifest).value(), signer.sign(kManifest).value());
  EXPECT_EQ(mode_of(folder_ / "a"), 0600U);
}

TEST_F(SignatureTest, the_id_is_that_of_the_public_keys_bytes) {
  const SigningKey signer = key("a");
  BIO* bio = BIO_new_file((folder_ / "a.pub").c_str(), "r");
  EVP_PKEY* pub = PEM_read_bio_PUBKEY(bio, nullptr, nullptr, nullptr);
  ASSERT_NE(pub, nullptr);
  std::array<unsigned char, 32> bytes{};
  std::size_t size = bytes.size();
  ASSERT_EQ(EVP_PKEY_get_raw_public_key(pub, bytes.data(), &size), 1);
  EXPECT_EQ(signer.id(), to_hex(Sha256::of(std::as_bytes(std::span(bytes)))).substr(0, 16));
  EVP_PKEY_free(pub);
  BIO_free_all(bio);
}

TEST_F(SignatureTest, the_message_begins_with_the_scheme_and_a_zero_byte) {
  const std::string signature = key("a").sign(kManifest).value();
  std::array<unsigned char, 66> bytes{};
  ASSERT_EQ(EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(signature.data()) + 32, 88), 66);
  BIO* bio = BIO_new_file((folder_ / "a.pub").c_str(), "r");
  EVP_PKEY* pub = PEM_read_bio_PUBKEY(bio, nullptr, nullptr, nullptr);
  const auto verifies = [&](const std::string& message) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, pub);
    const int ok = EVP_DigestVerify(context, bytes.data(), 64, reinterpret_cast<const unsigned char*>(message.data()),
                                    message.size());
    EVP_MD_CTX_free(context);
    return ok == 1;
  };
  EXPECT_TRUE(verifies(std::string("tern-engine-v1\0", 15) + kManifest));
  EXPECT_FALSE(verifies(kManifest));
  EVP_PKEY_free(pub);
  BIO_free_all(bio);
}

TEST_F(SignatureTest, every_flipped_bit_of_manifest_or_signature_is_refused) {
  const SigningKey signer = key("a");
  const TrustStore trust = trusted("a");
  const std::string signature = signer.sign(kManifest).value();
  for (std::size_t bit = 0; bit < kManifest.size() * 8; ++bit) {
    std::string changed = kManifest;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const Status status = trust.verify(changed, signature);
    ASSERT_EQ(status.code(), StatusCode::kEngineGateError) << bit;
    ASSERT_THAT(status.message(), HasSubstr("was changed"));
  }
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    std::string changed = signature;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(trust.verify(kManifest, changed).code(), StatusCode::kEngineGateError) << bit;
  }
}

TEST_F(SignatureTest, malformed_signatures_are_refused) {
  const TrustStore trust = (key("a"), trusted("a"));
  const std::string good = SigningKey::from_file(folder_ / "a").value().sign(kManifest).value();
  for (std::size_t length = 0; length < good.size(); ++length)
    ASSERT_EQ(trust.verify(kManifest, good.substr(0, length)).code(), StatusCode::kEngineGateError) << length;
  for (const std::string& bad : {good + "\n", good + good, " " + good, std::string(4096, 'A'), "\n" + good,
                                 good.substr(0, good.size() - 1) + " \n", std::string(200, '\0')})
    EXPECT_THAT(trust.verify(kManifest, bad).message(), HasSubstr("malformed"));
}

TEST_F(SignatureTest, another_key_is_refused_and_both_are_named) {
  const SigningKey stranger = key("stranger"), friendly = key("friend");
  const Status status = trusted("friend").verify(kManifest, stranger.sign(kManifest).value());
  EXPECT_EQ(status.code(), StatusCode::kEngineGateError);
  EXPECT_THAT(status.message(), HasSubstr(stranger.id()));
  EXPECT_THAT(status.message(), HasSubstr(friendly.id()));
}

TEST_F(SignatureTest, a_signature_under_a_trusted_keys_name_is_refused) {
  const SigningKey stranger = key("stranger"), friendly = key("friend");
  std::string forged = stranger.sign(kManifest).value();
  forged.replace(forged.find(stranger.id()), 16, friendly.id());
  EXPECT_THAT(trusted("friend").verify(kManifest, forged).message(), HasSubstr("was changed"));
}

TEST_F(SignatureTest, a_folder_of_keys_trusts_each_of_them_and_nothing_else_in_it) {
  const SigningKey a = key("a"), b = key("b");
  folder_.write("notes.txt", "no key");
  folder_.write(".hidden.pub", "no key");
  const TrustStore trust = TrustStore::from_path(folder_.path()).value();
  EXPECT_THAT(trust.ids(), UnorderedElementsAre(a.id(), b.id()));
  EXPECT_TRUE(trust.verify(kManifest, a.sign(kManifest).value()).ok());
  EXPECT_TRUE(trust.verify(kManifest, b.sign(kManifest).value()).ok());
}

TEST_F(SignatureTest, trust_that_is_empty_broken_or_open_to_others_is_a_config_error) {
  const auto refused = [&](const std::filesystem::path& path, const std::string& why) {
    const Status status = TrustStore::from_path(path).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << path;
    EXPECT_THAT(status.to_string(), HasSubstr(why));
    EXPECT_FALSE(status.hint().empty());
  };
  refused(folder_.path(), "holds no public key");
  folder_.write("junk.pub", "junk");
  refused(folder_.path(), "junk.pub: is no Ed25519 public key");
  folder_.write("junk.pub", pem_of("EC", true));
  refused(folder_.path(), "is no Ed25519 public key");
  folder_.write("junk.pub", pem_of("X25519", true));
  refused(folder_.path(), "is no Ed25519 public key");
  std::filesystem::remove(folder_ / "junk.pub");
  key("a");
  refused(folder_ / "a", "is no Ed25519 public key");
  EXPECT_EQ(TrustStore::from_path(folder_ / "none").status().code(), StatusCode::kIoError);
  ::chmod((folder_ / "a.pub").c_str(), 0664);
  refused(folder_.path(), "others may write this key");
  ::chmod((folder_ / "a.pub").c_str(), 0644);
  ::chmod(folder_.path().c_str(), 0777);
  refused(folder_.path(), "others may put keys");
}

TEST_F(SignatureTest, a_private_key_that_others_may_read_is_refused) {
  key("a");
  for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
    ::chmod((folder_ / "a").c_str(), mode);
    const Status status = SigningKey::from_file(folder_ / "a").status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << mode;
    EXPECT_THAT(status.hint(), HasSubstr("chmod 600"));
  }
  ::chmod((folder_ / "a").c_str(), 0400);
  EXPECT_TRUE(SigningKey::from_file(folder_ / "a").ok());
}

TEST_F(SignatureTest, files_that_are_no_private_key_are_refused) {
  const auto refused = [&](const std::string& text) {
    ::chmod(folder_.write("k", text).c_str(), 0600);
    const Status status = SigningKey::from_file(folder_ / "k").status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << text.substr(0, 40);
  };
  refused("");
  refused("junk");
  refused(pem_of("EC", false));
  refused(pem_of("X25519", false));
  refused(pem_of("ED25519", true));
  refused(std::string(1 << 20, 'x'));
  // Encrypted: nobody may be asked for a passphrase.
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  BIO* bio = BIO_new(BIO_s_mem());
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "pass", 4, nullptr, nullptr), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  refused(std::string(data, static_cast<std::size_t>(size)));
  BIO_free_all(bio);
  EVP_PKEY_free(key);
  EXPECT_EQ(SigningKey::from_file(folder_ / "nobody").status().code(), StatusCode::kIoError);
  EXPECT_EQ(SigningKey::from_file(folder_.path()).status().code(), StatusCode::kConfigError);
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(SigningKey::from_file(folder_ / "fifo").status().code(), StatusCode::kConfigError);
}

TEST_F(SignatureTest, keys_are_never_replaced) {
  const SigningKey old = key("a");
  const std::string text = test::read(folder_ / "a"), pub = test::read(folder_ / "a.pub");
  EXPECT_EQ(SigningKey::generate().value().write(folder_ / "a").code(), StatusCode::kConfigError);
  std::filesystem::remove(folder_ / "a");
  EXPECT_EQ(SigningKey::generate().value().write(folder_ / "a").code(), StatusCode::kConfigError) << "a.pub is there";
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a")) << "half a pair must not stay";
  EXPECT_EQ(test::read(folder_ / "a.pub"), pub);
  EXPECT_EQ(SigningKey::generate().value().write(folder_ / "no" / "a").code(), StatusCode::kIoError);
}

}  // namespace
}  // namespace tern
