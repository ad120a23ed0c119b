# find_package(docket): the target docket::docket, which is libdocket and docket.h.
include("${CMAKE_CURRENT_LIST_DIR}/docketTargets.cmake")
