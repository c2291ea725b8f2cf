# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# Target tern_onnx_schema: the ONNX schema (onnx-ml.proto or onnx.proto), compiled by protoc.
#
# The schema comes from PyPI's `onnx` wheel (fetched into .deps by the set-up), else from the system's libonnx-dev; an older
# schema reads newer files too, since protobuf keeps fields it does not know.

find_package(Protobuf REQUIRED)
find_file(TERN_ONNX_PROTO NAMES onnx/onnx-ml.proto onnx/onnx.proto
  HINTS ${CMAKE_CURRENT_SOURCE_DIR}/.deps/python DOC "The ONNX schema")
if(NOT TERN_ONNX_PROTO)
  message(FATAL_ERROR "The ONNX schema (onnx-ml.proto) was not found. Run `make deps`, or install libonnx-dev, or set TERN_ONNX_PROTO.")
endif()

set(tern_schema_dir ${CMAKE_BINARY_DIR}/onnx-schema)
# The package is renamed so that these classes never meet another library's `onnx` in one process; the lite runtime keeps
# descriptors out of the global pool for the same reason.
file(READ ${TERN_ONNX_PROTO} tern_schema)
string(REGEX REPLACE "\npackage onnx;" "\npackage tern.onnx;" tern_schema "${tern_schema}")
string(REGEX REPLACE "\noption optimize_for = [A-Z_]+;" "" tern_schema "${tern_schema}")
string(REGEX REPLACE "\npackage tern.onnx;" "\npackage tern.onnx;\noption optimize_for = LITE_RUNTIME;" tern_schema "${tern_schema}")
file(CONFIGURE OUTPUT ${tern_schema_dir}/onnx_schema.proto CONTENT "${tern_schema}" @ONLY)

add_custom_command(
  OUTPUT ${tern_schema_dir}/onnx_schema.pb.cc ${tern_schema_dir}/onnx_schema.pb.h
  COMMAND protobuf::protoc --cpp_out=${tern_schema_dir} -I${tern_schema_dir} onnx_schema.proto
  DEPENDS ${tern_schema_dir}/onnx_schema.proto VERBATIM)
add_library(tern_onnx_schema OBJECT ${tern_schema_dir}/onnx_schema.pb.cc)
set_target_properties(tern_onnx_schema PROPERTIES TERN_NOT_PRECOMPILED ON)
target_include_directories(tern_onnx_schema SYSTEM PUBLIC ${tern_schema_dir})
target_link_libraries(tern_onnx_schema PUBLIC protobuf::libprotobuf-lite)
# The generated header alone, for tests that make ONNX files.
add_library(tern_onnx_schema_headers INTERFACE)
target_include_directories(tern_onnx_schema_headers SYSTEM INTERFACE ${tern_schema_dir})
add_dependencies(tern_onnx_schema_headers tern_onnx_schema)
