# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# Installs the build into a fresh prefix, builds examples/package and every public header against it, then moves the prefix and
# runs what was installed from its new place.
cmake_minimum_required(VERSION 3.25)

function(run)
  cmake_parse_arguments(R "" "OUTPUT" "COMMAND" ${ARGN})
  execute_process(COMMAND ${R_COMMAND} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${R_COMMAND}\nended with ${result}:\n${output}")
  endif()
  if(R_OUTPUT)
    set(${R_OUTPUT} "${output}" PARENT_SCOPE)
  endif()
endfunction()

function(expect text pattern)
  if(NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "Expected a match of '${pattern}' in:\n${text}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
set(prefix ${WORK_DIR}/prefix)
run(COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix})

set(common -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_PREFIX_PATH=${prefix})
run(COMMAND ${CMAKE_COMMAND} -S ${SOURCE_DIR}/tests/package/headers -B ${WORK_DIR}/headers ${common}
  -DEXPECTED_VERSION=${VERSION} -DSOURCE_INCLUDE_DIR=${SOURCE_DIR}/include)
run(COMMAND ${CMAKE_COMMAND} --build ${WORK_DIR}/headers --parallel 2)

run(COMMAND ${CMAKE_COMMAND} -S ${SOURCE_DIR}/examples/package -B ${WORK_DIR}/example ${common} -DCMAKE_CXX_FLAGS=${FLAGS})
run(COMMAND ${CMAKE_COMMAND} --build ${WORK_DIR}/example)
run(COMMAND ${WORK_DIR}/example/describe_model ${SOURCE_DIR}/models/overhead-detect.onnx OUTPUT described)
expect("${described}" "^tern ${VERSION}, model overhead-detect\ninput images [0-9x?]+\noutput [a-z0-9]+ [0-9x?]+\n")

# The build tree's libraries must not help out: run from the moved prefix, and ask the loader where libtern came from.
file(RENAME ${prefix} ${WORK_DIR}/moved)
run(COMMAND ldd ${WORK_DIR}/moved/${LIBDIR}/tern/tern-build-worker OUTPUT libraries)
expect("${libraries}" "libtern\\.so[^\n]* => ${WORK_DIR}/moved/${LIBDIR}/tern/\\.\\./libtern")
if(WITH_PROGRAM)
  set(program ${WORK_DIR}/moved/bin/tern)
  run(COMMAND ${program} --version OUTPUT version)
  expect("${version}" "${VERSION}")
  run(COMMAND ldd ${program} OUTPUT libraries)
  expect("${libraries}" "libtern\\.so[^\n]* => ${WORK_DIR}/moved/bin/\\.\\./${LIBDIR}/libtern")
  if(WITH_OPENVINO)
    set(ENV{TERN_PLUGIN_PATH})
    run(COMMAND ${program} doctor OUTPUT report)
    expect("${report}" "openvino")
    expect("${report}" "${WORK_DIR}/moved/${LIBDIR}/tern/libtern_openvino")
  endif()
endif()
