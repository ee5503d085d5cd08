// Writes one tree to disk: first the directories and links, level by level, then the files on several
// threads, then the modes of directories, which may forbid writing.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"
#include "store/blob_channel.h"
#include "store/chunker.h"
#include "store/materialise.h"

namespace plz {

class TreeWriter {
 public:
  TreeWriter(UniqueFd root, std::string root_path, const MaterialiseOptions& options, BlobSource& source);
  Result<void> write(const Digest& tree);

 private:
  struct Directory {
    Digest tree;
    std::string path;  // relative
    uint32_t mode;
  };
  struct SmallFile {
    uint32_t directory;  // index
    TreeEntry entry;
  };
  // A chunked file, opened when its first part is written and closed with the last.
  struct LargeFile {
    uint32_t directory;
    TreeEntry entry;
    std::vector<ChunkReference> chunks;
    std::mutex opening;
    UniqueFd fd;
    std::atomic<size_t> parts_left;
  };
  struct LargePart {
    LargeFile* file;
    size_t from, to;  // chunks
    uint64_t offset;
  };

  Result<void> make_directories_and_links(const Digest& tree);
  Result<void> take_trees(size_t from, size_t to);
  Result<void> take_entry(uint32_t directory, int fd, TreeEntry entry);
  Result<void> make_directory(uint32_t parent, int parent_fd, const TreeEntry& entry);
  Result<void> fetch_chunk_lists();
  Result<void> divide(LargeFile& file);
  Result<void> write_files();
  Result<void> write_small_files(size_t from, size_t to);
  Result<void> write_small_file(const SmallFile& file, int directory, std::string_view bytes);
  Result<void> write_part(const LargePart& part);
  Result<void> open_large(LargeFile& file);
  Result<void> close_large(LargeFile& file);
  Result<void> set_directory_modes();

  // cancelled: the end was asked for.
  Result<void> go_on() const;
  Result<UniqueFd> open_directory(uint32_t index);
  Result<UniqueFd> create_file(int directory, const std::string& path, const TreeEntry& entry);
  uint32_t mode_of(uint32_t mode) const { return options_.read_only ? mode & ~0222u : mode; }
  std::string path_of(uint32_t directory, const std::string& name) const;
  tl::unexpected<Error> fail_writing(uint32_t directory, const std::string& name) const;
  void count(uint64_t bytes);

  UniqueFd root_;
  std::string root_path_;
  const MaterialiseOptions& options_;
  BlobSource& source_;
  std::vector<Directory> directories_;  // parents before children; the first is the root
  std::vector<SmallFile> small_files_;
  std::deque<LargeFile> large_files_;
  std::vector<LargePart> parts_;
  std::atomic<uint64_t> bytes_done_ = 0;
};

}  // namespace plz
