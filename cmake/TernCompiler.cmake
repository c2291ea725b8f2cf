# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and the compiler cache, for every target of tern.

find_program(TERN_CCACHE ccache)
if(TERN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What the two name is of no consequence here: precompiled headers change with what they include, and nothing uses __TIME__. What a
  # source includes is told by the compiler, which saves running the preprocessor first.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_DEPEND=1 ${TERN_CCACHE})
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

# Fuzzers share their modules with the tests, so modules count their edges; libFuzzer itself is linked by fuzz/ alone.
if(TERN_BUILD_FUZZ)
  set(tern_edges -fsanitize-coverage=inline-8bit-counters,pc-table,indirect-calls)
  set(tern_comparisons -fsanitize-coverage=trace-cmp)
endif()
# Clang links sanitizers into programs alone; plugins find them there.
if(NOT (TERN_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang"))
  set(tern_no_undefined -Wl,--no-undefined)
endif()

# The sanitized build takes its time in large headers (CLI11, GoogleTest, JSON) and in the code of their templates. So it is
# compiled without optimiser, but for the modules that go through every pixel or sample, and those headers are compiled once
# (cmake/precompiled/). What a source forgets to include is told by the builds that do without: release, tsan, tidy. A check at
# each use of a pointer is for the modules alone; elsewhere AddressSanitizer still stops at a null or wild pointer.
set(TERN_LOOP_MODULES tensor preprocess postprocess)
if(TERN_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(tern_loop_options -O1)
  if(TERN_SANITIZE MATCHES "undefined")
    set(tern_light_checks -fno-sanitize=null,alignment,vptr,object-size)
  endif()
endif()
# [NO_COVERAGE] FILE...: sources of other targets that do the same work in loops; NO_COVERAGE: no fuzzer comes there, and counting
# edges would take two thirds of the time.
function(tern_optimise)
  cmake_parse_arguments(O "NO_COVERAGE" "" "" ${ARGN})
  if(tern_loop_options)
    set(options ${tern_loop_options})
    if(O_NO_COVERAGE AND TERN_BUILD_FUZZ)
      list(APPEND options -fno-sanitize-coverage=edge,indirect-calls,trace-cmp)
    endif()
    set_source_files_properties(${O_UNPARSED_ARGUMENTS} PROPERTIES COMPILE_OPTIONS "${options}" SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()
function(tern_precompile folder with) # every target of a folder and those below, with the headers of the target `with`
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(stays ${target} TERN_NOT_PRECOMPILED)
    get_target_property(loops ${target} TERN_LOOPS)
    if(type MATCHES "EXECUTABLE|STATIC|OBJECT|MODULE" AND NOT stays)
      if(loops)
        target_precompile_headers(${target} REUSE_FROM tern_precompiled_loops)
      else()
        target_precompile_headers(${target} REUSE_FROM ${with})
      endif()
    endif()
    if(type MATCHES "EXECUTABLE|SHARED|MODULE")
      target_link_libraries(${target} PRIVATE tern_precompiled_templates)
    endif()
  endforeach()
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder IN LISTS below)
    cmake_path(RELATIVE_PATH subfolder BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE name)
    if(name STREQUAL "tests")
      tern_precompile(${subfolder} tern_precompiled_tests)
    elseif(name STREQUAL "apps/tern")
      tern_precompile(${subfolder} tern_precompiled_program)
    else()
      tern_precompile(${subfolder} ${with})
    endif()
  endforeach()
endfunction()
if(TERN_PRECOMPILE)
  # Programs and libraries alike, or each needed precompiled headers of its own.
  set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
  add_compile_options(-fPIC)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>") # else no compiler cache knows it again
  endif()
endif()
