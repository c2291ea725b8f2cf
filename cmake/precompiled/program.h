// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// library.h, and what the program's commands include.
#pragma once

#include <CLI/CLI.hpp>
#include <opencv2/core.hpp>

#include "library.h"
