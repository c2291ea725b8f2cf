// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tensor/npy.h"

#include <cstring>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

namespace tern {
namespace {

// A version 1 or 2 file around the dict `text`, with `data` after it.
std::string file_with(const std::string& text, const std::string& data, char major = 1) {
  std::string file = "\x93NUMPY";
  file += major;
  file += '\0';
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  for (std::size_t i = 0; i < length_bytes; ++i)
    file += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return file + text + data;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST(Npy, RoundTripsEveryDType) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto dtype = static_cast<DType>(i);
    auto tensor = Tensor::create(dtype, {2, 3, 5});
    ASSERT_TRUE(tensor.ok());
    auto raw = std::span(static_cast<std::uint8_t*>(tensor->view().data()), tensor->bytes());
    for (std::size_t k = 0; k < raw.size(); ++k)
      raw[k] = dtype == DType::kBool ? k % 2 : static_cast<std::uint8_t>(k * 37);
    const auto file = to_npy(tensor->view());
    ASSERT_TRUE(file.ok());
    const auto header = parse_npy_header(*file);
    ASSERT_TRUE(header.ok()) << header.status().to_string();
    EXPECT_EQ(header->data_offset % 64, 0U);
    const auto back = parse_npy(*file);
    ASSERT_TRUE(back.ok()) << back.status().to_string();
    EXPECT_EQ(back->dtype(), dtype);
    EXPECT_EQ(back->shape(), tensor->shape());
    EXPECT_EQ(std::memcmp(back->view().data(), tensor->view().data(), tensor->bytes()), 0);
  }
}

TEST(Npy, RoundTripsEveryRank) {
  Shape shape;
  for (std::size_t rank = 0; rank <= Shape::kMaxRank; ++rank) {
    std::vector<std::int64_t> dims(rank, 2);
    shape = *Shape::from(dims);
    auto tensor = Tensor::create(DType::kU8, shape);
    ASSERT_TRUE(tensor.ok());
    std::memset(tensor->view().data(), 7, tensor->bytes());
    const auto back = parse_npy(*to_npy(tensor->view()));
    ASSERT_TRUE(back.ok()) << back.status().to_string();
    EXPECT_EQ(back->shape(), shape);
  }
}

TEST(Npy, WritesWhatNumPyWrites) {
  // numpy.save of numpy.array([1, 2], '<i2'), NumPy 1.26.
  const std::string text = "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }";
  const std::string expected = file_with(text + std::string(118 - text.size() - 1, ' ') + "\n", {"\1\0\2\0", 4});
  std::int16_t values[] = {1, 2};
  const auto file = to_npy(TensorView(values, DType::kI16, {2}));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(file->data()), file->size()), expected);
}

TEST(Npy, PacksStridedViews) {
  std::uint8_t values[] = {1, 2, 3, 4, 5, 6};
  const auto file = to_npy(TensorView(values, DType::kU8, {3, 2}, {1, 3}, Device{}));
  ASSERT_TRUE(file.ok());
  const auto back = parse_npy(*file);
  ASSERT_TRUE(back.ok());
  const std::vector<std::uint8_t> got(back->as<std::uint8_t>().begin(), back->as<std::uint8_t>().end());
  EXPECT_EQ(got, (std::vector<std::uint8_t>{1, 4, 2, 5, 3, 6}));
}

TEST(Npy, TurnsFortranOrder) {
  const std::string file = file_with("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", "\1\4\2\5\3\6");
  const auto tensor = parse_npy(bytes_of(file));
  ASSERT_TRUE(tensor.ok()) << tensor.status().to_string();
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(tensor->as<std::uint8_t>()[i], i + 1);
}

TEST(Npy, ReadsVersions2And3AndAnyKeyOrder) {
  for (const char major : {'\2', '\3'}) {
    const std::string file =
        file_with("{ \"shape\" : (1, 2,),'fortran_order':False,\n'descr':'<f4' }", std::string(8, '\0'), major);
    const auto tensor = parse_npy(bytes_of(file));
    ASSERT_TRUE(tensor.ok()) << tensor.status().to_string();
    EXPECT_EQ(tensor->shape(), (Shape{1, 2}));
  }
}

TEST(Npy, ReadsEmptyArrays) {
  const std::string file = file_with("{'descr': '<f4', 'fortran_order': True, 'shape': (0, 3), }", "");
  const auto tensor = parse_npy(bytes_of(file));
  ASSERT_TRUE(tensor.ok()) << tensor.status().to_string();
  EXPECT_EQ(tensor->bytes(), 0U);
}

TEST(Npy, RefusesDamage) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  const std::string data(8, '\0');
  ASSERT_TRUE(parse_npy(bytes_of(file_with(good, data))).ok());
  const std::string bad[] = {
      "",
      "\x93NUMPY",
      "PK\3\4",
      file_with(good, data, 4),
      file_with(good, data, 0),
      file_with(good, data.substr(1)),
      file_with(good, data + "x"),
      file_with(good + "x", data),
      file_with("", data),
      file_with("{}", data),
      file_with("{'descr': '<f4', 'fortran_order': False, }", data),
      file_with("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", data),
      file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}", data),
      file_with("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", data),
      file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2), }", data),
      file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", data),
      file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2 1,), }", data),
      file_with("{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", data),
      file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", data),
      file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", data),
      file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387906,), }", data),
      file_with("{'descr': '<f4', 'fortran_order': True, 'shape': (4611686018427387904, 0, 4), }", ""),
      file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }", data),
      file_with("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", data),
      file_with("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", data),
      file_with("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", data),
      file_with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", data),
      file_with("{'descr': '<f4, 'fortran_order': False, 'shape': (2,), }", data),
      file_with("{'descr': '|b1', 'fortran_order': False, 'shape': (8,), }", std::string(8, '\2')),
  };
  for (const std::string& file : bad) {
    const auto tensor = parse_npy(bytes_of(file));
    ASSERT_FALSE(tensor.ok()) << file;
    EXPECT_EQ(tensor.status().code(), StatusCode::kInputError);
  }
}

TEST(Npy, RefusesEveryTruncation) {
  const std::string file = file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", std::string(8, '\0'));
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(parse_npy(bytes_of(file).first(size)).ok()) << size;
}

}  // namespace
}  // namespace tern
