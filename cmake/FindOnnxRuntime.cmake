# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# find_package(OnnxRuntime): the headers of ONNX Runtime 1.21 or newer and the folder of its library, each from the first place
# that has them:
#   ONNXRUNTIME_ROOT (a CMake or environment variable)  an unpacked release tarball
#   .deps/onnxruntime                                   what tools/fetch-onnxruntime fetched
#   the system's folders                                libonnxruntime-dev of Debian 13 and Ubuntu 25.04 or newer
# The library may be newer than the headers, and is not linked: the plugins open it when they run.
#
# OnnxRuntime_VERSION       the API version of the headers, for example "1.21"
# OnnxRuntime_LIBRARY_DIR   the folder of libonnxruntime.so.1
# OnnxRuntime::headers      an interface target with their include folder
set(tern_onnxruntime_floor 21)

set(tern_onnxruntime_folders)
foreach(root IN ITEMS "${ONNXRUNTIME_ROOT}" "$ENV{ONNXRUNTIME_ROOT}" "${PROJECT_SOURCE_DIR}/.deps/onnxruntime")
  if(root)
    list(APPEND tern_onnxruntime_folders ${root})
  endif()
endforeach()
find_path(OnnxRuntime_INCLUDE_DIR onnxruntime_cxx_api.h PATHS ${tern_onnxruntime_folders} /usr /usr/local
  PATH_SUFFIXES include include/onnxruntime include/onnxruntime/core/session NO_DEFAULT_PATH)
find_file(OnnxRuntime_LIBRARY libonnxruntime.so.1 PATHS ${tern_onnxruntime_folders} /usr /usr/local
  PATH_SUFFIXES lib lib64 lib/${CMAKE_LIBRARY_ARCHITECTURE} NO_DEFAULT_PATH)
mark_as_advanced(OnnxRuntime_INCLUDE_DIR OnnxRuntime_LIBRARY)

set(OnnxRuntime_VERSION)
if(OnnxRuntime_INCLUDE_DIR)
  file(STRINGS ${OnnxRuntime_INCLUDE_DIR}/onnxruntime_c_api.h tern_api REGEX "^#define ORT_API_VERSION [0-9]+")
  if(tern_api MATCHES "([0-9]+)$" AND CMAKE_MATCH_1 GREATER_EQUAL tern_onnxruntime_floor)
    set(OnnxRuntime_VERSION 1.${CMAKE_MATCH_1})
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OnnxRuntime REQUIRED_VARS OnnxRuntime_INCLUDE_DIR OnnxRuntime_LIBRARY OnnxRuntime_VERSION
  REASON_FAILURE_MESSAGE "ONNX Runtime 1.${tern_onnxruntime_floor} or newer, with its headers, was not found. Run tools/fetch-onnxruntime, or set ONNXRUNTIME_ROOT, or configure with -DTERN_BUILD_ONNXRUNTIME=OFF.")
if(OnnxRuntime_FOUND AND NOT TARGET OnnxRuntime::headers)
  get_filename_component(OnnxRuntime_LIBRARY_DIR ${OnnxRuntime_LIBRARY} DIRECTORY)
  add_library(OnnxRuntime::headers INTERFACE IMPORTED)
  set_target_properties(OnnxRuntime::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${OnnxRuntime_INCLUDE_DIR})
endif()
