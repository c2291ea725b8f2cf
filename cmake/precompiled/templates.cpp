// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#define TERN_TEMPLATES_HERE
#include "templates.h"
