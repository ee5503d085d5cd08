#include "os/shared_library.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fmt/core.h>

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr std::string_view kCacheMagic = "glibc-ld.so.cache1.1";
constexpr size_t kCacheHeaderBytes = 48, kCacheEntryBytes = 24;
constexpr size_t kHeadBytes = 4096;  // of a library: linkers put headers and notes in front

// Of an entry: a library of ELF and of glibc, and for which machines (glibc, sysdeps/generic/ldconfig.h).
#if defined(__x86_64__)
constexpr uint32_t kCacheFlags = 0x0303;
constexpr uint16_t kElfMachine = EM_X86_64;
constexpr const char* kTriplet = "x86_64-linux-gnu";
#elif defined(__aarch64__)
constexpr uint32_t kCacheFlags = 0x0a03;
constexpr uint16_t kElfMachine = EM_AARCH64;
constexpr const char* kTriplet = "aarch64-linux-gnu";
#else
constexpr uint32_t kCacheFlags = 0;
constexpr uint16_t kElfMachine = EM_NONE;
constexpr const char* kTriplet = "none";
#endif

template <typename T>
std::optional<T> read_at(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string_view text_at(std::string_view bytes, uint32_t offset) {
  if (offset >= bytes.size()) return {};
  const std::string_view rest = bytes.substr(offset);
  return rest.substr(0, rest.find('\0'));
}

bool has_text_at(std::string_view bytes, uint64_t offset, std::string_view text) {
  return offset < bytes.size() && text.size() < bytes.size() - offset && bytes[offset + text.size()] == '\0' &&
         bytes.compare(offset, text.size(), text) == 0;
}

std::string build_id_in_notes(std::string_view notes) {
  for (uint64_t at = 0;;) {
    const auto note = read_at<Elf64_Nhdr>(notes, at);
    if (!note) return "";
    const uint64_t name = at + sizeof *note, content = name + (uint64_t{note->n_namesz} + 3) / 4 * 4;
    if (content > notes.size() || notes.size() - content < note->n_descsz) return "";
    if (note->n_type == NT_GNU_BUILD_ID && notes.substr(name, note->n_namesz) == std::string_view("GNU\0", 4)) {
      std::string hex;
      for (unsigned char byte : notes.substr(content, note->n_descsz)) hex += fmt::format("{:02x}", byte);
      return hex;
    }
    at = content + (uint64_t{note->n_descsz} + 3) / 4 * 4;
  }
}

std::optional<Elf64_Ehdr> elf_header(std::string_view file) {
  const auto header = read_at<Elf64_Ehdr>(file, 0);
  if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64)
    return std::nullopt;
  return header;
}

// The kernel knows it of a file that is open; realpath() asks for each part of the path, and of each link's.
std::string real_path(int fd, const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), target, sizeof target);
  if (size > 0 && static_cast<size_t>(size) < sizeof target && target[0] == '/')
    return std::string(target, static_cast<size_t>(size));
  std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), free);
  return real ? real.get() : path;
}

// The loader passes by what is no library for this machine. Something else may have the name: a pipe would block.
std::optional<SharedLibrary> library_at(const std::string& path) {
  auto file = open_file(path, O_RDONLY | O_NONBLOCK);
  struct stat status {};
  if (!file || fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  std::string head(kHeadBytes, '\0');
  head.resize(read_up_to(file->get(), head.data(), head.size()).value_or(0));
  const auto header = elf_header(head);
  if (!header || header->e_machine != kElfMachine) return std::nullopt;
  return SharedLibrary{real_path(file->get(), path), elf_build_id(head), static_cast<uint64_t>(status.st_size)};
}

}  // namespace

std::optional<std::string> path_in_loader_cache(std::string_view cache, std::string_view name) {
  // An older format may stand in front; offsets count from the newer one.
  const size_t begin = cache.find(kCacheMagic);
  if (begin == cache.npos) return std::nullopt;
  cache.remove_prefix(begin);
  const uint32_t count = read_at<uint32_t>(cache, kCacheMagic.size()).value_or(0);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t entry = kCacheHeaderBytes + uint64_t{i} * kCacheEntryBytes;
    const auto flags = read_at<uint32_t>(cache, entry), key = read_at<uint32_t>(cache, entry + 4),
               value = read_at<uint32_t>(cache, entry + 8);
    const auto hwcap = read_at<uint64_t>(cache, entry + 16);
    if (!hwcap) return std::nullopt;
    if (*flags == kCacheFlags && *hwcap == 0 && has_text_at(cache, *key, name))
      return std::string(text_at(cache, *value));
  }
  return std::nullopt;
}

std::string elf_build_id(std::string_view file) {
  const auto header = elf_header(file);
  if (!header || header->e_phentsize != sizeof(Elf64_Phdr)) return "";
  for (uint16_t i = 0; i < header->e_phnum; ++i) {
    const auto segment = read_at<Elf64_Phdr>(file, header->e_phoff + uint64_t{i} * sizeof(Elf64_Phdr));
    if (!segment) return "";
    if (segment->p_type != PT_NOTE || segment->p_offset > file.size()) continue;
    if (auto id = build_id_in_notes(file.substr(segment->p_offset, segment->p_filesz)); !id.empty()) return id;
  }
  return "";
}

SharedLibrarySearch::SharedLibrarySearch(std::string_view library_path, std::string_view directory, std::string root)
    : root_(std::move(root)), cache_(read_file(root_ + "etc/ld.so.cache").value_or("")) {
  if (library_path.empty()) return;
  std::string separated(library_path);
  for (char& letter : separated)
    if (letter == ';') letter = ':';
  for (auto entry : split(separated, ':')) first_.push_back(absolute_path(entry, directory));
}

std::optional<SharedLibrary> SharedLibrarySearch::find(std::string_view name) const {
  for (const auto& directory : first_)
    if (auto found = library_at(join_path(directory, name))) return found;
  if (auto path = path_in_loader_cache(cache_, name))
    if (auto found = library_at(root_ + path->substr(path->starts_with('/') ? 1 : 0))) return found;
  for (const auto& directory :
       {fmt::format("lib/{}", kTriplet), fmt::format("usr/lib/{}", kTriplet), std::string("lib64"),
        std::string("usr/lib64"), std::string("lib"), std::string("usr/lib")})
    if (auto found = library_at(root_ + join_path(directory, name))) return found;
  return std::nullopt;
}

}  // namespace plz
