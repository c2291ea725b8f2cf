// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What GCC tells by macros and Clang by features: TERN_ASAN and TERN_TSAN are defined in a build with that sanitizer.
#if defined(__SANITIZE_ADDRESS__)
#define TERN_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define TERN_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TERN_ASAN 1
#elif __has_feature(thread_sanitizer)
#define TERN_TSAN 1
#endif
#endif
