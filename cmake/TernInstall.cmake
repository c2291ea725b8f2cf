# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: libtern, its headers and a package for find_package(tern). The program and the plugins install themselves
# where they are built. Everything finds everything by relative paths, so the prefix may be moved; only the OpenVINO plugin
# remembers where the OpenVINO that it was built with lies.
include(CMakePackageConfigHelpers)

set(tern_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tern)
set(TERN_PLUGIN_DIR ${CMAKE_INSTALL_LIBDIR}/${TERN_PLUGIN_SUBDIR})

install(TARGETS tern EXPORT tern-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tern DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT tern-targets NAMESPACE tern:: DESTINATION ${tern_package_dir})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/tern-config.cmake.in ${CMAKE_BINARY_DIR}/tern-config.cmake
  INSTALL_DESTINATION ${tern_package_dir} PATH_VARS TERN_PLUGIN_DIR)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/tern-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/tern-config.cmake ${CMAKE_BINARY_DIR}/tern-config-version.cmake DESTINATION ${tern_package_dir})
