#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""Writes reference.safetensors with the format's own library, beside this script. Needs: pip install safetensors numpy."""
import os

import numpy as np
from safetensors.numpy import save_file

save_file({"weights": np.arange(6, dtype=np.float32).reshape(2, 3), "half": np.float16([0.5, -2]), "flags": np.array([True, False, True]),
           "count": np.array(7, dtype=np.int64), "nothing": np.zeros((0, 4), dtype=np.uint8)},
          os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.safetensors"), metadata={"made by": "safetensors"})
