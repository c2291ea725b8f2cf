# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and the compiler cache, for every target of tern.

find_program(TERN_CCACHE ccache)
if(TERN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TERN_CCACHE})
endif()

add_library(tern_warnings INTERFACE)
set(tern_warning_flags -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-qual -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these three once sanitizers or -O3 rewrite the code (GCC bugs 105562, 105329, 108842).
  list(APPEND tern_warning_flags -Wno-maybe-uninitialized -Wno-restrict -Wno-null-dereference)
endif()
# CUDA: nvcc's own warnings and the host compiler's usual ones; what nvcc generates passes no stricter set.
target_compile_options(tern_warnings INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:${tern_warning_flags}>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Wall,-Wextra,-Wshadow,-Wconversion,-Werror>")

if(TERN_SANITIZE)
  list(JOIN TERN_SANITIZE "," tern_sanitizers)
  add_compile_options(-fsanitize=${tern_sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${tern_sanitizers})
endif()

# What sanitizers cost is mostly the time to compile large headers (CLI11, GoogleTest, JSON) with a check at each use of a pointer.
# So the dev build keeps those four checks where tern itself does arithmetic on pointers (TERN_POINTER_MODULES); elsewhere
# AddressSanitizer still stops at a null or wild pointer, and the fuzzers check everything everywhere. The program and the tests
# are compiled without optimiser too.
set(TERN_POINTER_MODULES base tensor image preprocess postprocess quant)
if(TERN_SANITIZE MATCHES "undefined" AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(tern_light_checks -fno-sanitize=null,alignment,vptr,object-size)
  set(tern_light_build $<$<COMPILE_LANGUAGE:CXX>:-O0> ${tern_light_checks})
endif()
