// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/sources.h"

#include <gtest/gtest.h>

#include "save_plan.h"
#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

std::vector<std::string> names_of(const std::vector<Source>& sources) {
  std::vector<std::string> names;
  for (const Source& source : sources)
    names.push_back(source.path.filename().string());
  return names;
}

Result<std::vector<Source>> find(std::vector<std::string> words, bool skip_regions = false) {
  return find_sources(words, skip_regions);
}

TEST(Sources, SortsFoldersAndLeavesOtherFilesOut) {
  const TemporaryFolder folder;
  for (const char* name : {"b.JPG", "a.png", "a-region.png", "notes.txt", "clip.mp4", ".hidden.jpg"})
    folder.write(name, "x");
  std::filesystem::create_directory(folder / "sub.jpg");
  const auto all = find({folder.path().string()});
  ASSERT_TRUE(all.ok()) << all.status().to_string();
  EXPECT_EQ(names_of(*all), (std::vector<std::string>{"a-region.png", "a.png", "b.JPG"}));
  const auto without = find({folder.path().string()}, true);
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(names_of(*without), (std::vector<std::string>{"a.png", "b.JPG"}));
}

TEST(Sources, ExpandsPatternsAndKeepsTheOrderOfWords) {
  const TemporaryFolder folder;
  for (const char* name : {"2.jpg", "1.jpg", "3.mp4", "4.txt"})
    folder.write(name, "x");
  const auto found = find({(folder / "3.mp4").string(), (folder / "*").string()});
  ASSERT_TRUE(found.ok()) << found.status().to_string();
  EXPECT_EQ(names_of(*found), (std::vector<std::string>{"3.mp4", "1.jpg", "2.jpg", "3.mp4"}));
  EXPECT_EQ((*found)[0].kind, Source::Kind::kVideo);
  EXPECT_EQ((*found)[1].kind, Source::Kind::kImage);
}

// A file whose name has pattern letters in it is that file.
TEST(Sources, PrefersFilesToPatterns) {
  const TemporaryFolder folder;
  folder.write("[1].jpg", "x");
  folder.write("1.jpg", "x");
  const auto found = find({(folder / "[1].jpg").string()});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(names_of(*found), (std::vector<std::string>{"[1].jpg"}));
}

TEST(Sources, TellsKindsByContentFirst) {
  const TemporaryFolder folder;
  const std::string png("\x89PNG\r\n\x1A\n more");
  const auto found = find({folder.write("picture.mp4", png).string(), folder.write("thing", "x").string()});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)[0].kind, Source::Kind::kImage);
  EXPECT_EQ((*found)[1].kind, Source::Kind::kVideo);
}

TEST(Sources, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  EXPECT_EQ(find({"-"}).status().code(), StatusCode::kInputError);
  EXPECT_EQ(find({(folder / "none.jpg").string()}).status().code(), StatusCode::kIoError);
  EXPECT_EQ(find({(folder / "*.jpg").string()}).status().code(), StatusCode::kInputError);
  EXPECT_EQ(find({folder.path().string()}).status().code(), StatusCode::kInputError);
}

TEST(SavePlan, NamesFilesAfterTheirSources) {
  const TemporaryFolder folder;
  const std::vector<Source> sources{{"a/1.jpg", Source::Kind::kImage},
                                    {"a/2.png", Source::Kind::kImage},
                                    {"a/3.bmp", Source::Kind::kImage},
                                    {"a/4.mkv", Source::Kind::kVideo}};
  const auto plan = plan_saving(sources, (folder / "out/deep").string(), ".overlay");
  ASSERT_TRUE(plan.ok()) << plan.status().to_string();
  const std::vector<std::filesystem::path> expected{
      folder / "out/deep/1.overlay.jpg", folder / "out/deep/2.overlay.png", folder / "out/deep/3.overlay.jpg",
      folder / "out/deep/4.overlay.mp4"};
  EXPECT_EQ(*plan, expected);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "out/deep"));
}

TEST(SavePlan, TakesAFileForOneSource) {
  const std::vector<Source> image{{"a/1.jpg", Source::Kind::kImage}};
  const std::vector<Source> video{{"a/1.mkv", Source::Kind::kVideo}};
  EXPECT_TRUE(plan_saving(image, "x.png", "").ok());
  EXPECT_TRUE(plan_saving(video, "x.mp4", "").ok());
  EXPECT_EQ(plan_saving(image, "x.mp4", "").status().code(), StatusCode::kConfigError);
  EXPECT_EQ(plan_saving(video, "x.jpg", "").status().code(), StatusCode::kConfigError);
  const std::vector<Source> two{image[0], {"a/2.jpg", Source::Kind::kImage}};
  EXPECT_EQ(plan_saving(two, "x.png", "").status().code(), StatusCode::kConfigError);
}

TEST(SavePlan, NeverOverwritesASourceOrAnotherResult) {
  const TemporaryFolder folder;
  const std::vector<Source> one{{folder.write("1.jpg", "x"), Source::Kind::kImage}};
  EXPECT_EQ(plan_saving(one, folder.path().string(), "").status().code(), StatusCode::kConfigError);
  EXPECT_EQ(plan_saving(one, (folder / "1.jpg").string(), "").status().code(), StatusCode::kConfigError);
  EXPECT_TRUE(plan_saving(one, folder.path().string(), ".overlay").ok());
  const std::vector<Source> same{{"a/1.jpg", Source::Kind::kImage}, {"b/1.jpg", Source::Kind::kImage}};
  EXPECT_EQ(plan_saving(same, (folder / "out").string(), "").status().code(), StatusCode::kConfigError);
}

TEST(SavePlan, SaysWhenTheFolderCannotBeMade) {
  const TemporaryFolder folder;
  folder.write("file", "x");
  const std::vector<Source> one{{"1.jpg", Source::Kind::kImage}};
  EXPECT_EQ(plan_saving(one, (folder / "file/sub").string(), "").status().code(), StatusCode::kIoError);
}

}  // namespace
}  // namespace tern
