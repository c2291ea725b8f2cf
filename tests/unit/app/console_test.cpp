// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "console.h"

#include <gtest/gtest.h>

#include "result_json.h"
#include "stage_stats.h"
#include "text_output.h"
#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

TEST(Console, MakesControlCharactersVisible) {
  EXPECT_EQ(printable("a\x1B[31m\r\x7F\n"), "a\\x1b[31m\\x0d\\x7f\n");
  EXPECT_EQ(printable("stra\xC3\x9F"
                      "e"),
            "stra\xC3\x9F"
            "e");
}

TEST(Table, AlignsNumbersRight) {
  EXPECT_EQ(format_table({{"stage", "ms"}, {"decode", "1.50"}, {"infer", "21.00"}}),
            "stage      ms\n"
            "decode   1.50\n"
            "infer   21.00");
}

TEST(Stats, PercentilesAreMeasuredValues) {
  std::vector<double> samples;
  for (int i = 100; i >= 1; --i)
    samples.push_back(i);
  EXPECT_EQ(percentile(samples, 0.5), 50);
  EXPECT_EQ(percentile(samples, 0.95), 95);
  EXPECT_EQ(percentile(samples, 0.99), 99);
  EXPECT_EQ(percentile(samples, 1), 100);
  EXPECT_EQ(percentile({7}, 0.99), 7);
  EXPECT_EQ(percentile({}, 0.5), 0);
  EXPECT_EQ(mean(samples), 50.5);
}

TEST(ResultJson, SurvivesNamesThatAreNotUtf8) {
  Frame frame;
  frame.source = "a\xFF\"\n.jpg";
  const std::string line = to_line(frame_json(frame, {"openvino", "id", "f32", {}}, {}));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const Json back = Json::parse(line);
  EXPECT_EQ(back["source"].get<std::string>(), "a\xEF\xBF\xBD\"\n.jpg");
  EXPECT_TRUE(back["time_s"].is_null());
}

TEST(ResultJson, SharesAddUpToOne) {
  const Json json = segmentation_json({2, 2, {0, 0, 3, 255}}, std::vector<std::string>{"ground"});
  ASSERT_EQ(json["classes"].size(), 2U);
  EXPECT_EQ(json["classes"][0]["label"], "ground");
  EXPECT_EQ(json["classes"][0]["share"], 0.5);
  EXPECT_EQ(json["classes"][1]["label"], "class3");
  EXPECT_EQ(json["background"], 0.25);
}

TEST(TextOutput, AppearsWithCommitOnly) {
  const TemporaryFolder folder;
  {
    auto output = TextOutput::open((folder / "x.jsonl").string());
    ASSERT_TRUE(output.ok());
    ASSERT_TRUE(output->write_line("{}").ok());
    EXPECT_FALSE(std::filesystem::exists(folder / "x.jsonl"));
  }
  EXPECT_EQ(folder.count(), 0U);
  auto output = TextOutput::open((folder / "x.jsonl").string());
  ASSERT_TRUE(output->write_line("{}").ok());
  ASSERT_TRUE(output->commit().ok());
  EXPECT_EQ(std::filesystem::file_size(folder / "x.jsonl"), 3U);
}

TEST(TextOutput, TellsAFullDisk) {
  auto output = TextOutput::open("/dev/full");
  ASSERT_TRUE(output.ok()) << output.status().to_string();
  const Status status = output->write_line("{}");
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_FALSE(status.hint().empty());
}

TEST(TextOutput, RefusesFolders) {
  EXPECT_EQ(TextOutput::open("/tmp").status().code(), StatusCode::kIoError);
}

}  // namespace
}  // namespace tern
