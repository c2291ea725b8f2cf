// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "onnx_builder.h"
#include "tern/calib_cache.h"
#include "tern/passport.h"
#include "tern/quantize.h"

namespace tern::test {

/// Three convolutions of 16 channels over 32 x 32, with weights that keep values of 0..1 within about 0..2.
inline Model convolutions() {
  OnnxBuilder b;
  b.weights("w0", {16, 3, 3, 3}, 0.04F).weights("w1", {16, 16, 3, 3}, 0.007F).weights("w2", {16, 16, 3, 3}, 0.007F);
  b.input("x", {1, 3, 32, 32});
  b.node("Conv", {"x", "w0"}, {"a"}, "first").node("Relu", {"a"}, {"a_relu"});
  b.node("Conv", {"a_relu", "w1"}, {"b"}, "second").node("Relu", {"b"}, {"b_relu"});
  b.node("Conv", {"b_relu", "w2"}, {"y"}, "third").output("y", {1, 16, 26, 26});
  return Model::from_bytes(b.bytes(), "convolutions").value();
}

/// A trusted calibration of convolutions() in a folder of its own: the passport, and the cache of TensorRT 8.6.1 beside it.
class CalibrationFolder {
 public:
  CalibrationFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tern-calibration-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    files_ = {folder_ / "convolutions.calib.json", folder_ / "convolutions.calib_cache"};
  }
  ~CalibrationFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  CalibrationFolder(const CalibrationFolder&) = delete;
  CalibrationFolder& operator=(const CalibrationFolder&) = delete;

  /// Every tensor that int8 wants a range for gets 2, but the first `without` of them.
  void write(const Model& model, std::size_t without = 0) const {
    const QuantizationPlan plan = plan_quantization(model).value();
    CalibrationPassport passport;
    passport.model_name = model.stem();
    passport.model_hash = model.content_hash();
    passport.method = "imported";
    passport.imported_sha256 = std::string(64, 'a');
    passport.wanted = plan.tensors.size();
    for (std::size_t i = without; i < plan.tensors.size(); ++i)
      passport.ranges[plan.tensors[i]] = 2.0F;
    passport.covered = passport.ranges.size();
    const Status stored = store_calibration(files_, passport, parse_tensorrt_version("8.6.1").value());
    if (!stored.ok()) std::fprintf(stderr, "%s\n", stored.to_string().c_str()), std::abort();
  }
  [[nodiscard]] std::string passport() const { return files_.passport.string(); }
  [[nodiscard]] std::string cache() const { return files_.cache.string(); }
  [[nodiscard]] static std::string text_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::filesystem::path folder_;
  CalibrationFiles files_;
};

}  // namespace tern::test
