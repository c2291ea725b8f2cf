// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/safetensors.h"

#include <cstring>
#include <filesystem>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace tern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A file around `header`, with `data` behind it.
std::string file_with(const std::string& header, const std::string& data = {}) {
  std::string file;
  for (std::size_t i = 0; i < 8; ++i)
    file += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return file + header + data;
}

/// The message that `bytes` are refused with; the code must be the gate's.
std::string refusal(const std::string& bytes) {
  const auto file = SafeTensors::parse(bytes);
  if (file.ok()) return "taken";
  EXPECT_EQ(file.status().code(), StatusCode::kEngineGateError);
  return file.status().to_string();
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets, std::size_t bytes) {
  return file_with("{\"a\":" + entry(dtype, shape, offsets) + "}", std::string(bytes, '\1'));
}

struct Sample {
  SafeTensors file;
  std::vector<std::vector<std::byte>> data;
};

Sample random_sample(std::mt19937_64& random) {
  Sample sample;
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const std::size_t count = below(6);
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::int64_t> dims(below(Shape::kMaxRank + 1));
    for (std::int64_t& d : dims)
      d = static_cast<std::int64_t>(below(4));
    const Shape shape = Shape::from(dims).value();
    const auto dtype = static_cast<DType>(below(13));
    std::vector<std::byte> bytes(static_cast<std::size_t>(shape.elements().value()) * size_of(dtype));
    for (std::byte& b : bytes)
      b = static_cast<std::byte>(below(dtype == DType::kBool ? 2 : 256));
    sample.data.push_back(std::move(bytes));
    sample.file.tensors.push_back({"tensor \"\\\u00fc" + std::to_string(i), dtype, shape, sample.data.back()});
    if (below(2) == 0) sample.file.metadata["key" + std::to_string(i)] = "value \u20ac";
  }
  return sample;
}

TEST(SafeTensors, what_is_written_is_read_again_bit_for_bit) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    const Sample sample = random_sample(random);
    const std::string bytes = sample.file.to_bytes().value();
    const auto back = SafeTensors::parse(bytes);
    ASSERT_TRUE(back.ok()) << back.status().to_string();
    EXPECT_EQ(back->metadata, sample.file.metadata);
    ASSERT_EQ(back->tensors.size(), sample.file.tensors.size());
    for (std::size_t i = 0; i < sample.file.tensors.size(); ++i) {  // both are sorted by name
      const StoredTensor &found = back->tensors[i], &wanted = sample.file.tensors[i];
      EXPECT_EQ(found.name, wanted.name);
      EXPECT_EQ(found.dtype, wanted.dtype);
      EXPECT_EQ(found.shape, wanted.shape);
      EXPECT_TRUE(std::ranges::equal(found.data, wanted.data));
      const Tensor tensor = found.to_tensor().value();
      EXPECT_EQ(tensor.bytes(), wanted.data.size());
      EXPECT_TRUE(wanted.data.empty() ||
                  std::memcmp(tensor.view().data(), wanted.data.data(), wanted.data.size()) == 0);
    }
    EXPECT_EQ(back->to_bytes().value(), bytes) << "equal content gives equal bytes";
  }
}

TEST(SafeTensors, the_header_is_padded_so_that_data_are_aligned) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 50; ++round) {
    const Sample sample = random_sample(random);
    const std::string bytes = sample.file.to_bytes().value();
    const auto* base = reinterpret_cast<const std::byte*>(bytes.data());
    const SafeTensors file = SafeTensors::parse(bytes).value();
    for (const StoredTensor& tensor : file.tensors) {
      if (tensor.data.empty()) continue;
      EXPECT_EQ(static_cast<std::size_t>(tensor.data.data() - base) % size_of(tensor.dtype), 0U);
    }
  }
}

