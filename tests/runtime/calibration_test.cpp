// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Statistics collected on the real backend, and builds that use a calibration.
#include "tern/calibration.h"

#include <cmath>
#include <random>

#include "runtime_fixture.h"
#include "tern/quantize.h"

namespace tern::testing {
namespace {

using ::testing::HasSubstr;

/// Pictures of noise, each of a size and brightness of its own, with a mask.
class NoisePictures final : public CalibrationSource {
 public:
  explicit NoisePictures(std::size_t count, std::uint32_t seed = 1) {
    std::mt19937 random(seed);
    for (std::size_t i = 0; i < count; ++i) {
      Picture& p = pictures_.emplace_back();
      p.width = 40 + static_cast<int>(random() % 60);
      p.height = 40 + static_cast<int>(random() % 60);
      const auto most = 64 + random() % 192;
      p.pixels.resize(static_cast<std::size_t>(p.width * p.height * 3));
      for (std::uint8_t& v : p.pixels)
        v = static_cast<std::uint8_t>(random() % most);
      p.mask.resize(static_cast<std::size_t>(p.width * p.height), 0);
      std::fill(p.mask.begin(), p.mask.begin() + static_cast<std::ptrdiff_t>(p.mask.size() / 2), 255);
    }
  }
  std::size_t size() const override { return pictures_.size(); }
  Result<CalibrationFrame> read(std::size_t index) override {
    if (++reads == stop_after) stop.request_stop();
    const Picture& p = pictures_[order.empty() ? index : order[index]];
    CalibrationFrame frame{"picture " + std::to_string(index),
                           ImageView::packed(p.pixels.data(), p.width, p.height, PixelFormat::kBgr)};
    if (with_masks) frame.region = ImageView::packed(p.mask.data(), p.width, p.height, PixelFormat::kGray);
    return frame;
  }
  Result<std::string> hash() override { return std::string(64, 'd'); }
  void fill(std::uint8_t value) {
    for (Picture& p : pictures_)
      std::ranges::fill(p.pixels, value), std::ranges::fill(p.mask, value);
  }

  std::vector<std::size_t> order;
  bool with_masks = true;
  std::atomic<int> reads = 0;
  int stop_after = -1;
  std::stop_source stop;

 private:
  struct Picture {
    int width = 0, height = 0;
    std::vector<std::uint8_t> pixels, mask;
  };
  std::vector<Picture> pictures_;
};

/// The demo classifier: small, and a real network.
class CalibrationTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    collector_ = BackendRegistry::load().find("openvino").value();
    fs::copy_file(demo_model("overhead-obstruction"), model_file_ = folder_ / "m.onnx");
    model_ = Model::from_file(model_file_).value();
    contract_ = Contract::resolve(*model_).value();
    tensors_ = calibration_tensors(*model_).value();
  }
  Result<ActivationStatistics> collect(CalibrationSource& pictures, const CollectOptions& options = {}) {
    return collect_statistics(*model_, *contract_, tensors_, pictures, *collector_, options);
  }
  /// Calibrates on noise and leaves the passport beside the model.
  CalibrationPassport calibrate_beside() {
    NoisePictures pictures(4);
    const auto passport = make_passport(*model_, *contract_, tensors_, std::string(64, 'd'), *collector_,
                                        collect(pictures).value(), {.method = CalibrationMethod::kMax})
                              .value();
    EXPECT_TRUE(store_calibration(CalibrationFiles::beside(model_file_), passport).ok());
    return passport;
  }

  std::shared_ptr<Backend> collector_;
  fs::path model_file_;
  std::optional<Model> model_;
  std::optional<Contract> contract_;
  std::vector<std::string> tensors_;
};

TEST_F(CalibrationTest, EveryTensorThatAnyTargetNeedsIsSeen) {
  NoisePictures pictures(3);
  const auto statistics = collect(pictures);
  ASSERT_TRUE(statistics.ok()) << statistics.status().to_string();
  EXPECT_EQ(statistics->frames, 3U);
  EXPECT_EQ(pictures.reads, 6) << "two passes";
  for (const QuantTarget target : {QuantTarget::kTensorRt, QuantTarget::kOpenVino, QuantTarget::kOnnxRuntime}) {
    for (const std::string& tensor : plan_quantization(*model_, {.target = target}).value().tensors) {
      const auto found = statistics->tensors.find(tensor);
      ASSERT_NE(found, statistics->tensors.end()) << tensor;
      EXPECT_GT(found->second.amax(), 0) << tensor;
      EXPECT_EQ(found->second.bins.size(), TensorStatistics::kBins);
    }
  }
  const TensorStatistics& input = statistics->tensors.at(contract_->input.tensor);
  EXPECT_EQ(input.values, 3U * static_cast<std::uint64_t>(model_->inputs()[0].shape[1] * model_->inputs()[0].shape[2] *
                                                          model_->inputs()[0].shape[3]));
}

