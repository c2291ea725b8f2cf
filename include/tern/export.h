// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Marks what libtern exports; everything else is compiled with hidden visibility.
#define TERN_API __attribute__((visibility("default")))
