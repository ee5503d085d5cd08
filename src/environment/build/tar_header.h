// Headers of a tar archive in GNU's format. Source: "Basic Tar Format" and "GNU Extensions to the Archive Format",
// https://www.gnu.org/software/tar/manual/html_node/Standard.html.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace plz {

inline constexpr size_t kTarBlock = 512;

enum class TarKind : char { file = '0', link = '2', directory = '5' };

// One member's header, preceded by what its long name or target needs. Time 0, owner root.
std::string tar_header(TarKind kind, std::string_view path, std::string_view target, mode_t mode, uint64_t size);
inline size_t tar_padding(uint64_t size) { return (kTarBlock - size % kTarBlock) % kTarBlock; }

}  // namespace plz
