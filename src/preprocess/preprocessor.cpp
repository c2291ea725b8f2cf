// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <new>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "preprocess/checks.h"
#include "preprocess/cpu/fused.h"
#include "preprocess/frame_plan.h"
#include "tern/preprocess.h"

namespace tern {

struct Preprocessor::Impl {
  explicit Impl(const InputContract& c) : contract(c), plans(c), fused(c) {}

  InputContract contract;
  PlanCache plans;
  FusedPreprocess fused;
};

Preprocessor::Preprocessor(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Preprocessor::Preprocessor(Preprocessor&&) noexcept = default;
Preprocessor& Preprocessor::operator=(Preprocessor&&) noexcept = default;
Preprocessor::~Preprocessor() = default;

Result<Preprocessor> Preprocessor::create(const InputContract& contract) {
  TERN_RETURN_IF_ERROR(check_contract(contract));
  return Preprocessor(std::make_unique<Impl>(contract));
}

const InputContract& Preprocessor::contract() const noexcept {
  return impl_->contract;
}

Status Preprocessor::run(std::span<const ImageView> images, std::span<const ImageView> regions, const TensorView& out,
                         std::span<Geometry> geometry) try {
  const InputContract& contract = impl_->contract;
  TERN_RETURN_IF_ERROR(check_images(contract, images, regions, DeviceKind::kCpu));
  TERN_ASSIGN_OR_RETURN(const InputSize size, check_output(contract, out, images.size()));
  if (out.device().kind != DeviceKind::kCpu) {
    return make_error(StatusCode::kInputError, "the tensor lies in {} memory", out.device().to_string());
  }
  if (geometry.size() != images.size()) {
    return make_error(StatusCode::kInputError, "{} geometries were given for {} images", geometry.size(),
                      images.size());
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    auto made = Geometry::make(contract, images[i].width, images[i].height, size.width, size.height);
    if (!made.ok()) return made.status().at(fmt::format("image {}", i));
    geometry[i] = *made;
    impl_->fused.run(impl_->plans.find(*made), images[i], regions.empty() ? nullptr : &regions[i],
                     out.rows(static_cast<std::int64_t>(i), 1));
  }
  return {};
} catch (const std::bad_alloc&) {
  return make_error(StatusCode::kOutOfMemoryError, "no memory for the tables and row buffers of preprocessing");
}

}  // namespace tern
