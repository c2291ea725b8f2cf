# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# The CUDA compiler, for src/cuda: nvcc 12.0 or newer. cudart is linked statically, so users need nothing but the driver.
include(CheckLanguage)

if(NOT CMAKE_CUDA_COMPILER_LAUNCHER AND CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "No CUDA compiler was found. Install CUDA 12 or newer, or name its nvcc in CUDACXX, or let `tools/setup cuda` fetch one.")
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  # Turing, A100, GeForce 30, Jetson Orin, Ada, Hopper; newer GPUs translate the last one's PTX.
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 87-real 89-real 90)
endif()
enable_language(CUDA)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "${CMAKE_CUDA_COMPILER} is CUDA ${CMAKE_CUDA_COMPILER_VERSION}; tern's C++20 needs 12.0 or newer")
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake learned it in 3.26
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)

# CUDA's runtime for targets that call it and hold no CUDA code, which CMake links like any C++.
find_library(TERN_CUDART_STATIC cudart_static REQUIRED NO_CACHE
  HINTS ${CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES} ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES}/../lib)
add_library(tern_cudart INTERFACE)
target_include_directories(tern_cudart SYSTEM INTERFACE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
target_link_libraries(tern_cudart INTERFACE ${TERN_CUDART_STATIC} ${CMAKE_DL_LIBS} rt pthread)
