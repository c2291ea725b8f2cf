// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary text as what `auto` remembers, and as the range of shapes in an ONNX Runtime engine: what is accepted is printed as the same.
#include <cstdint>
#include <cstdlib>

#include "runtime/choice_memory.h"
#include "tern/dev/cpu_build.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto choice = tern::parse_choice(text); choice.ok()) {
    if (choice->candidates.empty() || choice->to_string().empty() || choice->margin() < -1) std::abort();
    const std::string printed = tern::choice_text(*choice);
    const auto again = tern::parse_choice(printed);
    if (!again.ok() || tern::choice_text(*again) != printed) std::abort();
  }
  if (const auto range = tern::dev::ShapeRange::parse(text); range.ok()) {
    if (range->to_string() != text || range->min.rank() != range->max.rank()) std::abort();
    if (range->min.rank() > 0 && !range->holds(range->min)) std::abort();
  }
  return 0;
}