TEST(SafeTensors, reads_what_the_formats_own_library_wrote) {
  const std::string bytes =
      read_text_file(std::filesystem::path(TERN_SOURCE_DIR) / "tests/data/reference.safetensors", 4096).value();
  const auto file = SafeTensors::parse(bytes);
  ASSERT_TRUE(file.ok()) << file.status().to_string();
  EXPECT_EQ(file->metadata.at("made by"), "safetensors");
  ASSERT_EQ(file->tensors.size(), 5U);
  EXPECT_EQ(file->tensors[0].name, "count");
  EXPECT_EQ(file->tensors[0].shape.rank(), 0U);
  const Tensor count = file->tensors[0].to_tensor().value(), weights = file->tensors[4].to_tensor().value();
  EXPECT_EQ(count.as<std::int64_t>()[0], 7);
  EXPECT_EQ(file->tensors[1].dtype, DType::kBool);
  EXPECT_EQ(file->tensors[2].dtype, DType::kF16);
  EXPECT_EQ(file->tensors[3].shape, (Shape{0, 4}));
  EXPECT_THAT(weights.as<float>(), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(file->tensors[4].shape, (Shape{2, 3}));
}

TEST(SafeTensors, writes_the_bytes_that_the_formats_own_library_writes) {
  const std::string bytes =
      read_text_file(std::filesystem::path(TERN_SOURCE_DIR) / "tests/data/reference.safetensors", 4096).value();
  const std::string again = SafeTensors::parse(bytes)->to_bytes().value();
  // The order of keys within the JSON is free; lengths and data are not.
  ASSERT_EQ(again.size(), bytes.size());
  EXPECT_EQ(again.substr(0, 8), bytes.substr(0, 8));
  const std::size_t data = 8 + static_cast<unsigned char>(bytes[0]) + 256U * static_cast<unsigned char>(bytes[1]);
  EXPECT_EQ(again.substr(data), bytes.substr(data));
}

TEST(SafeTensors, a_file_cut_short_anywhere_is_refused) {
  std::mt19937_64 random(3);
  Sample sample;
  while (sample.data.size() < 4)
    sample = random_sample(random);
  const std::string bytes = sample.file.to_bytes().value();
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(refusal(bytes.substr(0, length)), "taken") << length;
  EXPECT_THAT(refusal(bytes + "x"), HasSubstr("belong to none"));
}

TEST(SafeTensors, no_flipped_byte_is_read_beyond_the_file) {
  std::mt19937_64 random(4);
  Sample sample;
  while (sample.data.size() < 4)
    sample = random_sample(random);
  const std::string bytes = sample.file.to_bytes().value();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const auto file = SafeTensors::parse(changed);
      if (!file.ok()) continue;
      for (const StoredTensor& tensor : file->tensors)
        EXPECT_TRUE(tensor.to_tensor().ok());  // AddressSanitizer watches
    }
  }
}

TEST(SafeTensors, headers_of_wrong_lengths_are_refused) {
  EXPECT_THAT(refusal(""), HasSubstr("header's length"));
  EXPECT_THAT(refusal(std::string(8, '\xff')), HasSubstr("at most 16777216"));
  EXPECT_THAT(refusal(std::string("\x01\x00\x00\x01\x00\x00\x00\x00", 8)), HasSubstr("at most 16777216"));
  EXPECT_THAT(refusal(std::string("\x03\x00\x00\x00\x00\x00\x00\x00{}", 10)), HasSubstr("ends within the header"));
  EXPECT_THAT(refusal(file_with("")), HasSubstr("begin with"));
  EXPECT_THAT(refusal(file_with(" {}")), HasSubstr("begin with"));
  EXPECT_EQ(refusal(file_with("{}  ")), "taken");
}

TEST(SafeTensors, offsets_must_cover_the_data_once) {
  const std::string first = entry("U8", "[2]", "[0,2]");
  const auto two = [&](const std::string& offsets, std::size_t bytes) {
    return refusal(
        file_with("{\"a\":" + first + ",\"b\":" + entry("U8", "[2]", offsets) + "}", std::string(bytes, '\1')));
  };
  EXPECT_EQ(two("[2,4]", 4), "taken");
  EXPECT_THAT(two("[1,3]", 4), HasSubstr("overlap at byte 1"));
  EXPECT_THAT(two("[0,2]", 4), HasSubstr("overlap at byte 0"));
  EXPECT_THAT(two("[3,5]", 5), HasSubstr("leave a hole at byte 3"));
  EXPECT_THAT(two("[2,4]", 5), HasSubstr("1 bytes behind the last tensor"));
  EXPECT_THAT(two("[2,4]", 3), HasSubstr("ends at byte 4 of 3"));
  EXPECT_THAT(two("[4,2]", 4), HasSubstr("no [begin, end]"));
  EXPECT_THAT(two("[2]", 4), HasSubstr("no [begin, end]"));
  EXPECT_THAT(two("[2,3,4]", 4), HasSubstr("no [begin, end]"));
  EXPECT_THAT(two("[-2,4]", 4), HasSubstr("whole number"));
  EXPECT_THAT(two("[2,4.0]", 4), HasSubstr("whole number"));
  EXPECT_THAT(two("[2,18446744073709551615]", 4), HasSubstr("whole number"));
  EXPECT_THAT(two("[2,9223372036854775807]", 4), HasSubstr("ends at byte 9223372036854775807"));
  EXPECT_THAT(two("\"2,4\"", 4), HasSubstr("not a list"));
}

