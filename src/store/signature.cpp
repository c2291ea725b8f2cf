// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/signature.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <map>
#include <optional>
#include <span>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/error.h"
#include "base/sha256.h"
#include "model/text.h"
#include "store/files.h"

namespace tern {
namespace {

constexpr std::string_view kScheme = "tern-engine-v1";
constexpr std::size_t kSignatureBytes = 64, kPublicBytes = 32, kIdDigits = 16, kMaxKeyFile = 64 << 10;

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* object) const noexcept {
    release(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;

/// Text that is wiped when it goes: private keys.
struct Secret {
  std::string text;
  Secret() = default;
  Secret(Secret&& other) noexcept = default;
  Secret& operator=(Secret&&) = delete;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(text.data(), text.size()); }
};

bool is_ed25519(const EVP_PKEY* key) {
  return key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
}

Status crypto_failure(std::string_view what) {
  return make_error(StatusCode::kInternalError, "libcrypto could not {}", what);
}

Result<std::string> id_of(const EVP_PKEY* key) {
  std::array<unsigned char, kPublicBytes> bytes{};
  std::size_t size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) != 1 || size != bytes.size())
    return crypto_failure("read a public key");
  return to_hex(Sha256::of(std::as_bytes(std::span(bytes)))).substr(0, kIdDigits);
}

/// What is signed: the scheme with its zero byte keeps the signature from meaning anything else.
std::string message_of(std::string_view manifest) {
  std::string message(kScheme);
  message += '\0';
  return message.append(manifest);
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string to_base64(std::span<const unsigned char> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a zero byte
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

/// The signature's bytes; none unless `text` is exactly what to_base64() gives for 64 bytes.
std::optional<std::array<unsigned char, kSignatureBytes>> from_base64(std::string_view text) {
  std::array<unsigned char, kSignatureBytes + 2> bytes{};  // "==" stands for two bytes that are cut
  if (text.size() != bytes.size() / 3 * 4) return std::nullopt;
  if (EVP_DecodeBlock(bytes.data(), bytes_of(text), static_cast<int>(text.size())) != static_cast<int>(bytes.size()))
    return std::nullopt;
  std::array<unsigned char, kSignatureBytes> signature{};
  std::copy_n(bytes.begin(), signature.size(), signature.begin());
  if (to_base64(signature) != text) return std::nullopt;
  return signature;
}

/// The passphrase that nobody is asked for: libcrypto would ask on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return -1;
}

Bio reader_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Result<RegularFile> open_key_file(const std::filesystem::path& path) {
  RegularFile file;
  file.path = path;
  file.descriptor = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.descriptor.valid()) return io_error("cannot open the key", path, errno);
  if (::fstat(file.descriptor.get(), &file.info) != 0) return io_error("cannot read the key", path, errno);
  if (!S_ISREG(file.info.st_mode)) return Status(StatusCode::kConfigError, "is no key file").at(path.string());
  if (file.size() > kMaxKeyFile)
    return make_error(StatusCode::kConfigError, "has {} bytes, too many for a key", file.size()).at(path.string());
  return file;
}

Result<Key> read_public_key(const std::filesystem::path& path) {
  TERN_ASSIGN_OR_RETURN(const RegularFile file, open_key_file(path));
  if ((file.info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return make_error(StatusCode::kConfigError, "others may write this key (mode {:o})", file.info.st_mode & 0777U)
        .at(path.string())
        .with_hint("chmod go-w, and look whether it still is your key");
  }
  TERN_ASSIGN_OR_RETURN(const std::string text, read_whole(file, kMaxKeyFile));
  const Bio reader = reader_of(text);
  Key key(PEM_read_bio_PUBKEY(reader.get(), nullptr, no_passphrase, nullptr));
  if (!is_ed25519(key.get())) {
    return Status(StatusCode::kConfigError, "is no Ed25519 public key in PEM form")
        .at(path.string())
        .with_hint("tern keys new writes KEY and KEY.pub; KEY.pub is the public one");
  }
  return key;
}

/// Creates a key file; it must not exist.
Status create_key_file(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.valid()) {
    if (errno == EEXIST) {
      return Status(StatusCode::kConfigError, "exists already; keys are never replaced")
          .at(path.string())
          .with_hint("choose another name, or move the old key away");
    }
    return io_error("cannot create the key", path, errno);
  }
  const ssize_t put = ::write(file.get(), text.data(), text.size());
  if (put != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0) {
    const Status status = io_error("cannot write the key", path, put < 0 ? errno : ENOSPC);
    ::unlink(path.c_str());
    return status;
  }
  return {};
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(std::max(size, 0L))};
}

}  // namespace

struct SigningKey::Rep {
  Key key;
  std::string id;
};

Result<SigningKey> SigningKey::generate() {
  auto rep = std::make_shared<Rep>();
  rep->key = Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!is_ed25519(rep->key.get())) return crypto_failure("make a key");
  TERN_ASSIGN_OR_RETURN(rep->id, id_of(rep->key.get()));
  return SigningKey(std::move(rep));
}

