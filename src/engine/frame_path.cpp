// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/frame_path.h"

namespace tern {

Result<std::unique_ptr<FramePath>> Engine::create_frame_path(const Contract& /*contract*/,
                                                             const FramePathOptions& /*options*/) {
  return std::unique_ptr<FramePath>();
}

}  // namespace tern