TEST(SafeTensors, sizes_must_be_those_of_shape_and_dtype) {
  EXPECT_EQ(refusal(one("F32", "[2,1]", "[0,8]", 8)), "taken");
  EXPECT_EQ(refusal(one("F32", "[]", "[0,4]", 4)), "taken");
  EXPECT_EQ(refusal(one("F32", "[0,9223372036854775807]", "[0,0]", 0)), "taken");
  EXPECT_THAT(refusal(one("F32", "[2]", "[0,4]", 4)), HasSubstr("needs 8 bytes, but it has 4"));
  EXPECT_THAT(refusal(one("F16", "[2]", "[0,8]", 8)), HasSubstr("needs 4 bytes, but it has 8"));
  EXPECT_THAT(refusal(one("F32", "[4611686018427387904,4]", "[0,0]", 0)), HasSubstr("63 bits"));
  EXPECT_THAT(refusal(one("F64", "[2305843009213693952]", "[0,0]", 0)), HasSubstr("fit 64 bits"));
  EXPECT_THAT(refusal(one("F64", "[1152921504606846976,4]", "[0,0]", 0)), HasSubstr("fit 64 bits"));
  EXPECT_THAT(refusal(one("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]", 1)), HasSubstr("9 dimensions"));
  EXPECT_THAT(refusal(one("U8", "[-1]", "[0,0]", 0)), HasSubstr("whole number"));
  EXPECT_THAT(refusal(one("F8_E4M3", "[1]", "[0,1]", 1)), HasSubstr("'F8_E4M3' is unknown"));
  EXPECT_THAT(refusal(one("f32", "[1]", "[0,4]", 4)), HasSubstr("unknown"));
  EXPECT_EQ(refusal(one("BOOL", "[1]", "[0,1]", 1)), "taken");
  EXPECT_THAT(refusal(file_with("{\"a\":" + entry("BOOL", "[1]", "[0,1]") + "}", "\2")), HasSubstr("neither 0 nor 1"));
}

TEST(SafeTensors, json_is_read_strictly) {
  const std::string a = entry("U8", "[1]", "[0,1]");
  EXPECT_THAT(refusal(file_with("{\"a\":" + a + ",\"a\":" + a + "}", "x")), HasSubstr("twice"));
  EXPECT_THAT(refusal(file_with("{\"a\":1}")), HasSubstr("must be a JSON object"));
  EXPECT_THAT(refusal(file_with(R"({"a":{"dtype":"U8","shape":[0]}})")), HasSubstr("data_offsets"));
  EXPECT_THAT(refusal(file_with(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":1}})")),
              HasSubstr("more"));
  EXPECT_THAT(refusal(file_with(R"({"__metadata__":{"a":1}})")), HasSubstr("must be a string"));
  EXPECT_THAT(refusal(file_with(R"({"__metadata__":"a"})")), HasSubstr("must be a JSON object"));
  EXPECT_THAT(refusal(file_with(R"({"__metadata__":["a"]})")), HasSubstr("must be a JSON object"));
  EXPECT_THAT(refusal(file_with("{} {}")), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal(file_with("{" + std::string(100, '[') + "}")), HasSubstr("JSON"));
}

TEST(SafeTensors, names_are_bounded_plain_text) {
  const auto named = [](const std::string& name) {
    return refusal(file_with("{\"" + name + "\":" + entry("U8", "[0]", "[0,0]") + "}"));
  };
  EXPECT_EQ(named(std::string(SafeTensors::kMaxNameBytes, 'n')), "taken");
  EXPECT_THAT(named(std::string(SafeTensors::kMaxNameBytes + 1, 'n')), HasSubstr("1025 bytes"));
  EXPECT_THAT(named(""), HasSubstr("0 bytes"));
  EXPECT_THAT(named("\\u0007"), HasSubstr("no plain text"));
  EXPECT_THAT(named("\xff"), HasSubstr("not valid JSON"));
}

TEST(SafeTensors, more_tensors_than_allowed_are_refused) {
  std::string header = "{";
  for (std::size_t i = 0; i <= SafeTensors::kMaxTensors; ++i)
    header += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":1";
  EXPECT_THAT(refusal(file_with(header + "}")), HasSubstr("at most 65536"));
}

TEST(SafeTensors, what_could_not_be_read_is_not_written) {
  const std::vector<std::byte> byte(1, std::byte{2});
  const auto refused = [&](StoredTensor tensor) {
    const auto bytes = SafeTensors{{}, {std::move(tensor)}}.to_bytes();
    EXPECT_FALSE(bytes.ok());
    EXPECT_EQ(bytes.status().code(), StatusCode::kInputError);
    return bytes.status().to_string();
  };
  EXPECT_THAT(refused({"a", DType::kF32, Shape{1}, byte}), HasSubstr("needs 4 bytes, it has 1"));
  EXPECT_THAT(refused({"", DType::kU8, Shape{1}, byte}), HasSubstr("0 bytes"));
  EXPECT_THAT(refused({"\xff", DType::kU8, Shape{1}, byte}), HasSubstr("no plain text"));
  EXPECT_THAT(refused({"__metadata__", DType::kU8, Shape{1}, byte}), HasSubstr("this name"));
  EXPECT_THAT(refused({"a", DType::kBool, Shape{1}, byte}), HasSubstr("neither 0 nor 1"));
  EXPECT_THAT(refused({"a", DType::kU8, Shape{Shape::kDynamic}, byte}), HasSubstr("dynamic"));
  const StoredTensor tensor{"a", DType::kU8, Shape{1}, byte};
  EXPECT_THAT((SafeTensors{{}, {tensor, tensor}}.to_bytes().status().to_string()), HasSubstr("two tensors"));
  EXPECT_THAT((SafeTensors{{{"key", "\xff"}}, {tensor}}.to_bytes().status().to_string()), HasSubstr("not UTF-8"));
}

}  // namespace
}  // namespace tern
