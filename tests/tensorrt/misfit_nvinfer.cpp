// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// A libnvinfer that does not fit, for one reason chosen by the build.
#include <cstdint>

#define EXPORTED extern "C" __attribute__((visibility("default")))

#if defined(MISFIT_NO_SYMBOLS)
EXPORTED int unrelated() noexcept {
  return 0;
}
#else
EXPORTED std::int32_t getInferLibVersion() noexcept {
#if defined(MISFIT_TOO_OLD)
  return MAJOR == 10 ? 100203 : 109900;
#elif defined(MISFIT_TOO_NEW)
  return (MAJOR + 1) * 10000;
#else
  return MAJOR == 10 ? 100300 : 110000;  // the oldest that fits, without a single factory
#endif
}
#endif
