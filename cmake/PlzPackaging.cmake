# cmake --install, and a .deb by CPack: `cpack -G DEB --config build/release/CPackConfig.cmake`.
install(FILES LICENSE README.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(EXISTS "${PROJECT_SOURCE_DIR}/docs/man/plz.1")
  install(FILES docs/man/plz.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
endif()

# The completions are what the program itself prints.
if(TARGET plz AND NOT CMAKE_CROSSCOMPILING)
  set(completions "${PROJECT_BINARY_DIR}/completions")
  add_custom_command(
    OUTPUT "${completions}/plz.bash" "${completions}/_plz" "${completions}/plz.fish"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${completions}"
    COMMAND plz completion bash > "${completions}/plz.bash"
    COMMAND plz completion zsh > "${completions}/_plz"
    COMMAND plz completion fish > "${completions}/plz.fish"
    DEPENDS plz
    COMMENT "Printing shell completions")
  add_custom_target(plz_completions ALL DEPENDS "${completions}/plz.bash" "${completions}/_plz" "${completions}/plz.fish")
  install(FILES "${completions}/plz.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME plz)
  install(FILES "${completions}/_plz" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
  install(FILES "${completions}/plz.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
endif()

set(CPACK_PACKAGE_NAME plz)
set(CPACK_PACKAGE_VENDOR "the plz authors")
set(CPACK_PACKAGE_CONTACT "the plz authors <plz@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "bubblewrap, git")
set(CPACK_GENERATOR DEB)
include(CPack)
