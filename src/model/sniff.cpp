// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/sniff.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tern {
namespace {

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  FileGuess guess;
};

using namespace std::string_view_literals;
constexpr std::string_view kExport = "export the model to ONNX first";
constexpr std::string_view kDownload = "download the file itself; what was saved is a web page";

constexpr std::array kMagics{
    Magic{0, "ftrt"sv, {"a TensorRT engine", "give tern the ONNX file that the engine was built from"}},
    Magic{0, "ptrt"sv, {"a TensorRT engine", "give tern the ONNX file that the engine was built from"}},
    Magic{0, "PK\x03\x04"sv, {"a ZIP archive (a PyTorch .pt file is one)", "export the model with torch.onnx.export"}},
    Magic{0, "\x80\x02"sv, {"a Python pickle (an old PyTorch file)", "export the model with torch.onnx.export"}},
    Magic{0, "version https://git-lfs"sv, {"a Git LFS pointer", "run `git lfs pull` to fetch the file itself"}},
    Magic{0, "\x1f\x8b"sv, {"gzip data", "unpack it first"}},
    Magic{0, "\x28\xb5\x2f\xfd"sv, {"zstd data", "unpack it first"}},
    Magic{0, "\x89HDF"sv, {"an HDF5 file (Keras)", kExport}},
    Magic{4, "TFL3"sv, {"a TensorFlow Lite model", kExport}},
    Magic{4, "ORTM"sv, {"an ORT-format model", "give tern the ONNX file that it was made from"}},
    Magic{0, "GGUF"sv, {"a GGUF model", kExport}},
    Magic{0, "\177ELF"sv, {"a program or shared library", ""}},
    Magic{0, "\x89PNG"sv, {"a PNG image", ""}},
    Magic{0, "\xff\xd8\xff"sv, {"a JPEG image", ""}},
    Magic{257, "ustar"sv, {"a tar archive", "unpack it first"}},
    Magic{8, "{\""sv, {"a safetensors file", kExport}},
};

bool starts_with_ignoring_case(std::string_view text, std::string_view lower_prefix) noexcept {
  return text.size() >= lower_prefix.size() &&
         std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(),
                    [](char want, char is) { return std::tolower(static_cast<unsigned char>(is)) == want; });
}

bool is_text(std::string_view head) noexcept {
  return std::ranges::all_of(head, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte < 0x7F) || byte == '\n' || byte == '\r' || byte == '\t';
  });
}

}  // namespace

FileGuess guess_file_kind(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return {"empty", "was the export or the download interrupted?"};
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 512));
  for (const Magic& magic : kMagics) {
    if (head.size() > magic.offset && head.substr(magic.offset).starts_with(magic.bytes)) return magic.guess;
  }
  std::string_view text = head.starts_with("\xEF\xBB\xBF") ? head.substr(3) : head;
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  if (starts_with_ignoring_case(text, "<!doctype html") || starts_with_ignoring_case(text, "<html")) {
    return {"an HTML page", kDownload};
  }
  if (text.starts_with("<?xml")) return {"XML (an OpenVINO IR?)", "give tern the ONNX file that it was made from"};
  if (is_text(head)) {
    if (text.starts_with('{') || text.starts_with('[')) return {"JSON text", ""};
    if (head.size() >= 16) return {"plain text", ""};
  }
  if (std::ranges::all_of(head, [](char c) { return c == '\0'; })) {
    return {"all zeros", "was the download or the copy interrupted?"};
  }
  return {};
}

}  // namespace tern
