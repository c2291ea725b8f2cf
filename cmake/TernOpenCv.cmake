# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
# Target tern_opencv: OpenCV's core, imgproc and imgcodecs. Debian's package config comes with libopencv-dev alone, which pulls
# in every module; the three libopencv-*-dev packages that are needed bring no config, so their files are looked up.
if(TARGET tern_opencv)
  return()
endif()
add_library(tern_opencv INTERFACE)
find_package(OpenCV QUIET COMPONENTS core imgproc imgcodecs)
if(OpenCV_FOUND)
  target_link_libraries(tern_opencv INTERFACE ${OpenCV_LIBS})
  target_include_directories(tern_opencv SYSTEM INTERFACE ${OpenCV_INCLUDE_DIRS})
else()
  find_path(TERN_OPENCV_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
  target_include_directories(tern_opencv SYSTEM INTERFACE ${TERN_OPENCV_INCLUDE})
  foreach(module core imgproc imgcodecs)
    find_library(TERN_OPENCV_${module} opencv_${module} REQUIRED)
    target_link_libraries(tern_opencv INTERFACE ${TERN_OPENCV_${module}})
  endforeach()
endif()
if(TARGET openvino::runtime)
  # OpenCV and OpenVINO both use libtbb.so.12, and a process has one. Without this it would be the distribution's older one, which
  # OpenVINO was neither built nor tested with. RPATH, since RUNPATH does not reach the libraries of libraries.
  target_link_options(tern_opencv INTERFACE LINKER:--disable-new-dtags LINKER:-rpath,$<TARGET_FILE_DIR:openvino::runtime>)
endif()
