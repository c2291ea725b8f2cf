# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# Proves that tern_module() stops CMake on an include against the direction of the layers: a two-module project configures as it
# is, and fails, for the stated reason, with each forbidden line put in.
cmake_minimum_required(VERSION 3.25)

# configure(NAME FILE LINE [PATTERN]): the project with LINE added to FILE; with PATTERN it must fail and say so.
function(configure name file line)
  set(project ${WORK_DIR}/${name})
  file(WRITE ${project}/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(layers LANGUAGES CXX)
list(APPEND CMAKE_MODULE_PATH ${SOURCE_DIR}/cmake)
include(TernModule)
add_library(tern_warnings INTERFACE)
add_subdirectory(src/low)
add_subdirectory(src/high)
")
  file(WRITE ${project}/include/tern/low.h "#include <string>\n")
  file(WRITE ${project}/include/tern/high.h "#include \"tern/low.h\"\n")
  file(WRITE ${project}/include/tern/nobodys.h "")
  file(WRITE ${project}/src/low/CMakeLists.txt "tern_module(NAME low HEADERS low.h SOURCES low.cpp)\n")
  file(WRITE ${project}/src/low/detail.h "")
  file(WRITE ${project}/src/low/low.cpp "#include \"tern/low.h\"\n#include \"low/detail.h\"\n")
  file(WRITE ${project}/src/high/CMakeLists.txt "tern_module(NAME high HEADERS high.h SOURCES high.cpp DEPS low)\n")
  file(WRITE ${project}/src/high/detail.h "")
  file(WRITE ${project}/src/high/high.cpp "#include \"tern/high.h\"\n#include \"low/detail.h\"\n")
  file(APPEND ${project}/${file} "${line}\n")

  execute_process(COMMAND ${CMAKE_COMMAND} -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_CXX_COMPILER_WORKS=1
    -S ${project} -B ${project}/build RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(ARGC GREATER 3)
    string(REGEX REPLACE "[ \n]+" " " output "${output}") # CMake wraps its messages
    if(result EQUAL 0 OR NOT output MATCHES "${ARGV3}")
      message(SEND_ERROR "${name}: '${line}' in ${file} must be refused with '${ARGV3}'; CMake ended with ${result}:\n${output}")
    endif()
  elseif(NOT result EQUAL 0)
    message(SEND_ERROR "${name}: must configure, but:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
configure(allowed src/high/high.cpp "#include \"tern/low.h\"")
configure(own_header src/high/high.cpp "#include \"high/detail.h\"")
configure(library_header src/low/low.cpp "#include \"some_library/high.h\"")
configure(internal_upward src/low/low.cpp "#include \"high/detail.h\"" "of module 'high', but module 'low' may only use: low")
configure(public_upward src/low/low.cpp "#include \"tern/high.h\"" "which no module of an allowed layer declares")
configure(public_header_upward include/tern/low.h "#include \"tern/high.h\"" "which no module of an allowed layer declares")
configure(internal_header_upward src/low/detail.h "#include \"high/detail.h\"" "of module 'high'")
configure(undeclared src/high/high.cpp "#include \"tern/nobodys.h\"" "which no module of an allowed layer declares")
configure(angle_brackets src/low/low.cpp "#include <tern/high.h>" "which no module of an allowed layer declares")
configure(indented src/low/low.cpp "  #  include \"high/detail.h\"" "of module 'high'")
configure(parent_folder src/low/low.cpp "#include \"../high/detail.h\"" "leaves its folder")
configure(wrong_order src/low/CMakeLists.txt "tern_module(NAME lower SOURCES low.cpp DEPS high)" "the direction is wrong")
