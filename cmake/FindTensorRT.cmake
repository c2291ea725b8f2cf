# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# find_package(TensorRT): the headers of TensorRT 10 and 11, each from the first place that has them:
#   TENSORRT_ROOT (a CMake or environment variable)  an unpacked tarball, or headers alone
#   the system's folders                             JetPack, and NVIDIA's Debian packages (libnvinfer-dev, libnvonnxparsers-dev)
#   .deps/tensorrt-headers/{10,11}                   what tools/fetch-tensorrt-headers fetched
# The libraries are not looked for: the plugins open them when they run, and the same plugin serves every 10.x (or 11.x).
#
# TensorRT_MAJORS         the major versions found, for example "10;11"
# TensorRT_VERSION_10     the full version of the headers; likewise _11
# TensorRT::headers10     an interface target with their include folder; likewise headers11
set(tern_tensorrt_floor_10 10.3)
set(tern_tensorrt_floor_11 11.0)

set(tern_tensorrt_folders)
foreach(root IN ITEMS "${TENSORRT_ROOT}" "$ENV{TENSORRT_ROOT}")
  if(root)
    list(APPEND tern_tensorrt_folders ${root}/include ${root})
  endif()
endforeach()
list(APPEND tern_tensorrt_folders /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} /usr/include /usr/local/include
  /usr/local/tensorrt/include /opt/tensorrt/include
  ${PROJECT_SOURCE_DIR}/.deps/tensorrt-headers/10 ${PROJECT_SOURCE_DIR}/.deps/tensorrt-headers/11)

set(TensorRT_MAJORS)
foreach(folder IN LISTS tern_tensorrt_folders)
  if(NOT EXISTS ${folder}/NvInferVersion.h OR NOT EXISTS ${folder}/NvOnnxParser.h)
    continue()
  endif()
  file(READ ${folder}/NvInferVersion.h text)
  # NV_TENSORRT_MAJOR is the number itself, or in newer headers another macro's name: TRT_MAJOR_ENTERPRISE.
  set(version)
  foreach(part MAJOR MINOR PATCH)
    if(text MATCHES "#define (TRT_${part}_ENTERPRISE|NV_TENSORRT_${part}) ([0-9]+)")
      list(APPEND version ${CMAKE_MATCH_2})
    endif()
  endforeach()
  list(LENGTH version parts)
  if(NOT parts EQUAL 3)
    continue()
  endif()
  list(GET version 0 major)
  list(JOIN version "." version)
  if(TARGET TensorRT::headers${major} OR NOT DEFINED tern_tensorrt_floor_${major} OR version VERSION_LESS tern_tensorrt_floor_${major})
    continue()
  endif()
  add_library(TensorRT::headers${major} INTERFACE IMPORTED)
  set_target_properties(TensorRT::headers${major} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${folder})
  set(TensorRT_VERSION_${major} ${version})
  set(TensorRT_INCLUDE_DIR_${major} ${folder})
  list(APPEND TensorRT_MAJORS ${major})
endforeach()
list(SORT TensorRT_MAJORS COMPARE NATURAL)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TensorRT REQUIRED_VARS TensorRT_MAJORS
  REASON_FAILURE_MESSAGE "No headers of TensorRT 10.3 or newer were found. Run tools/fetch-tensorrt-headers, or set TENSORRT_ROOT, or configure with -DTERN_BUILD_TENSORRT=OFF.")
