// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// calibrate MODEL OUT: calibrates a detector on pictures of its own making (yours would come from a camera), writes the model in
// int8 and says what each of the pictures' tensors may hold.
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "tern/calibration.h"
#include "tern/quantize.h"

namespace {

/// Sixteen pictures of coloured squares.
class Squares final : public tern::CalibrationSource {
 public:
  std::size_t size() const override { return 16; }
  tern::Result<tern::CalibrationFrame> read(std::size_t index) override {
    auto pixels = std::make_shared<std::vector<std::uint8_t>>(kSide * kSide * 3, std::uint8_t{40});
    for (std::size_t i = 0; i < pixels->size(); ++i) {
      const std::size_t x = i / 3 % kSide, y = i / 3 / kSide;
      if ((x / 32 + y / 32 + index) % 3 == 0) (*pixels)[i] = static_cast<std::uint8_t>(60 + 12 * index + 3 * (i % 3));
    }
    const auto view = tern::ImageView::packed(pixels->data(), kSide, kSide, tern::PixelFormat::kBgr);
    return tern::CalibrationFrame{"squares " + std::to_string(index), view, {}, pixels};
  }
  tern::Result<std::string> hash() override { return std::string(64, '1'); }

 private:
  static constexpr int kSide = 320;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return std::fprintf(stderr, "usage: calibrate MODEL OUT\n"), 2;
  const tern::Model model = tern::Model::from_file(argv[1]).value();
  const tern::Contract contract = tern::Contract::resolve(model).value();
  const std::vector<std::string> tensors = tern::calibration_tensors(model).value();
  const auto backend = tern::BackendRegistry::load().find("auto").value();
  Squares pictures;
  const auto statistics = tern::collect_statistics(model, contract, tensors, pictures, *backend).value();
  const auto passport =
      tern::make_passport(model, contract, tensors, pictures.hash().value(), *backend, statistics).value();
  const tern::Model int8 = tern::quantize(model, passport.ranges, {.target = tern::QuantTarget::kOpenVino}).value();
  const auto bytes = int8.self_contained_bytes().value();
  std::ofstream(argv[2], std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  std::printf("%zu tensors calibrated on %zu pictures; %s holds the model in int8\n", passport.ranges.size(),
              pictures.size(), argv[2]);
  return 0;
} catch (const tern::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
