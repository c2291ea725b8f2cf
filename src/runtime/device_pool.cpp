// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/device_pool.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <tuple>

#include "base/error.h"
#include "tern/device.h"

namespace tern {
namespace {

Result<std::vector<Device>> every_gpu() {
  TERN_ASSIGN_OR_RETURN(const Cuda cuda, Cuda::load());
  TERN_ASSIGN_OR_RETURN(const std::vector<DeviceTraits> found, cuda.devices());
  std::vector<Device> devices;
  for (const DeviceTraits& traits : found)
    devices.push_back({DeviceKind::kCuda, traits.index});
  return devices;
}

}  // namespace

class DevicePool::Impl {
 public:
  explicit Impl(std::shared_ptr<InferenceRuntime> runtime) : runtime_(std::move(runtime)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (const Seat& seat : seats_)
      runtime_->release_engine(seat.member.handle);
  }

  Status add(const Device& device, const Model& model, BuildConfig config, const DevicePoolOptions& options) {
    config.device = device;
    const auto handle = runtime_->open(model, config, options.compile, options.engine);
    if (!handle.ok()) return handle.status().at(fmt::format("{} on {}", model.stem(), device.to_string()));
    seats_.push_back({.member = {.device = device, .handle = *handle}});
    return {};
  }

  Status infer(std::span<const TensorView> inputs, std::vector<Tensor>& outputs, const WaitOptions& wait) {
    Seat& seat = take();
    const Status status = runtime_->infer(seat.member.handle, inputs, outputs, wait);
    const std::scoped_lock lock(mutex_);
    --seat.under_way;
    ++seat.member.runs;
    return status;
  }

  std::vector<Member> members() const {
    const std::scoped_lock lock(mutex_);
    std::vector<Member> all;
    for (const Seat& seat : seats_)
      all.push_back(seat.member);
    return all;
  }

 private:
  struct Seat {
    Member member;
    int under_way = 0;
    std::uint64_t last_turn = 0;
  };

  Seat& take() {
    const std::scoped_lock lock(mutex_);
    Seat& seat =
        *std::ranges::min_element(seats_, {}, [](const Seat& s) { return std::tuple(s.under_way, s.last_turn); });
    ++seat.under_way;
    seat.last_turn = ++turns_;
    return seat;
  }

  std::shared_ptr<InferenceRuntime> runtime_;
  mutable std::mutex mutex_;
  std::vector<Seat> seats_;  // grows in add() alone, before anybody infers
  std::uint64_t turns_ = 0;
};

DevicePool::DevicePool(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
DevicePool::DevicePool(DevicePool&&) noexcept = default;
DevicePool& DevicePool::operator=(DevicePool&&) noexcept = default;
DevicePool::~DevicePool() = default;

Result<DevicePool> DevicePool::open(std::shared_ptr<InferenceRuntime> runtime, const Model& model,
                                    const BuildConfig& config, const DevicePoolOptions& options) {
  std::vector<Device> devices = options.devices;
  if (devices.empty()) {
    TERN_ASSIGN_OR_RETURN(devices, every_gpu());
  }
  std::set<Device> seen;
  for (const Device& device : devices) {
    if (!seen.insert(device).second)
      return make_error(StatusCode::kConfigError, "{} is named twice", device.to_string()).at("devices");
  }
  if (options.engine.contexts < 1)
    return Status(StatusCode::kConfigError, "a pool needs a context on each GPU").at("contexts");
  auto impl = std::make_unique<Impl>(std::move(runtime));
  for (const Device& device : devices)
    TERN_RETURN_IF_ERROR(impl->add(device, model, config, options));
  return DevicePool(std::move(impl));
}

Status DevicePool::infer(std::span<const TensorView> inputs, std::vector<Tensor>& outputs, const WaitOptions& wait) {
  return impl_->infer(inputs, outputs, wait);
}

std::vector<DevicePool::Member> DevicePool::members() const {
  return impl_->members();
}

}  // namespace tern
