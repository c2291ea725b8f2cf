// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// library.h, and what every test includes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library.h"