Result<SigningKey> SigningKey::from_file(const std::filesystem::path& path) {
  TERN_ASSIGN_OR_RETURN(const RegularFile file, open_key_file(path));
  if ((file.info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return make_error(StatusCode::kConfigError, "others may read or write this private key (mode {:o})",
                      file.info.st_mode & 0777U)
        .at(path.string())
        .with_hint("chmod 600; if others may have read it, make a new one with tern keys new");
  }
  Secret secret;
  secret.text.resize(static_cast<std::size_t>(file.size()));
  TERN_RETURN_IF_ERROR(read_exactly(file, std::as_writable_bytes(std::span(secret.text))));
  const Bio reader = reader_of(secret.text);
  auto rep = std::make_shared<Rep>();
  rep->key = Key(PEM_read_bio_PrivateKey(reader.get(), nullptr, no_passphrase, nullptr));
  if (!is_ed25519(rep->key.get())) {
    return Status(StatusCode::kConfigError, "is no Ed25519 private key in PEM form without a passphrase")
        .at(path.string())
        .with_hint("make one with tern keys new");
  }
  TERN_ASSIGN_OR_RETURN(rep->id, id_of(rep->key.get()));
  return SigningKey(std::move(rep));
}

Status SigningKey::write(const std::filesystem::path& path) const {
  const Bio private_pem(BIO_new(BIO_s_secmem())), public_pem(BIO_new(BIO_s_mem()));
  if (private_pem == nullptr || public_pem == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(private_pem.get(), rep_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_PUBKEY(public_pem.get(), rep_->key.get()) != 1)
    return crypto_failure("write a key");
  const std::filesystem::path public_path = path.string() + ".pub";
  Secret secret;
  secret.text = text_of(private_pem.get());
  TERN_RETURN_IF_ERROR(create_key_file(path, secret.text, 0600));
  const Status status = create_key_file(public_path, text_of(public_pem.get()), 0644);
  if (!status.ok()) ::unlink(path.c_str());
  return status;
}

Result<std::string> SigningKey::sign(std::string_view manifest) const {
  const std::string message = message_of(manifest);
  std::array<unsigned char, kSignatureBytes> signature{};
  std::size_t size = signature.size();
  const DigestContext context(EVP_MD_CTX_new());
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, rep_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes_of(message), message.size()) != 1 ||
      size != signature.size())
    return crypto_failure("sign");
  return fmt::format("{} {} {}\n", kScheme, rep_->id, to_base64(signature));
}

const std::string& SigningKey::id() const noexcept {
  return rep_->id;
}

struct TrustStore::Rep {
  std::map<std::string, Key, std::less<>> keys;
};

Result<TrustStore> TrustStore::from_path(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return io_error("cannot read the trusted keys", path, errno)
        .with_hint("trust.keys names a folder of *.pub, or one file");
  }
  std::vector<std::filesystem::path> files;
  if (S_ISDIR(info.st_mode)) {
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
      return make_error(StatusCode::kConfigError, "others may put keys into this folder (mode {:o})",
                        info.st_mode & 0777U)
          .at(path.string())
          .with_hint("chmod go-w, and look whether its keys are yours");
    }
    TERN_ASSIGN_OR_RETURN(const auto names, names_in(path));
    for (const std::string& name : names) {
      if (name.ends_with(".pub") && !name.starts_with('.')) files.push_back(path / name);
    }
    std::ranges::sort(files);
  } else {
    files.push_back(path);
  }
  if (files.empty()) {
    return Status(StatusCode::kConfigError, "holds no public key (*.pub)")
        .at(path.string())
        .with_hint("copy the KEY.pub there that tern keys new wrote");
  }
  auto rep = std::make_shared<Rep>();
  for (const std::filesystem::path& file : files) {
    TERN_ASSIGN_OR_RETURN(Key key, read_public_key(file));
    TERN_ASSIGN_OR_RETURN(std::string id, id_of(key.get()));
    rep->keys.insert_or_assign(std::move(id), std::move(key));
  }
  return TrustStore(std::move(rep));
}

Status TrustStore::verify(std::string_view manifest, std::string_view signature) const {
  const auto malformed = [] {
    return Status(StatusCode::kEngineGateError, "the signature is malformed: no line 'tern-engine-v1 KEY SIGNATURE'")
        .with_hint("the file is damaged: sign the engine again (tern compile --sign KEY)");
  };
  const std::size_t id_at = kScheme.size() + 1, text_at = id_at + kIdDigits + 1;
  if (!signature.starts_with(kScheme) || signature.size() < text_at || signature[id_at - 1] != ' ' ||
      signature[text_at - 1] != ' ' || !signature.ends_with('\n'))
    return malformed();
  const std::string_view id = signature.substr(id_at, kIdDigits);
  const auto bytes = from_base64(signature.substr(text_at, signature.size() - text_at - 1));
  if (!bytes) return malformed();
  const auto found = rep_->keys.find(id);
  if (found == rep_->keys.end()) {
    return make_error(StatusCode::kEngineGateError, "signed by key {}, which is not trusted; trusted: {}",
                      in_quotes(id), fmt::join(ids(), ", "))
        .with_hint("if you trust who signed it, put their KEY.pub into the folder of trusted keys");
  }
  const std::string message = message_of(manifest);
  const DigestContext context(EVP_MD_CTX_new());
  if (context == nullptr || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, found->second.get()) != 1)
    return crypto_failure("verify a signature");
  if (EVP_DigestVerify(context.get(), bytes->data(), bytes->size(), bytes_of(message), message.size()) != 1) {
    return make_error(StatusCode::kEngineGateError,
                      "the signature of key {} is not one of this manifest: one of the two was changed", id)
        .with_hint("do not use the engine; compile and sign it again");
  }
  return {};
}

std::vector<std::string> TrustStore::ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, key] : rep_->keys)
    ids.push_back(id);
  return ids;
}

}  // namespace tern
