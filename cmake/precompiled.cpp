// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Nothing but a target for cmake/precompiled.h to be compiled with.
