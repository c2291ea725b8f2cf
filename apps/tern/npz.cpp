// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "npz.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <zip.h>

#include "base/error.h"
#include "base/file.h"
#include "tensor/npy.h"

namespace tern {
namespace {

constexpr std::uint64_t kMaxEntries = 4096;
// Deflate packs at most 258 bytes into 2 bits, a factor of 1032; an entry that claims more lies about its size.
constexpr std::uint64_t kMaxRatio = 1032;

struct DiscardArchive {
  void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};
struct FreeSource {
  void operator()(zip_source_t* source) const noexcept { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, DiscardArchive>;
using Entry = std::unique_ptr<zip_file_t, CloseEntry>;
using Source = std::unique_ptr<zip_source_t, FreeSource>;

// libzip's error structure, with its message freed.
struct ZipError {
  zip_error_t error{};
  ZipError() { zip_error_init(&error); }
  ~ZipError() { zip_error_fini(&error); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  [[nodiscard]] std::string_view text() { return zip_error_strerror(&error); }
};

Result<std::vector<std::byte>> read_entry(zip_t* archive, const zip_stat_t& info) {
  const Entry entry(zip_fopen_index(archive, info.index, 0));
  if (!entry) return make_error(StatusCode::kInputError, "cannot be unpacked: {}", zip_strerror(archive));
  std::vector<std::byte> bytes(info.size);
  std::size_t size = 0;
  while (size < bytes.size()) {
    const zip_int64_t got = zip_fread(entry.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0) return make_error(StatusCode::kInputError, "cannot be unpacked: {}", zip_file_strerror(entry.get()));
    if (got == 0) return make_error(StatusCode::kInputError, "unpacks to fewer bytes than it says");
    size += static_cast<std::size_t>(got);
  }
  std::byte more{};
  if (const zip_int64_t got = zip_fread(entry.get(), &more, 1); got != 0) {  // also where the checksum is compared
    return make_error(StatusCode::kInputError, "unpacks to other bytes than it says");
  }
  return bytes;
}

Result<NamedTensors> read_npz(std::span<const std::byte> file) {
  ZipError error;
  Source source(zip_source_buffer_create(file.data(), file.size(), 0, &error.error));
  const Archive archive(source ? zip_open_from_source(source.get(), ZIP_RDONLY | ZIP_CHECKCONS, &error.error)
                               : nullptr);
  if (!archive) return make_error(StatusCode::kInputError, "the .npz file is damaged: {}", error.text());
  static_cast<void>(source.release());  // the archive owns it now
  const auto entries = static_cast<std::uint64_t>(zip_get_num_entries(archive.get(), 0));
  if (entries > kMaxEntries) {
    return make_error(StatusCode::kInputError, "the .npz file has {} arrays; the limit is {}", entries, kMaxEntries);
  }
  NamedTensors arrays;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < entries; ++i) {
    zip_stat_t info;
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat_index(archive.get(), i, 0, &info) != 0 || (info.valid & kNeeded) != kNeeded) {
      return make_error(StatusCode::kInputError, "the .npz file is damaged: entry {} has no name or size", i);
    }
    std::string name = info.name;
    if (!name.ends_with(".npy")) {
      return make_error(StatusCode::kInputError, "an .npz file holds .npy files only").at(name);
    }
    total += info.size;
    if (info.size > kMaxArrayBytes || total > kMaxArrayBytes || info.size / kMaxRatio > info.comp_size) {
      return make_error(StatusCode::kInputError, "would unpack from {} to {} bytes", info.comp_size, info.size)
          .at(name);
    }
    Result<std::vector<std::byte>> bytes = read_entry(archive.get(), info);
    if (!bytes.ok()) return bytes.status().at(name);
    Result<Tensor> tensor = parse_npy(*bytes);
    if (!tensor.ok()) return tensor.status().at(name);
    name.resize(name.size() - 4);
    if (!arrays.emplace(name, std::move(*tensor)).second) {
      return make_error(StatusCode::kInputError, "the .npz file has two arrays named '{}'", name);
    }
  }
  return arrays;
}

// The archive is made in memory: libzip would otherwise write and rename files of its own.
Result<std::vector<std::byte>> to_npz(const NamedTensors& arrays) {
  ZipError error;
  const auto failed = [&] {
    return make_error(StatusCode::kInternalError, "the .npz file cannot be made: {}", error.text());
  };
  Source target(zip_source_buffer_create(nullptr, 0, 0, &error.error));
  if (!target) return failed();
  zip_source_keep(target.get());              // still ours when the archive is closed
  std::vector<std::vector<std::byte>> files;  // must outlive zip_close
  files.reserve(arrays.size());
  Archive archive(zip_open_from_source(target.get(), ZIP_TRUNCATE, &error.error));
  if (!archive) {
    zip_source_free(target.get());
    return failed();
  }
  for (const auto& [name, tensor] : arrays) {
    TERN_ASSIGN_OR_RETURN(std::vector<std::byte> bytes, to_npy(tensor.view()));
    files.push_back(std::move(bytes));
    Source entry(zip_source_buffer(archive.get(), files.back().data(), files.back().size(), 0));
    const zip_int64_t index =
        entry ? zip_file_add(archive.get(), (name + ".npy").c_str(), entry.get(), ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
      return make_error(StatusCode::kInternalError, "the .npz file cannot be made: {}", zip_strerror(archive.get()));
    }
    static_cast<void>(entry.release());
    zip_set_file_compression(archive.get(), static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);  // as numpy.savez does
  }
  if (zip_close(archive.get()) != 0) {
    return make_error(StatusCode::kInternalError, "the .npz file cannot be made: {}", zip_strerror(archive.get()));
  }
  static_cast<void>(archive.release());
  zip_stat_t info;
  if (zip_source_stat(target.get(), &info) != 0 || zip_source_open(target.get()) != 0) return failed();
  std::vector<std::byte> bytes(info.size);
  const zip_int64_t got = zip_source_read(target.get(), bytes.data(), bytes.size());
  zip_source_close(target.get());
  if (got < 0 || static_cast<std::size_t>(got) != bytes.size()) return failed();
  return bytes;
}

}  // namespace

Result<NamedTensors> read_arrays(const std::filesystem::path& path) {
  TERN_ASSIGN_OR_RETURN(const std::vector<std::byte> file, read_file(path, kMaxArrayBytes));
  const bool is_zip = file.size() >= 4 && file[0] == std::byte{'P'} && file[1] == std::byte{'K'};
  if (is_zip) {
    Result<NamedTensors> arrays = read_npz(file);
    return arrays.ok() ? std::move(arrays) : Result<NamedTensors>(arrays.status().at(path.string()));
  }
  Result<Tensor> tensor = parse_npy(file);
  if (!tensor.ok()) return tensor.status().at(path.string());
  NamedTensors arrays;
  arrays.emplace("", std::move(*tensor));
  return arrays;
}

Status write_arrays(const std::filesystem::path& path, const NamedTensors& arrays) {
  if (path.extension() == ".npz") {
    TERN_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, to_npz(arrays));
    return write_file(path, bytes);
  }
  if (arrays.size() != 1) {
    return make_error(StatusCode::kConfigError, "{} arrays do not fit one .npy file", arrays.size())
        .at(path.string())
        .with_hint("write an .npz file");
  }
  TERN_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, to_npy(arrays.begin()->second.view()));
  return write_file(path, bytes);
}

}  // namespace tern