TEST_F(CalibrationTest, AnyOrderAndNumberOfWorkersGivesTheSameBits) {
  NoisePictures pictures(5);
  const std::string expected = collect(pictures, {.workers = 1}).value().to_bytes().value();
  pictures.order = {3, 0, 4, 1, 2};
  for (const int workers : {1, 3})
    EXPECT_EQ(collect(pictures, {.workers = workers}).value().to_bytes().value(), expected) << workers;
}

TEST_F(CalibrationTest, GroupsOfTensorsSeeWhatOneRunSees) {
  NoisePictures pictures(2);
  const ActivationStatistics whole = collect(pictures).value();
  const int reads_of_one_group = pictures.reads.exchange(0);
  const ActivationStatistics grouped = collect(pictures, {.activation_bytes = 4'000'000}).value();
  EXPECT_GT(pictures.reads, 2 * reads_of_one_group);
  ASSERT_EQ(grouped.tensors.size(), whole.tensors.size());
  EXPECT_EQ(grouped.frames, whole.frames);
  for (const auto& [name, tensor] : whole.tensors) {
    const TensorStatistics& other = grouped.tensors.at(name);
    EXPECT_EQ(other.values, tensor.values) << name;
    EXPECT_NEAR(other.amax(), tensor.amax(), 1e-4 * tensor.amax()) << name;
  }
}

TEST_F(CalibrationTest, GoesOnAfterAnInterruptionToTheSameBits) {
  NoisePictures pictures(10);
  const std::string expected = collect(pictures, {.workers = 1}).value().to_bytes().value();
  CollectOptions options{.workers = 1, .partial_file = folder_ / "part", .logger = logger_};
  for (const int stop_after : {9, 11}) {
    NoisePictures interrupted(10);
    interrupted.stop_after = stop_after;
    options.stop = interrupted.stop.get_token();
    EXPECT_EQ(collect(interrupted, options).status().code(), StatusCode::kCancelled) << stop_after;
    ASSERT_TRUE(fs::exists(folder_ / "part"));
  }
  pictures.reads = 0;
  options.stop = {};
  EXPECT_EQ(collect(pictures, options).value().to_bytes().value(), expected);
  EXPECT_EQ(pictures.reads, 2) << "what was seen is not seen again";
  EXPECT_THAT(logger_->text(), HasSubstr("going on after"));
  EXPECT_FALSE(fs::exists(folder_ / "part"));
}

TEST_F(CalibrationTest, APartialFileOfAnotherRunOrADamagedOneIsNotUsed) {
  NoisePictures pictures(10);
  pictures.stop_after = 9;
  CollectOptions options{
      .workers = 1, .partial_file = folder_ / "part", .stop = pictures.stop.get_token(), .logger = logger_};
  ASSERT_FALSE(collect(pictures, options).ok());
  const std::string kept = text_of(folder_ / "part");
  for (const std::string& bad : {kept.substr(0, kept.size() - 1), std::string("junk"), std::string()}) {
    write_text(folder_ / "part", bad);
    NoisePictures again(10);
    options.stop = {};
    EXPECT_EQ(collect(again, options).status().code(), StatusCode::kCalibrationCacheError);
    EXPECT_EQ(text_of(folder_ / "part"), bad) << "and is left alone";
  }
  write_text(folder_ / "part", kept);
  tensors_.pop_back();  // another run
  NoisePictures again(10);
  EXPECT_TRUE(collect(again, options).ok());
  EXPECT_THAT(logger_->text(), HasSubstr("begins anew"));
}

TEST_F(CalibrationTest, PicturesThatCalibrateNothingAreRefused) {
  NoisePictures pictures(3);
  pictures.fill(0);
  EXPECT_THAT(collect(pictures).status().to_string(), HasSubstr("each of the 3 pictures is of one colour"));
  NoisePictures none(0);
  EXPECT_EQ(collect(none).status().code(), StatusCode::kCalibrationCacheError);
  NoisePictures bare(2);
  bare.with_masks = false;
  const Status status = collect(bare).status();
  EXPECT_EQ(status.code(), StatusCode::kInputError);
  EXPECT_THAT(status.to_string(), HasSubstr("picture "));
  EXPECT_THAT(status.to_string(), HasSubstr("region mask"));
}

