// Which file the dynamic loader would take for a shared library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plz {

struct SharedLibrary {
  std::string path;      // with all links resolved: alternatives of one name have different paths
  std::string build_id;  // the linker's name for this content, in hexadecimal; "" where it has none
  uint64_t bytes = 0;
};

// As ld.so(8) of glibc does for a program of this machine's kind without a path of its own: LD_LIBRARY_PATH,
// /etc/ld.so.cache, the standard directories. Not looked into: glibc-hwcaps directories, and the RUNPATH that a
// library which needs another may have. Immutable; reads a few files, well under a millisecond.
class SharedLibrarySearch {
 public:
  // `library_path` is LD_LIBRARY_PATH; what is relative there begins at `directory`. `root` is "/" but in tests.
  SharedLibrarySearch(std::string_view library_path, std::string_view directory, std::string root = "/");

  // nullopt: there is none of this name ("libblas.so.3").
  std::optional<SharedLibrary> find(std::string_view name) const;

 private:
  std::vector<std::string> first_;  // directories before the cache
  std::string root_;
  std::string cache_;
};

// The path that /etc/ld.so.cache (its format: glibc, sysdeps/generic/dl-cache.h, "1.1") has for a name, for
// programs of this machine's kind; nullopt: none, or no such file.
std::optional<std::string> path_in_loader_cache(std::string_view cache, std::string_view name);
// The NT_GNU_BUILD_ID note of a 64-bit ELF file; "" where there is none. `file` may be its beginning only.
std::string elf_build_id(std::string_view file);

}  // namespace plz
