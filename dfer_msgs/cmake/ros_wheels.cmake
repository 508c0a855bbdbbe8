# ROS 2 from pip wheels lacks in AMENT_PREFIX_PATH the folder where the type supports are found, and its exported targets name include
# folders of the machine that built the wheels. This adds the one and drops the others; a normal ROS installation is left as it is.

get_filename_component(_ament_prefix "${ament_cmake_core_DIR}/../../.." ABSOLUTE)
file(TO_CMAKE_PATH "$ENV{AMENT_PREFIX_PATH}" _ament_prefixes)
if(DEFINED SKBUILD)  # pip: nothing of another ROS that may be sourced
  set(ENV{AMENT_PREFIX_PATH} "${_ament_prefix}")
elseif(NOT _ament_prefix IN_LIST _ament_prefixes)
  list(APPEND _ament_prefixes "${_ament_prefix}")
  list(JOIN _ament_prefixes ":" _ament_prefixes)
  set(ENV{AMENT_PREFIX_PATH} "${_ament_prefixes}")
endif()

function(dfer_msgs_drop_absent_includes)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    set(present "")
    foreach(folder IN LISTS folders)
      if(NOT IS_ABSOLUTE "${folder}" OR EXISTS "${folder}")
        list(APPEND present "${folder}")
      endif()
    endforeach()
    if(folders AND NOT present STREQUAL folders)
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${present}")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL dfer_msgs_drop_absent_includes)