TEST_F(CalibrationTest, ANanIsToldWithPictureAndTensor) {
  model_ = Model::from_file(tiny_model("nan_when_black")).value();
  const Contract contract = Contract::resolve(*model_, {}, {}).value();
  NoisePictures pictures(2);
  pictures.with_masks = false;
  pictures.fill(0);
  const std::vector<std::string> tensors{model_->outputs()[0].name};
  const Status status = collect_statistics(*model_, contract, tensors, pictures, *collector_).status();
  EXPECT_EQ(status.code(), StatusCode::kInputError);
  EXPECT_THAT(status.to_string(), HasSubstr("picture 0"));
  EXPECT_THAT(status.to_string(), HasSubstr("'" + tensors[0] + "'"));
  EXPECT_THAT(status.to_string(), HasSubstr("nan"));
}

TEST_F(CalibrationTest, ATensorThatTheModelHasNotIsRefused) {
  NoisePictures pictures(1);
  tensors_ = {"no such tensor"};
  EXPECT_THAT(collect(pictures).status().to_string(), HasSubstr("no such tensor"));
}

// ---- builds

TEST_F(CalibrationTest, AutoTakesTheCalibrationBesideTheModelAndItsHashIsInTheKey) {
  InferenceRuntime runtime = this->runtime();
  const CompileOptions compile{.backend = "watched", .contract = &*contract_};
  const EngineKey bare = runtime.key_of(*model_, {}, compile).value();
  EXPECT_EQ(bare.fields.at("calibration"), "none");
  const CalibrationPassport passport = calibrate_beside();
  const EngineKey with = runtime.key_of(*model_, {}, compile).value();
  EXPECT_EQ(with.fields.at("calibration"), passport.hash());
  EXPECT_THAT(bare.differences(with), ::testing::ElementsAre("calibration"));
  EXPECT_EQ(runtime.key_of(*model_, {.precision = Precision::kF32}, compile).value().fields.at("calibration"), "none");

  const auto built = runtime.compile_engine(*model_, {}, compile);
  ASSERT_TRUE(built.ok()) << built.status().to_string();
  EXPECT_EQ(built->key.hash(), with.hash());
  EXPECT_THAT(logger_->text(), HasSubstr("runs in ")) << "auto says what it took, and why";
  EXPECT_TRUE(runtime.compile_engine(*model_, {}, compile).value().was_hit);
}

TEST_F(CalibrationTest, ACalibrationOfAnotherModelIsNeverUsed) {
  CalibrationPassport passport = calibrate_beside();
  passport.model_hash = std::string(64, '0');  // as after training: the tensors' names are the same
  ASSERT_TRUE(store_calibration(CalibrationFiles::beside(model_file_), passport).ok());
  InferenceRuntime runtime = this->runtime();
  const CompileOptions compile{.backend = "watched", .contract = &*contract_};
  EXPECT_EQ(runtime.key_of(*model_, {}, compile).value().fields.at("calibration"), "none");
  EXPECT_THAT(logger_->text(), HasSubstr("is not used: it was made for another model"));
  BuildConfig config;
  config.precision = Precision::kI8;
  EXPECT_EQ(runtime.compile_engine(*model_, config, compile).status().code(), StatusCode::kCalibrationCacheError);
  config.calibration = CalibrationFiles::beside(model_file_).passport;
  EXPECT_EQ(runtime.compile_engine(*model_, config, compile).status().code(), StatusCode::kCalibrationCacheError);
}

TEST_F(CalibrationTest, Int8WithoutACalibrationNamesTheKeyAndTheCure) {
  InferenceRuntime runtime = this->runtime();
  const CompileOptions compile{.backend = "watched", .contract = &*contract_};
  const Status status = runtime.compile_engine(*model_, {.precision = Precision::kI8}, compile).status();
  EXPECT_EQ(status.code(), StatusCode::kConfigError);
  EXPECT_THAT(status.where(), HasSubstr("calibration"));
  EXPECT_THAT(status.hint(), HasSubstr("tern calib run"));
  BuildConfig config;
  config.calibration = "x.txt";
  EXPECT_EQ(runtime.compile_engine(*model_, config, compile).status().code(), StatusCode::kConfigError);
  config.calibration = "missing.calib.json";
  EXPECT_EQ(runtime.compile_engine(*model_, config, compile).status().code(), StatusCode::kCalibrationCacheError);
  calibrate_beside();
  config.calibration = CalibrationFiles::beside(model_file_).passport;
  config.precision = Precision::kF32;
  EXPECT_THAT(runtime.compile_engine(*model_, config, compile).status().to_string(),
              HasSubstr("precision f32 takes no calibration"));
}

}  // namespace
}  // namespace tern::testing
