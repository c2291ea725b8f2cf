// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string>

#include "cuda/device.h"
#include "cuda/handles.h"
#include "cuda/pattern.h"

namespace tern::cuda {
namespace {

constexpr int kRounds = 5;  // the fastest counts: others may share the bus

/// Everything of one test; goes back to the driver when it ends, however it ends.
struct Course {
  explicit Course(std::size_t bytes) : sent(bytes), received(bytes), words(bytes), answers(bytes) {}

  PinnedBuffer sent, received;
  DeviceBuffer words, answers;
  Stream stream;
  std::array<Event, 4> marks;

  [[nodiscard]] std::span<std::uint32_t> host_words(const PinnedBuffer& buffer) const {
    return {static_cast<std::uint32_t*>(buffer.data()), buffer.bytes() / sizeof(std::uint32_t)};
  }

  /// To the device, through the kernel, and back; waits for the end.
  void run_round() {
    const std::size_t bytes = sent.bytes();
    marks[0].record(stream);
    check(cudaMemcpyAsync(words.data(), sent.data(), bytes, cudaMemcpyHostToDevice, stream.get()),
          "cudaMemcpyAsync to the device");
    marks[1].record(stream);
    check(enqueue_answers(static_cast<const std::uint32_t*>(words.data()), static_cast<std::uint32_t*>(answers.data()),
                          bytes / sizeof(std::uint32_t), stream.get()),
          "starting a kernel");
    marks[2].record(stream);
    check(cudaMemcpyAsync(received.data(), answers.data(), bytes, cudaMemcpyDeviceToHost, stream.get()),
          "cudaMemcpyAsync to the host");
    marks[3].record(stream);
    stream.synchronize();
  }
};

double gigabytes_per_second(double bytes, double ms) {
  return ms > 0 ? bytes / (ms * 1e6) : 0;
}

dev::CudaSelfTest run(std::uint64_t bytes) {
  Course course(bytes);
  fill_with_pattern(course.host_words(course.sent));
  std::array<double, 3> best{};
  best.fill(std::numeric_limits<double>::max());
  for (int round = 0; round < kRounds; ++round) {
    // What an earlier round left must not pass for this one's answer.
    std::memset(course.received.data(), round, bytes);
    check(cudaMemsetAsync(course.words.data(), 0xA5, bytes, course.stream.get()), "cudaMemsetAsync");
    check(cudaMemsetAsync(course.answers.data(), 0x5A, bytes, course.stream.get()), "cudaMemsetAsync");
    course.run_round();
    if (const auto wrong = first_wrong_answer(course.host_words(course.received))) {
      throw CudaError(dev::CudaFailureCode::kWrongResult, "word " + std::to_string(*wrong) + " of " +
                                                              std::to_string(bytes / sizeof(std::uint32_t)) +
                                                              " came back wrong from the GPU");
    }
    for (std::size_t i = 0; i < best.size(); ++i)
      best[i] = std::min(best[i], course.marks[i].milliseconds_until(course.marks[i + 1]));
  }
  const auto size = static_cast<double>(bytes);
  return {bytes, gigabytes_per_second(size, best[0]), gigabytes_per_second(size, best[2]),
          gigabytes_per_second(2 * size, best[1])};
}

}  // namespace

dev::CudaSelfTest self_test(int device, std::uint64_t bytes) {
  const dev::CudaMemory memory = device_memory(device);  // refuses an index that is none
  if (bytes == 0 || bytes % sizeof(std::uint32_t) != 0) {
    throw CudaError(dev::CudaFailureCode::kFailed,
                    "a self-test takes a multiple of 4 bytes; this is " + std::to_string(bytes));
  }
  if (bytes > memory.free_bytes / 2) {  // two buffers of that size; the host has to have as much
    throw CudaError(dev::CudaFailureCode::kOutOfMemory, "a self-test of " + std::to_string(bytes) +
                                                            " bytes needs twice as many; the GPU has " +
                                                            std::to_string(memory.free_bytes) + " free");
  }
  const unsigned failed_before = failed_releases();
  const DeviceGuard guard(device);
  const dev::CudaSelfTest result = run(bytes);
  if (failed_releases() != failed_before)
    throw CudaError(dev::CudaFailureCode::kFailed, "the GPU did not take back what the test had used");
  return result;
}

}  // namespace tern::cuda
