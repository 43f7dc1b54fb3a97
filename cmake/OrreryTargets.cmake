# orrery_module, orrery_test, orrery_bench: how every source, test and benchmark enters the build.
# Each of them refuses a .cpp file of its folder that nobody listed, so nothing can fall out silently.

set_property(GLOBAL PROPERTY ORRERY_LISTED "")

function(orrery_note_listed)
  foreach(source ${ARGN})
    set_property(GLOBAL APPEND PROPERTY ORRERY_LISTED ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  endforeach()
endfunction()

# orrery_check_listed(FOLDER): fails the configuration if a .cpp below FOLDER belongs to no target.
# -DORRERY_REQUIRE_LISTED=OFF turns this off while a file is being written.
option(ORRERY_REQUIRE_LISTED "Refuse source files that no target lists" ON)
function(orrery_check_listed folder)
  if(NOT ORRERY_REQUIRE_LISTED)
    return()
  endif()
  get_property(listed GLOBAL PROPERTY ORRERY_LISTED)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${folder}/*.cpp)
  foreach(source ${found})
    if(NOT source IN_LIST listed)
      message(FATAL_ERROR "${source} is listed in no CMakeLists.txt: it would never be built or run")
    endif()
  endforeach()
endfunction()

# orrery_module(NAME SOURCES a.cpp ... DEPS module-or-library ...): static library orrery_NAME.
function(orrery_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(orrery_${name} STATIC ${ARG_SOURCES})
  target_include_directories(orrery_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(orrery_${name} PUBLIC ${ARG_DEPS} PRIVATE orrery_flags)
  orrery_note_listed(${ARG_SOURCES})
endfunction()

# orrery_test(NAME SOURCES a_test.cpp ... DEPS library ... LABELS label ...): one gtest binary, one ctest entry.
# LABELS quick: also run in the sanitizer builds.
add_custom_target(quick_tests)
function(orrery_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main orrery_flags)
  orrery_note_listed(${ARG_SOURCES})
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  if("quick" IN_LIST ARG_LABELS)
    add_dependencies(quick_tests ${name})
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

# orrery_bench(NAME SOURCES a_bench.cpp ... DEPS library ... [BRIEFLY regex]): one Google Benchmark binary, run briefly by
# ctest; BRIEFLY: of the benchmarks whose names match alone.
function(orrery_bench name)
  cmake_parse_arguments(ARG "" "BRIEFLY" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_BRIEFLY)
    set(ARG_BRIEFLY .)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} benchmark::benchmark_main orrery_flags)
  orrery_note_listed(${ARG_SOURCES})
  add_test(NAME ${name} COMMAND ${name} --benchmark_min_time=0.01 --benchmark_filter=${ARG_BRIEFLY})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS bench)
endfunction()
