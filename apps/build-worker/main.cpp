// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/build_worker.h"

int main() {
  tern::run_build_worker();
}
